"""Update: scenarios with status, body, and what was stored."""

import pytest

from tests.records.writing import FORM, MULTIPART, multipart, open_site
from trailbase_server.ids import encode_b64u

SAM = encode_b64u(bytes.fromhex("0b0b0000000040008000000000000002"))


@pytest.fixture
async def site(tmp_path):
    async with open_site(tmp_path) as site:
        yield site


@pytest.mark.parametrize(
    ("api", "key", "body", "status", "answer"),
    [
        ("locker", 1, {"memo": "new"}, 200, ""),
        ("locker", 1, {"id": 1, "memo": "new"}, 200, ""),
        ("locker", 1, {"id": 1}, 200, ""),
        ("locker", 1, {}, 200, ""),
        ("locker", 1, {"nope": 1}, 200, ""),
        ("gauge", 1, {"name": "belt"}, 200, ""),
        ("locker", 1, {"id": 2, "memo": "new"}, 400, "Invalid Parameters"),
        ("locker", 1, {"id": None}, 400, "Invalid Parameters"),
        ("locker", 1, {"memo": 5}, 400, "Invalid Parameters"),
        ("locker", 1, {"loud": "X"}, 400, "Invalid Parameters"),
        ("locker", 1, {"code": None}, 400, "db constraint: not null"),
        ("locker", 1, {"code": "L-2"}, 400, "db constraint: unique"),
        ("locker", 404, {"memo": "x"}, 404, ""),
        ("locker", 404, {}, 404, ""),
        ("locker", "abc", {"memo": "x"}, 400, "Invalid id"),
        ("locker", "abc", b"{", 400, None),
        ("locker", "abc", [], 400, "Expected single record"),
        ("locker", 1, 5, 400, "Expected single record"),
        ("view", 1, {"t": "x"}, 405, ""),
        ("nothing", 1, {"t": "x"}, 405, ""),
        ("diary_shut", "abc", {}, 400, "Invalid id"),
        ("diary_shut", 1, {"text": 5}, 403, ""),
    ],
)
async def test_a_request_is_answered(site, api, key, body, status, answer):
    before = site.rows("SELECT * FROM locker")
    got = await site.update(api, key, body)
    assert got[0] == status
    assert answer is None or got[1] == answer
    if status != 200:
        assert site.rows("SELECT * FROM locker") == before
    if status == 200:
        assert site.response.headers == []


async def test_only_what_is_sent_changes(site):
    await site.update("locker", 1, {"memo": None, "size": "xs"})
    assert site.rows("SELECT id, code, size, memo, loud FROM locker") == [
        (1, "L-1", "xs", None, "L-1"),
        (2, "L-2", "xl", "mug", "L-2"),
    ]


async def test_excluded_columns_stay_and_hidden_ones_change(site):
    await site.create("probe", {"t": "x"})
    assert (await site.update("probe", 1, {"x": "no", "_h": "yes"}))[0] == 200
    assert (await site.update("probe", 1, {"x": "no"}))[0] == 200
    assert site.rows("SELECT x, _h FROM probe") == [("kept", "yes")]


async def test_user_columns_are_never_filled_in(site):
    await site.create("shift", {"worker": SAM, "backup": None})
    await site.update("shift", 1, {"day": "mon"}, site.rosa)
    assert site.rows("SELECT backup, day FROM shift") == [(None, "mon")]


@pytest.mark.case("T-24")
@pytest.mark.parametrize(
    ("api", "key", "record", "user", "status", "answer"),
    [
        ("diary", 1, {"text": "y"}, "rosa", 200, ""),
        ("diary", 1, {"text": "y"}, "sam", 403, ""),
        ("diary", 1, {}, "rosa", 200, ""),
        ("diary", 1, {}, "sam", 403, ""),
        ("diary", 404, {"text": "y"}, "rosa", 403, ""),
        ("diary", 404, {}, "rosa", 403, ""),
        ("diary", 2, {"text": 5}, "rosa", 400, "invalid params"),
        ("diary", 1, {"text": 5}, None, 403, ""),
        ("diary_fields", 1, {"likes": 4}, None, 200, ""),
        ("diary_fields", 1, {"likes": 3}, None, 403, ""),
        ("diary_fields", 1, {"likes": None}, None, 403, ""),
        ("diary_fields", 1, {"text": "y"}, None, 403, ""),
    ],
)
async def test_update_rules_see_the_stored_row_and_the_request(
    site, api, key, record, user, status, answer
):
    got = await site.update(api, key, record, getattr(site, user) if user else None)
    assert got == (status, answer)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [(FORM, b"memo=by+form&nope=1"), (MULTIPART, multipart(("memo", "by form")))],
)
async def test_forms_update_too(site, content_type, body):
    assert (await site.update("locker", 1, body, content_type=content_type))[0] == 200
    assert site.rows("SELECT memo FROM locker WHERE id = 1") == [("by form",)]


async def test_json_columns_keep_their_value_when_the_new_one_does_not_fit(site):
    await site.create("probe", {"size": {"w": 1}})
    assert (await site.update("probe", 1, {"size": {"h": 1}}))[0] == 400
    assert (await site.update("probe", 1, {"size": '{"w":2}'}))[0] == 400
    assert site.rows("SELECT size FROM probe") == [('{"w":1}',)]
    assert (await site.update("probe", 1, {"size": None}))[0] == 200
    assert site.rows("SELECT size FROM probe") == [(None,)]
