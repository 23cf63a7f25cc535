import asyncio

import apsw
import pytest

from tests.write_jobs import (
    delete_all,
    fail,
    insert_child,
    insert_or_roll_back,
    insert_slowly,
    insert_two,
    insert_word,
    words_of,
)
from trailbase_server.db.errors import ClosedError, ConstraintError, DatabaseError, OverloadedError
from trailbase_server.sqlite import turns
from trailbase_server.sqlite.database import SqliteDatabase


async def outcomes(*awaitables):
    return await asyncio.gather(*awaitables, return_exceptions=True)


async def test_a_write_returns_what_its_job_returned_and_can_be_read(database):
    assert await database.write(insert_word, "oak") == 1
    assert words_of(database) == ["oak"]


async def test_an_insert_says_which_row_it_inserted_if_any(database):
    def insert(tx, word):
        return tx.insert("INSERT INTO item (word) VALUES (?1) ON CONFLICT DO NOTHING", (word,))

    assert await database.write(insert, "oak") == 1
    assert await database.write(insert, "oak") is None
    assert await database.write(insert, "elm") == 2
    with pytest.raises(ConstraintError, match="not null"):
        await database.write(insert, None)


async def test_jobs_that_are_queued_together_share_one_transaction(database):
    commits = []
    database._turns.connection.set_commit_hook(lambda: bool(commits.append(1)))
    await outcomes(*(database.write(insert_word, f"w{n}") for n in range(50)))

    assert len(words_of(database)) == 50
    assert len(commits) == 1


@pytest.mark.case("T-87")
async def test_a_failing_job_takes_nobody_down(database):
    results = await outcomes(
        database.write(insert_word, "ash"),
        database.write(insert_word, "ash"),
        database.write(insert_word, "elm"),
    )

    assert results[0] == 1
    assert isinstance(results[1], ConstraintError)
    assert results[1].public == "db constraint: unique"
    assert words_of(database) == ["ash", "elm"]


async def test_a_job_of_several_statements_is_undone_as_a_whole(database):
    results = await outcomes(
        database.write(insert_two, "fir", "fir"), database.write(insert_two, "yew", "box")
    )

    assert isinstance(results[0], ConstraintError)
    assert words_of(database) == ["yew", "box"]


async def test_a_bug_in_a_job_reaches_its_caller_and_leaves_no_rows(database):
    results = await outcomes(database.write(fail), database.write(insert_word, "oak"))

    assert isinstance(results[0], KeyError)
    assert words_of(database) == ["oak"]


async def test_a_slow_job_runs_again_in_the_thread_and_the_others_follow(database):
    results = await outcomes(
        database.write(insert_word, "a"),
        database.write(insert_slowly, "slow"),
        database.write(insert_word, "b"),
    )

    assert results[1] == 200_000
    assert sorted(words_of(database)) == ["a", "b", "slow"]


async def test_the_loop_goes_on_while_a_slow_job_runs(database):
    slow = asyncio.ensure_future(database.write(insert_slowly, "slow", 3_000_000))
    beats = 0
    while not slow.done():
        await asyncio.sleep(0.001)
        beats += 1

    assert beats > 5


async def test_a_job_that_never_ends_is_refused(database, monkeypatch):
    monkeypatch.setattr(turns, "THREAD_BUDGET_S", 0.05)
    results = await outcomes(
        database.write(insert_slowly, "endless", 10**9), database.write(insert_word, "oak")
    )

    assert isinstance(results[0], DatabaseError)
    assert words_of(database) == ["oak"]


async def test_a_statement_that_rolls_everything_back_hurts_only_its_own_job(database):
    await database.write(insert_word, "oak")
    results = await outcomes(
        database.write(insert_word, "ash"),
        database.write(insert_or_roll_back, "oak"),
        database.write(insert_word, "elm"),
    )

    assert isinstance(results[1], ConstraintError)
    assert sorted(words_of(database)) == ["ash", "elm", "oak"]


async def test_a_constraint_that_is_checked_at_commit_fails_the_one_who_broke_it(database):
    results = await outcomes(
        database.write(insert_word, "oak"),
        database.write(insert_child, 77),
        database.write(insert_word, "ash"),
    )

    assert isinstance(results[1], ConstraintError)
    assert results[1].kind == "fk"
    assert words_of(database) == ["oak", "ash"]
    assert database.read("SELECT COUNT(*) FROM child") == [(0,)]


async def test_a_lock_of_another_process_is_waited_for_off_the_loop(database, files):
    other = apsw.Connection(str(files.path))
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(database.write(insert_word, "oak"))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not writing.done()
    other.execute("COMMIT")

    assert await writing == 1
    other.close()


async def test_commits_move_to_the_thread_when_the_disk_is_slow(database):
    database._turns._commit_s = 1.0
    assert await database.write(insert_word, "oak") == 1
    assert database._turns._thread is not None


async def test_a_failed_commit_fails_every_job_and_nothing_is_written(database):
    database._turns.connection.set_commit_hook(lambda: True)
    results = await outcomes(database.write(insert_word, "a"), database.write(insert_word, "b"))
    database._turns.connection.set_commit_hook(None)

    assert all(isinstance(result, DatabaseError) for result in results)
    assert words_of(database) == []
    assert await database.write(insert_word, "c") == 1


async def test_a_full_queue_refuses(database, monkeypatch):
    monkeypatch.setattr(turns, "MAX_WAITING", 2)
    results = await outcomes(*(database.write(insert_word, f"w{n}") for n in range(4)))

    assert [type(result) for result in results[2:]] == [OverloadedError, OverloadedError]
    assert len(words_of(database)) == 2


async def test_a_cancelled_writer_does_not_stop_the_turn(database):
    writing = asyncio.ensure_future(database.write(insert_word, "gone"))
    await asyncio.sleep(0)
    writing.cancel()
    assert await database.write(insert_word, "oak")
    assert "oak" in words_of(database)


async def test_closing_finishes_what_is_queued(files):
    database = SqliteDatabase(files)
    writing = [asyncio.ensure_future(database.write(insert_word, f"w{n}")) for n in range(5)]
    await asyncio.sleep(0)
    await database.close()
    await database.close()

    assert [await one for one in writing] == [1, 2, 3, 4, 5]
    with pytest.raises(ClosedError):
        await database.write(insert_word, "late")


async def test_what_is_acknowledged_is_synced_by_default(database):
    assert database._turns.connection.execute("PRAGMA synchronous").get == 2


async def test_delete_without_where_reports_the_number_of_rows(database):
    await database.write(insert_two, "a", "b")
    assert await database.write(delete_all) == 2


async def test_what_stands_between_jobs_is_not_their_time(database, monkeypatch):
    # Whoever is looked at is over: on a busy machine time passes between any two steps. The engine
    # looks every so many steps of a statement, over all its runs.
    monkeypatch.setattr(turns, "JOB_BUDGET_S", -1.0)
    database._turns._transaction.budget.limit_s = -1.0
    answers = await asyncio.gather(*(database.write(look) for _ in range(1500)))
    assert answers == [[(1,)]] * 1500


def look(tx):
    return tx.read("SELECT 1")
