import asyncio

from tests.write_jobs import insert_word
from trailbase_server.sqlite import turns
from trailbase_server.sqlite.meters import ReadMeters
from trailbase_server.sqlite.open import open_connection

SLOW = (
    "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 200000) "
    "SELECT COUNT(*) FROM n"
)


def read_slowly(tx):
    return tx.read(SLOW)


async def test_writes_of_one_turn_are_one_turn(database):
    await asyncio.gather(*(database.write(insert_word, word) for word in ("ash", "elm", "oak")))
    await database.write(insert_word, "yew")
    found = database.statistics()
    assert sum(found.jobs.counts) == sum(found.turn.counts) == sum(found.commit.counts) == 2
    assert found.jobs.total == 4
    assert sum(found.write_wait.counts) == 2
    assert 0 < found.commit.total < found.turn.total
    assert (found.writes_moved, found.busy, found.failed_commits) == (0, 0, 0)
    assert (found.reads_waiting, found.writes_waiting) == (0, 0)


async def test_a_write_over_its_budget_is_counted_as_moved(database, monkeypatch):
    monkeypatch.setattr(turns, "JOB_BUDGET_S", 0.0005)
    database._turns._transaction.budget.limit_s = 0.0005
    await database.write(read_slowly)
    found = database.statistics()
    assert found.writes_moved == 1
    assert sum(found.turn.counts) == 1


async def test_a_locked_file_is_counted_as_busy(database, files):
    other = open_connection(files, "migrator")
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(database.write(insert_word, "ash"))
    await asyncio.sleep(0.05)
    other.execute("ROLLBACK")
    other.close()
    await writing
    assert database.statistics().busy == 1


async def test_a_slow_read_is_counted_where_it_ends_up(database):
    before = database.statistics()
    await database.query(SLOW)
    after = database.statistics()
    assert after.reads_moved - before.reads_moved == 1
    assert sum(after.read_run.counts) == sum(after.read_wait.counts) == 1
    assert after.read_run.total > 0


async def test_the_engine_counts_quick_reads(database):
    before = database.statistics().inline_reads
    for _ in range(5):
        database.read("SELECT word FROM item")
    assert database.statistics().inline_reads - before == 5


async def test_checkpoints_are_timed(database):
    await database.write(insert_word, "ash")
    database._checkpointer._truncate_when_idle()
    await database.write(insert_word, "elm")
    found = database.statistics()
    assert sum(found.checkpoint.counts) == 1
    assert found.failed_checkpoints == 0


async def test_files_are_told_by_name(database, files):
    assert database.files == {"main": files.path}


def test_a_read_that_was_given_up_is_not_counted():
    meters = ReadMeters()
    meters.add(1.0, [])
    meters.add(1.0, [1.5])
    assert sum(meters.run.look().counts) == 0
    meters.add(1.0, [1.5, 2.0])
    assert meters.wait.look().total == meters.run.look().total == 0.5
