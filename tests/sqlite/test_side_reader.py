"""A reader in a thread of its own."""

import asyncio
import threading

import apsw
import pytest

from trailbase_server.db.errors import ClosedError, DatabaseError, OverloadedError
from trailbase_server.sqlite import side_reader
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.sqlite.side_reader import SideReader

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def reader(tmp_path):
    path = tmp_path / "side.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)").fetchall()
    connection.close()
    reader = SideReader(DatabaseFiles(path), budget_s=0.2)
    yield reader
    reader.close()


def read(reader, sql):
    return reader.read(sql), threading.current_thread().name


async def test_a_function_reads_in_the_thread(reader):
    assert await reader.run(read, "SELECT a FROM t") == ([(1,)], "read-side_0")
    assert await reader.run(read, "SELECT a FROM t") == ([(1,)], "read-side_0")


async def test_a_statement_has_a_budget(reader):
    with pytest.raises(DatabaseError):
        await reader.run(read, ENDLESS)
    assert (await reader.run(read, "SELECT a FROM t"))[0] == [(1,)]


async def test_nothing_can_be_written(reader):
    with pytest.raises(DatabaseError):
        await reader.run(read, "INSERT INTO t VALUES (2)")


async def test_the_queue_is_bounded(reader, monkeypatch):
    monkeypatch.setattr(side_reader, "MAX_WAITING", 1)
    running = asyncio.ensure_future(reader.run(read, ENDLESS))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await reader.run(read, "SELECT a FROM t")
    with pytest.raises(DatabaseError):
        await running


async def test_closing_interrupts_and_ends(reader):
    reader.close()
    reader.close()
    with pytest.raises(ClosedError):
        await reader.run(read, "SELECT a FROM t")


async def test_a_file_that_was_replaced_is_read_after_reopening(reader, tmp_path):
    assert (await reader.run(read, "SELECT a FROM t"))[0] == [(1,)]
    (tmp_path / "side.db").unlink()
    connection = apsw.Connection(str(tmp_path / "side.db"))
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (2)").fetchall()
    connection.close()
    await reader.reopen()
    assert (await reader.run(read, "SELECT a FROM t"))[0] == [(2,)]


async def test_reopening_before_anybody_has_asked_does_nothing(reader):
    await reader.reopen()
    assert reader._pool is None
