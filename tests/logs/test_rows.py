"""Entries as values of rows."""

import json

from trailbase_server.logs.rows import COLUMNS, STATEMENTS, row_values


def entry(url="/", method="GET", referer=b"", agent=b"", request_id=""):
    return (
        *(1.5, 200, method, url, 0.25, "192.0.2.7", referer, agent, b"u" * 16),
        *(b"trail.test", "1.1", request_id, None),
    )


def row(**members):
    values = row_values([entry(**members)])
    assert len(values) == len(COLUMNS)
    return dict(zip(COLUMNS, values, strict=True))


def test_rows_follow_each_other():
    assert len(row_values([entry(), entry()])) == 2 * len(COLUMNS)
    assert STATEMENTS[20].count("?") == 20 * len(COLUMNS)


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


def test_odd_methods_are_unknown():
    assert row(method="BREW")["method"] == "Unknown"
