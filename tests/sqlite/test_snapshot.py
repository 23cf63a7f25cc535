import asyncio

import apsw
import pytest

from tests.write_jobs import ENDLESS, insert_slowly, insert_word, words_of
from trailbase_server.db.errors import OverBudgetError, RejectedError
from trailbase_server.sqlite import checkpoint, readers, snapshot
from trailbase_server.sqlite.snapshot import SnapshotConnection

WORDS = "SELECT word FROM item ORDER BY id"


@pytest.fixture(autouse=True)
def _dense(monkeypatch):
    """However slow the machine is, a read is close to the one before, and quick enough."""
    monkeypatch.setattr(snapshot, "DENSE_S", 60.0)
    monkeypatch.setattr(readers, "INLINE_BUDGET_S", 60.0)


@pytest.fixture
def other(files):
    """Another process, as far as locks are concerned."""
    connection = apsw.Connection(str(files.path))
    yield connection
    connection.close()


@pytest.fixture
def reader(files):
    reader = SnapshotConnection(files, 1.0)
    yield reader
    reader.close()


def in_transaction(database):
    return database._readers._inline.connection.in_transaction


async def next_turn():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_reads_of_one_turn_share_a_snapshot_and_those_of_the_next_see_what_is_new(
    reader, other
):
    assert reader.read(WORDS, ()) == []
    assert reader.read(WORDS, ()) == []
    other.execute("INSERT INTO item (word) VALUES ('oak')")
    assert reader.read(WORDS, ()) == []
    await next_turn()
    assert not reader.connection.in_transaction
    assert reader.read(WORDS, ()) == [("oak",)]


async def test_a_read_that_is_alone_begins_no_transaction(reader, monkeypatch):
    monkeypatch.setattr(snapshot, "DENSE_S", 0.0)
    for _ in range(3):
        reader.read(WORDS, ())
        assert not reader.connection.in_transaction


def test_without_an_event_loop_there_are_no_turns_and_no_transactions(reader):
    for _ in range(3):
        reader.read(WORDS, ())
        assert not reader.connection.in_transaction


async def test_an_error_ends_neither_the_transaction_nor_the_reader(reader):
    reader.read(WORDS, ())
    with pytest.raises(RejectedError):
        reader.read("SELECT abs(-9223372036854775808)", ())
    with pytest.raises(OverBudgetError):
        reader.read(ENDLESS.format(10**9), ())
    assert reader.read(WORDS, ()) == []
    await next_turn()
    assert not reader.connection.in_transaction


async def test_who_is_answered_finds_what_was_written_at_once(database):
    seen = []
    job = database._submit(insert_word, ("oak",), {})
    words_of(database)
    words_of(database)
    assert in_transaction(database)  # which lasts until after the writer's turn
    job.add_done_callback(lambda _: seen.append(words_of(database)))
    await job
    assert seen == [["oak"]]


async def test_while_the_thread_writes_every_read_is_on_its_own(database):
    writing = asyncio.ensure_future(database.write(insert_slowly, "oak", 3_000_000))
    turns = 0
    while not writing.done():
        words_of(database)
        words_of(database)
        if database._turns._away:
            turns += 1
            assert not in_transaction(database)
        await asyncio.sleep(0)
    assert turns
    assert words_of(database) == ["oak"]
    words_of(database)
    assert in_transaction(database)


async def test_the_log_starts_anew_however_much_is_read(database, files, monkeypatch):
    monkeypatch.setattr(checkpoint, "LONG_PAGES", 20)
    for number in range(200):
        await database.write(insert_word, f"{number:0500}")
        for _ in range(5):
            words_of(database)
            await asyncio.sleep(0)
    log = files.path.with_name("main.db-wal")
    assert log.stat().st_size < 100 * 4096  # without: about 1,000 pages


async def test_closing_ends_the_transaction(files):
    reader = SnapshotConnection(files, 1.0)
    reader.read(WORDS, ())
    reader.read(WORDS, ())
    reader.close()
    await next_turn()
