"""Prepared writes: which statement is chosen, and that the caches of them are bounded."""

import pickle
from itertools import permutations

import pytest

from tests.records.writing import open_site
from trailbase_server.errors import BadRequestError, ForbiddenError, NotFoundError
from trailbase_server.records.writes import (
    MAX_STATEMENTS,
    prepare_create,
    prepare_delete,
    prepare_update,
    run_batch,
    run_bulk,
    run_write,
)


@pytest.fixture
async def site(tmp_path):
    async with open_site(tmp_path) as site:
        yield site


def create(site, name, record):
    return prepare_create(site.state.api(name), record, site.state.registry, None)


def update(site, name, key, record):
    return prepare_update(site.state.api(name), key, record, site.state.registry, None)


def test_statements_bind_by_position_and_name_quoted_columns(site):
    write = create(site, "odd", {"a_b": "1", 'sel"ect': "2", "a-b": "3"})
    assert write.sql == (
        'INSERT INTO "main"."odd-names" ("a_b", "sel""ect", "a-b") VALUES (?1, ?2, ?3)'
    )
    assert list(write.params) == ["1", "2", "3"]
    write = update(site, "odd", 7, {"a_b": "1", 'sel"ect': "2", "id": 7})
    assert write.sql == (
        'UPDATE "main"."odd-names" AS _ROW_ SET "a_b" = ?2, "sel""ect" = ?3 '
        'WHERE _ROW_."id" = ?1 RETURNING 1'
    )
    assert list(write.params) == [7, "1", "2"]


def test_equal_sets_of_columns_share_a_text_and_the_cache_is_bounded(site):
    api = site.state.api("locker")
    assert (
        update(site, "locker", 1, {"code": "a"}).sql is update(site, "locker", 1, {"code": "b"}).sql
    )
    assert update(site, "locker", 1, {"code": "a"}).sql != create(site, "locker", {"code": "a"}).sql
    for names in permutations(("t", "_h", "word", "i", "r", "b")):
        update(site, "probe", 1, dict.fromkeys(names))
        assert len(site.state.api("probe").statements) <= MAX_STATEMENTS
    assert len(api.statements) == 1


def test_a_write_is_plain_data(site):
    for write in (
        create(site, "diary_fields", {"text": "x"}),
        update(site, "diary_fields", 1, {"likes": 9}),
        prepare_delete(site.state.api("diary_fields"), 1, None),
    ):
        assert write.rule_sql is not None
        assert pickle.loads(pickle.dumps(write)) == write


def test_refusals_without_the_database(site):
    with pytest.raises(ForbiddenError):
        create(site, "diary_shut", {"text": 5})
    with pytest.raises(BadRequestError, match="invalid params"):
        create(site, "diary_fields", {"text": 5})
    with pytest.raises(BadRequestError, match="Invalid Parameters"):
        create(site, "locker", {"code": 5})
    with pytest.raises(BadRequestError, match="Invalid Parameters"):
        update(site, "locker", 1, {"id": 2})


@pytest.mark.case("T-25")
async def test_a_write_checks_its_rule_and_then_changes(site):
    write = site.database.write
    with pytest.raises(ForbiddenError):
        await write(run_write, create(site, "diary_fields", {"text": "x", "likes": 1}))
    assert await write(run_write, create(site, "diary_fields", {"text": "x"})) == [(3,)]
    with pytest.raises(NotFoundError):
        await write(run_write, update(site, "locker", 404, {"memo": "x"}))
    assert await write(run_write, update(site, "locker", 1, {})) == [(1,)]
    assert await write(run_write, create(site, "ignore", {"id": 1, "code": "z"})) == []


async def test_bulk_checks_all_rules_first_and_a_batch_one_by_one(site):
    api = site.state.api("diary_fields")
    writes = [
        update(site, "diary_fields", 2, {"likes": 5}),
        update(site, "diary_fields", 2, {"likes": 4}),
    ]
    with pytest.raises(ForbiddenError):
        await site.database.write(run_batch, writes)
    assert site.rows("SELECT likes FROM diary WHERE id = 2") == [(1,)]
    assert await site.database.write(run_bulk, writes) == [[(1,)], [(1,)]]
    assert site.rows("SELECT likes FROM diary WHERE id = 2") == [(4,)]
    assert await site.database.write(run_batch, [prepare_delete(api, 2, None)]) == [[(1,)]]
