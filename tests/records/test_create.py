"""Create: scenarios with status, body, and what was stored."""

import pytest

from tests.records.writing import MULTIPART, multipart, open_site
from trailbase_server.ids import encode_b64u

ROSA = encode_b64u(bytes.fromhex("0b0b0000000040008000000000000001"))
SAM = encode_b64u(bytes.fromhex("0b0b0000000040008000000000000002"))


@pytest.fixture
async def site(tmp_path):
    async with open_site(tmp_path) as site:
        yield site


@pytest.mark.parametrize(
    ("api", "body", "status", "answer"),
    [
        ("probe", {"t": "x"}, 200, {"ids": ["1"]}),
        ("probe", {}, 200, {"ids": ["1"]}),
        ("probe", {"nope": 1}, 200, {"ids": ["1"]}),
        ("probe", {"id": -3, "_h": "hidden"}, 200, {"ids": ["-3"]}),
        ("probe", {"id": None}, 200, {"ids": ["1"]}),
        ("probe", [{"t": "x"}], 200, {"ids": ["1"]}),
        ("probe", [{"i": 1}, {"t": "x"}, {}], 200, {"ids": ["1", "2", "3"]}),
        ("gauge", {"id": 9, "name": "brake"}, 200, {"ids": ["9"]}),
        ("probe", 5, 400, "Expected record or array of records"),
        ("probe", "x", 400, "Expected record or array of records"),
        ("probe", None, 400, "Expected record or array of records"),
        ("probe", [{"t": "x"}, 5], 400, "Expected record or array of records"),
        ("probe", [[{"t": "x"}]], 400, "Expected record or array of records"),
        ("probe", [], 400, "no values provided"),
        ("diary_shut", [], 400, "no values provided"),
        ("probe", [{}] * 1025, 400, "Bulk creation exceeds limit: 1024"),
        ("probe", {"i": "5"}, 400, "Invalid Parameters"),
        ("probe", {"g": "x"}, 400, "Invalid Parameters"),
        ("probe", [{"i": 1}, {"i": "5"}], 400, "Invalid Parameters"),
        ("probe", {"d": 100}, 400, "db constraint: check"),
        ("probe", {"d": None}, 400, "db constraint: not null"),
        ("probe", {"place": {"type": "Point", "coordinates": [1, 2]}}, 200, {"ids": ["1"]}),
        ("label", {"word": "x", "id": "AA=="}, 400, "db constraint: check"),
        ("label", {}, 400, "db constraint: not null"),
        ("locker", {"code": "L-1"}, 400, "db constraint: unique"),
        ("locker", {"id": 1, "code": "x"}, 400, "db constraint: pk"),
        ("locker", [{"code": "new"}, {"code": "L-1"}], 400, "db constraint: unique"),
        ("locker", {"id": "x", "code": "x"}, 400, "Invalid Parameters"),
        ("task", {"shift": 77}, 400, "db constraint: fk"),
        ("task", {"shift": 13}, 400, "db constraint: trigger"),
        ("view", {"t": "x"}, 405, ""),
        ("nothing", {"t": "x"}, 405, ""),
        ("nothing", b"{", 400, "invalid JSON: unexpected end of data: line 1 column 2 (char 1)"),
        ("diary_shut", {"text": 5}, 403, ""),
    ],
)
async def test_a_request_is_answered(site, api, body, status, answer):
    before = site.rows("SELECT (SELECT count(*) FROM probe), (SELECT count(*) FROM locker)")
    assert await site.create(api, body) == (status, answer)
    if status != 200:
        after = site.rows("SELECT (SELECT count(*) FROM probe), (SELECT count(*) FROM locker)")
        assert after == before


async def test_left_out_columns_get_their_defaults_and_excluded_ones_are_ignored(site):
    await site.create("probe", {"t": "x", "x": "no", "_h": "yes", "size": {"w": 1}})
    assert site.rows("SELECT t, d, x, _h, size, list, g FROM probe") == [
        ("x", 7, "kept", "yes", '{"w":1}', "[]", "x!")
    ]


async def test_names_that_differ_in_punctuation_keep_their_own_values(site):
    await site.create("odd", {"a-b": "minus", "a_b": "under", 'sel"ect': "quote"})
    assert site.rows('SELECT "a-b", a_b, "sel""ect" FROM "odd-names"') == [
        ("minus", "under", "quote")
    ]


