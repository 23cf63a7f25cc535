"""Batches: shape, all or nothing, one by one."""

import pytest

from tests.records.writing import JSON, open_site
from trailbase_server.errors import BadRequestError, UnprocessableError
from trailbase_server.records.transaction import (
    MAX_OPERATIONS,
    Operation,
    execute_transaction,
    parse_batch,
)


@pytest.fixture
async def site(tmp_path):
    async with open_site(tmp_path) as site:
        yield site


def op(kind, api, record=None, value=None):
    fields = {"api_name": api}
    if record is not None:
        fields["record_id"] = record
    if value is not None:
        fields["value"] = value
    return {kind: fields}


GOOD = op("Create", "locker", value={"code": "good"})


def test_a_batch_is_read():
    batch = parse_batch(
        {"operations": [op("Update", "t", "1", {"a": 1}), op("Delete", "t", "x")], "more": 1}
    )
    assert batch.operations == (
        Operation("Update", "t", "1", {"a": 1}),
        Operation("Delete", "t", "x", None),
    )
    assert not batch.is_atomic
    assert parse_batch({"operations": [], "transaction": True}).is_atomic
    assert not parse_batch({"operations": [], "transaction": None}).is_atomic


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        {"transaction": True},
        {"operations": {}},
        {"operations": [], "transaction": 1},
        {"operations": [5]},
        {"operations": ["Create"]},
        {"operations": [{}]},
        {"operations": [{"Upsert": {"api_name": "t", "value": {}}}]},
        {"operations": [{"create": {"api_name": "t", "value": {}}}]},
        {"operations": [{"Create": []}]},
        {"operations": [{"Create": {"api_name": "t"}}]},
        {"operations": [{"Create": {"value": {}}}]},
        {"operations": [{"Update": {"api_name": "t", "value": {}}}]},
        {"operations": [{"Delete": {"api_name": "t", "record_id": 1}}]},
    ],
)
def test_another_shape_is_refused(body):
    with pytest.raises(UnprocessableError):
        parse_batch(body)


@pytest.mark.case("T-33")
def test_two_kinds_in_one_entry_and_too_many_entries_are_refused():
    with pytest.raises(BadRequestError):
        parse_batch({"operations": [{**GOOD, **op("Delete", "t", "1")}]})
    parse_batch({"operations": [GOOD] * MAX_OPERATIONS})
    with pytest.raises(BadRequestError, match="Batch size exceeds limit: 128"):
        parse_batch({"operations": [GOOD] * (MAX_OPERATIONS + 1)})


@pytest.mark.parametrize(
    ("content_type", "status"),
    [(JSON, 200), (b"application/problem+json", 200), (b"text/plain", 415), (None, 415)],
)
async def test_only_json_is_taken(site, content_type, status):
    body = b'{"operations": []}'
    got = await site.call(execute_transaction, {}, body, content_type=content_type)
    assert got[0] == status


@pytest.mark.parametrize("transaction", [True, False])
async def test_operations_see_the_ones_before_them(site, transaction):
    operations = [
        op("Create", "locker", value={"id": 70, "code": "a"}),
        op("Update", "locker", "070", {"memo": "same batch"}),
        op("Create", "locker", value={"code": "b"}),
        op("Delete", "locker", "71"),
        op("Update", "diary_fields", "2", {"likes": 5}),
        op("Update", "diary_fields", "2", {"likes": 6}),
        op("Create", "shift", value={}),
    ]
    status, answer = await site.batch(operations, site.rosa, transaction)
    assert status == 200
    ids = ["70", "070", "71", "71", "2", "2", "1"]
    assert answer == {"results": [{"Id": key} for key in ids]}
    assert site.rows("SELECT id, memo FROM locker WHERE id > 2") == [(70, "same batch")]
    assert site.rows("SELECT likes FROM diary WHERE id = 2") == [(6,)]
    assert site.rows("SELECT worker FROM shift") == [(site.rosa,)]


@pytest.mark.case("T-33")
@pytest.mark.parametrize(
    ("bad", "status", "text"),
    [
        (op("Create", "locker", value={"code": "L-1"}), 400, "db constraint: unique"),
        (op("Create", "locker", value={"code": 5}), 400, "Invalid Parameters"),
        (op("Create", "locker", value=[1]), 400, "Expected single record"),
        (op("Create", "probe", value={"photo": {"data": "AA"}}), 400, "Invalid Parameters"),
        (op("Update", "locker", "404", {"memo": "x"}), 404, ""),
        (op("Delete", "locker", "404"), 404, ""),
        (op("Delete", "locker", "abc"), 400, "Invalid id"),
        (op("Update", "diary_fields", "1", {"likes": 1}), 403, ""),
        (op("Delete", "diary_shut", "1"), 403, ""),
        (op("Create", "nothing", value={}), 405, ""),
        (op("Create", "view", value={}), 405, ""),
    ],
)
async def test_a_failure_undoes_an_atomic_batch_and_is_reported_in_any_other(
    site, bad, status, text
):
    after = op("Create", "locker", value={"code": "after"})
    for operations in ([GOOD, bad, after], [bad, GOOD]):
        assert await site.batch(operations) == (status, text)
        assert site.rows("SELECT id FROM locker WHERE id > 2") == []
    phrase = {403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}.get(status, text)
    assert await site.batch([GOOD, bad, after], transaction=False) == (
        200,
        {"results": [{"Id": "3"}, {"Error": phrase}, {"Id": "4"}]},
    )


@pytest.mark.parametrize("transaction", [True, False])
async def test_a_swallowed_insert_is_an_error_of_its_own(site, transaction):
    operations = [op("Create", "ignore", value={"id": 1, "code": "x"}), GOOD]
    assert await site.batch(operations, transaction=transaction) == (
        200,
        {"results": [{"Error": "QueryReturnedNoRows"}, {"Id": "3"}]},
    )


async def test_nothing_to_do_is_fine(site):
    assert await site.batch([]) == (200, {"results": []})
    assert await site.batch([], transaction=False) == (200, {"results": []})
