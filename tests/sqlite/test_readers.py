import asyncio

import pytest

from tests.write_jobs import ENDLESS, insert_word, words_of
from trailbase_server.db.errors import (
    ClosedError,
    DatabaseError,
    OverBudgetError,
    OverloadedError,
    RejectedError,
)
from trailbase_server.sqlite import readers
from trailbase_server.sqlite.database import SqliteDatabase

SLOW = ENDLESS.format(1_000_000)


async def test_a_quick_read_runs_inline(database):
    assert database.read("SELECT ?1 + 1", (41,)) == [(42,)]


@pytest.mark.case("T-86")
async def test_a_slow_read_is_stopped_on_the_loop_and_finished_on_the_pool(database):
    with pytest.raises(OverBudgetError):
        database.read(SLOW)
    assert await database.query(SLOW) == [(1_000_000,)]


async def test_a_statement_that_is_slow_again_and_again_goes_straight_to_the_pool(database):
    for _ in range(readers.STRIKES):
        with pytest.raises(OverBudgetError):
            database.read(SLOW)
    assert database._readers._is_known_slow(SLOW)
    assert not database._readers._is_known_slow("SELECT 1")


async def test_a_penalty_ends(database, monkeypatch):
    monkeypatch.setattr(readers, "PENALTY_S", 0.0)
    for _ in range(readers.STRIKES):
        with pytest.raises(OverBudgetError):
            database.read(SLOW)
    assert not database._readers._is_known_slow(SLOW)


async def test_the_loop_goes_on_while_a_slow_read_runs(database):
    reading = asyncio.ensure_future(database.query(ENDLESS.format(3_000_000)))
    beats = 0
    while not reading.done():
        await asyncio.sleep(0.001)
        beats += 1
    assert beats > 5


async def test_a_whole_function_can_be_repeated_on_the_pool(database):
    await database.write(insert_word, "oak")
    assert await database.on_pool(words_of, database) == ["oak"]


@pytest.mark.case("T-85")
async def test_the_pool_has_a_bounded_queue(database, monkeypatch):
    monkeypatch.setattr(readers, "MAX_WAITING", 1)
    first = asyncio.ensure_future(database.query(SLOW))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await database.on_pool(words_of, database)
    await first


@pytest.mark.case("T-86")
async def test_a_read_that_never_ends_is_stopped_on_the_pool_too(database, monkeypatch):
    monkeypatch.setattr(readers, "POOL_BUDGET_S", 0.05)
    with pytest.raises(DatabaseError):
        await database.query(ENDLESS.format(10**9))


async def test_a_reader_cannot_write(database):
    with pytest.raises(DatabaseError):
        database.read("DELETE FROM item")


async def test_a_failing_function_is_the_values_fault_and_bad_sql_is_ours(database):
    with pytest.raises(RejectedError):
        database.read("SELECT json_extract(?1, '$.a')", ("no json",))
    with pytest.raises(DatabaseError) as caught:
        database.read("SELECT nonsense")
    assert type(caught.value) is DatabaseError


async def test_prepare_error_tells_why_a_statement_does_not_compile(database):
    assert database.prepare_error("SELECT ?1, word FROM item") is None
    assert "no such column" in database.prepare_error("SELECT colour FROM item")


async def test_after_closing_nothing_is_read(files):
    database = SqliteDatabase(files)
    await database.query(SLOW)
    await database.close()
    with pytest.raises(DatabaseError):
        database.read("SELECT 1")
    with pytest.raises(ClosedError):
        await database.on_pool(words_of, database)