async def test_uuid_keys_are_answered_as_base64_in_the_order_of_the_request(site):
    status, answer = await site.create("label", [{"word": f"w{n}"} for n in range(5)])
    assert status == 200
    stored = {encode_b64u(key): word for key, word in site.rows("SELECT id, word FROM label")}
    assert [stored[key] for key in answer["ids"]] == [f"w{n}" for n in range(5)]


async def test_a_thousand_records_are_one_request(site):
    status, answer = await site.create("label", [{"word": "x"}] * 1024)
    assert (status, len(set(answer["ids"]))) == (200, 1024)


@pytest.mark.case("T-27")
@pytest.mark.parametrize(
    ("api", "body", "status", "answer"),
    [
        ("ignore", {"id": 9, "code": "N"}, 200, {"ids": ["9"]}),
        ("ignore", {"id": 1, "code": "N"}, 200, {"ids": []}),
        ("ignore", {"id": 1, "code": "L-2"}, 200, {"ids": []}),
        ("ignore", {"id": 9, "code": "L-2"}, 400, "db constraint: unique"),
        ("ignore", {"id": 9}, 400, "db constraint: not null"),
        ("ignore", [{"id": 9, "code": "N"}, {"id": 1, "code": "M"}], 200, {"ids": ["9"]}),
        ("replace", {"id": 9, "code": "N"}, 200, {"ids": ["9"]}),
        ("replace", {"id": 1, "code": "N"}, 200, {"ids": ["1"]}),
        ("replace", {"id": 1, "code": "L-1"}, 200, {"ids": ["1"]}),
        ("replace", {"id": 1, "code": "L-2"}, 400, "db constraint: unique"),
        ("replace", {"code": "L-2"}, 400, "db constraint: unique"),
        ("replace", {"code": "N"}, 200, {"ids": ["3"]}),
        ("lone", {"id": 5}, 200, {"ids": ["5"]}),
        ("lone", {}, 200, {"ids": ["1"]}),
    ],
)
async def test_a_taken_key_is_treated_as_configured(site, api, body, status, answer):
    assert await site.create(api, body) == (status, answer)


async def test_replacing_resets_what_was_left_out(site):
    await site.create("replace", {"id": 1, "code": "N"})
    assert site.rows("SELECT code, size, memo, loud FROM locker WHERE id = 1") == [
        ("N", "m", None, "N")
    ]
    await site.create("ignore", {"id": 2, "code": "N2", "memo": "new"})
    assert site.rows("SELECT code, memo FROM locker WHERE id = 2") == [("L-2", "mug")]


@pytest.mark.case("T-23")
@pytest.mark.parametrize(
    ("api", "record", "user", "status", "stored"),
    [
        ("shift", {}, "rosa", 200, (ROSA, ROSA)),
        ("shift", {"worker": SAM}, "rosa", 200, (SAM, ROSA)),
        ("shift", {"backup": None}, "rosa", 200, (ROSA, None)),
        ("shift", {"worker": None}, "rosa", 400, None),
        ("shift", {}, None, 400, None),
        ("shift", {"worker": SAM}, None, 200, (SAM, None)),
        ("shift_manual", {}, "rosa", 400, None),
    ],
)
async def test_user_columns_are_filled_in_for_members(site, api, record, user, status, stored):
    got, _ = await site.create(api, record, getattr(site, user) if user else None)
    assert got == status
    rows = site.rows("SELECT worker, backup FROM shift")
    assert [tuple(v and encode_b64u(v) for v in row) for row in rows] == (
        [stored] if stored else []
    )


@pytest.mark.case("T-23")
async def test_forms_and_bulk_are_filled_in_too(site):
    await site.create_form("shift", {"day": "sat"}, site.rosa)
    await site.create("shift", [{"day": "sun"}, {"worker": SAM}], site.rosa)
    body = multipart(("day", "mon"))
    await site.create("shift", body, site.rosa, content_type=MULTIPART)
    assert [encode_b64u(row[0]) for row in site.rows("SELECT worker FROM shift")] == [
        ROSA,
        ROSA,
        SAM,
        ROSA,
    ]


