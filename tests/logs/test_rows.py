"""Entries as values of rows, and the statements for them."""

import json

from trailbase_server.logs.rows import COLUMNS, SIZES, Inserts, bind, render_insert


def entry(url="/", method="GET", referer=b"", agent=b"", request_id="", status=200):
    return (
        *(1.5, status, method, url, 0.25, "192.0.2.7", referer, agent, b"u" * 16),
        *(b"trail.test", "1.1", request_id, None),
    )


def row(**members):
    _, values = bind([entry(**members)])
    return dict(zip(COLUMNS, values, strict=True))


def test_one_row_has_one_value_for_each_column():
    alike, values = bind([entry()])
    assert len(alike) == len(values) == len(COLUMNS)


def test_what_is_alike_is_bound_once():
    alike, values = bind([entry(), entry("/b", status=404)])
    assert dict(zip(COLUMNS, alike, strict=True)) == {
        **dict.fromkeys(COLUMNS, True),
        **dict.fromkeys(("created", "status", "url", "latency"), False),
    }
    assert values == [
        *(1.5, 1.5, 200, 404, "GET", "/", "/b", 0.25, 0.25, "192.0.2.7", "", "", b"u" * 16, None)
    ]


def test_a_statement_takes_the_values_as_they_are_bound():
    assert render_insert(2, (True, False)).endswith(" VALUES (?1, ?2), (?1, ?3)")


def test_many_entries_are_few_statements():
    found = list(Inserts().of([entry()] * 300))
    assert [sql.count("(") - 1 for sql, _ in found] == [128, 128, 32, 8, 1, 1, 1, 1]
    assert list(Inserts().of([])) == []


def test_a_statement_is_rendered_once():
    inserts = Inserts()
    [(first, _)] = inserts.of([entry()] * SIZES[0])
    [(second, _)] = inserts.of([entry("/other")] * SIZES[0])
    assert second is first


def test_headers_are_read_as_latin_1():
    assert row(agent=b"caf\xe9", referer=b"/\xff")["user_agent"] == "café"
    assert row(referer=b"/\xff")["referer"] == "/ÿ"


def test_a_request_id_is_kept_as_json():
    assert row()["data"] is None
    assert json.loads(row(request_id="abc.1")["data"]) == {"request_id": "abc.1"}


def test_secrets_are_taken_out_wherever_they_stand():
    token = "eyJhbGciOi.eyJzdWIi.c2ln"
    assert row(url=f"/x/{token}")["url"] == "/x/<redacted>"
    assert row(url="/a?token=b")["url"] == "/a?token=<redacted>"
    assert row(url="/api/auth/v1/reset_password/update/abc")["url"].endswith("/<redacted>")
    assert row(referer=b"/a?code=b")["referer"] == "/a?code=<redacted>"


def test_a_secret_among_others_is_found():
    _, values = bind([entry(), entry("/a?token=b"), entry()])
    assert "/a?token=<redacted>" in values


def test_odd_methods_are_unknown():
    assert row(method="BREW")["method"] == "Unknown"
    _, values = bind([entry(), entry(method="BREW")])
    assert values[3:5] == ["GET", "Unknown"]