@pytest.mark.case("T-23")
@pytest.mark.parametrize(
    ("api", "record", "user", "status", "answer"),
    [
        ("diary", {"author": ROSA, "text": "x"}, "rosa", 200, {"ids": ["3"]}),
        ("diary", {"author": SAM, "text": "x"}, "rosa", 403, ""),
        ("diary", {"author": None, "text": "x"}, "rosa", 403, ""),
        ("diary", {"text": "x"}, "rosa", 403, ""),
        ("diary", {"author": SAM}, "rosa", 403, ""),
        ("diary", {"author": ROSA}, "rosa", 400, "db constraint: not null"),
        ("diary", {"author": ROSA, "text": 5}, "rosa", 400, "invalid params"),
        ("diary", {"author": ROSA, "text": 5}, None, 403, ""),
        ("diary_fields", {"text": "x"}, None, 200, {"ids": ["3"]}),
        ("diary_fields", {"text": "x", "likes": None}, None, 403, ""),
        ("diary_fields", {"author": ROSA}, None, 403, ""),
        ("diary_fields", {"text": "x", "LIKES": 1}, None, 200, {"ids": ["3"]}),
        ("diary_fields", {"text": "x", "secret": "s"}, None, 200, {"ids": ["3"]}),
        (
            "diary",
            [{"author": ROSA, "text": "x"}, {"author": SAM, "text": "x"}],
            "rosa",
            403,
            "",
        ),
    ],
)
async def test_create_rules_see_converted_values(site, api, record, user, status, answer):
    got = await site.create(api, record, getattr(site, user) if user else None)
    assert got == (status, answer)
    assert len(site.rows("SELECT id FROM diary")) == (3 if status == 200 else 2)


@pytest.mark.parametrize(
    ("fields", "status", "stored"),
    [
        ({"t": "a b&c", "i": "12", "r": "1.5"}, 200, ("a b&c", 12, 1.5)),
        ({"i": "true", "r": "2"}, 200, (None, 1, 2.0)),
        ([("t", "one"), ("t", "two")], 200, ("two", None, None)),
        ({}, 200, (None, None, None)),
        ({"nope": "x"}, 200, (None, None, None)),
        ({"i": "twelve"}, 400, None),
    ],
)
async def test_forms_create_one_record(site, fields, status, stored):
    assert (await site.create_form("probe", fields))[0] == status
    assert site.rows("SELECT t, i, r FROM probe") == ([stored] if stored else [])


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([("t", "x"), ("i", "13")], 200),
        ([("t", "one"), ("t", "two")], 400),
        ([("list", "one"), ("list", "two")], 200),
        ([("t", "abc", "a.txt")], 400),
        ([("photo", "abc", "a.png")], 200),
        ([("photo", "abc", "a.png"), ("photo", "abc", "b.png")], 400),
        ([("photo", "abc", "a.png"), ("photo", "text")], 400),
        ([("photo", "", "")], 200),
        ([("nope", "abc", "a.png")], 200),
    ],
)
async def test_multipart_creates_one_record(site, parts, status):
    body = multipart(*parts)
    assert (await site.create("probe", body, content_type=MULTIPART))[0] == status


@pytest.mark.parametrize("value", [{"data": "AA"}, {"filename": "a", "id": "other"}, "x", 5])
async def test_file_columns_take_files_and_nothing_else(site, value):
    assert await site.create("probe", {"photo": value}) == (400, "Invalid Parameters")
    assert site.rows("SELECT * FROM probe") == []


@pytest.mark.parametrize(
    ("query", "status", "location"),
    [
        ("redirect_uri=/done", 303, "/done"),
        ("redirect_uri=%2Fdone%3Fa%3D1", 303, "/done?a=1"),
        ("redirect_uri=http://garden.test/done", 303, "http://garden.test/done"),
        ("foo=bar", 200, None),
        ("redirect_uri=//evil.test", 400, None),
        ("redirect_uri=/%5Cevil.test", 400, None),
        ("redirect_uri=/%09/evil.test", 400, None),
        ("redirect_uri=http://evil.test", 400, None),
        ("redirect_uri=http://garden.test.evil.test/", 400, None),
        ("redirect_uri=javascript:alert(1)", 400, None),
        ("redirect_uri=", 400, None),
        ("redirect_uri=/a&redirect_uri=/b", 400, None),
        ("redirect_uri=%ff", 400, None),
    ],
)
async def test_forms_are_led_to_a_page_of_this_server_only(site, query, status, location):
    got, _ = await site.create("probe", {"t": "x"}, query=query)
    assert got == status
    locations = [value.decode() for name, value in site.response.headers if name == b"location"]
    assert locations == ([location] if location else [])
    assert len(site.rows("SELECT id FROM probe")) == (0 if status == 400 else 1)


async def test_errors_are_not_redirected(site):
    assert await site.create("probe", {"i": "x"}, query="redirect_uri=/done") == (
        400,
        "Invalid Parameters",
    )
    missing_type = await site.create("probe", {"t": "x"}, content_type=None)
    assert missing_type == (200, {"ids": ["1"]})
