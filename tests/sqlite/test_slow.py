"""What is told about slow statements, and what never is."""

import logging

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.clock import FrozenClock
from trailbase_server.db.base import single_statement
from trailbase_server.sqlite import slow
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.sqlite.slow import MAX_SQL_CHARS, PAUSE_S, SlowQueries, without_literals

COUNTING = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) "
    "SELECT max(i) FROM n WHERE ?1 <> 'nothing'"
)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def queries(clock):
    return SlowQueries(0.005, clock)


@pytest.fixture
async def database(tmp_path, queries):
    database = SqliteDatabase(DatabaseFiles(tmp_path / "main.db", slow=queries))
    yield database
    await database.close()


async def test_a_slow_read_is_told_with_its_text_and_without_values(database, caplog):
    await database.query(COUNTING, ("secret",))
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("trailbase_server.slow_query", logging.WARNING)
    assert record.where == "main: read"
    assert record.duration_ms >= 5
    assert "SELECT max ( i ) FROM n WHERE ?1 <> ?" in record.sql
    assert "secret" not in caplog.text
    assert "nothing" not in caplog.text


@single_statement
def slow_write(tx, value):
    tx.run("CREATE TABLE IF NOT EXISTS t (a)")
    return tx.read(COUNTING, (value,))


async def test_a_slow_write_is_told(database, caplog):
    await database.write(slow_write, "secret")
    (record,) = [one for one in caplog.records if one.sql != "COMMIT"]
    assert record.where == "main: write"
    assert "secret" not in caplog.text


async def test_what_is_quick_is_not_told(database, caplog):
    await database.query("SELECT 1")
    await database.on_pool(database.read, "SELECT 1")
    assert caplog.records == []


async def test_a_slow_commit_is_told(database, queries, caplog):
    queries.threshold_s = 0.0
    database._turns._slow_commit_s = 0.0
    await database.write(quick_write)
    assert [record.where for record in caplog.records] == ["main: commit"]


@single_statement
def quick_write(tx):
    tx.run("CREATE TABLE t (a)")


def test_one_statement_is_told_now_and_then(queries, clock, caplog):
    for _ in range(5):
        queries.note("SELECT 1", 1.0, "main: read")
    queries.note("SELECT 2", 1.0, "main: read")
    clock.advance(PAUSE_S)
    queries.note("SELECT 1", 1.0, "main: read")
    assert len(caplog.records) == 3
    assert "4 times more" in caplog.records[-1].getMessage()


def test_few_statements_are_remembered(queries, caplog):
    for number in range(slow.MAX_STATEMENTS * 2):
        queries.note(f"SELECT a{number}", 1.0, "main: read")
    assert len(queries._told) <= slow.MAX_STATEMENTS


def test_measuring_ends(queries, caplog):
    queries.threshold_s = 0.0
    connection = apsw.Connection(":memory:")
    queries.watch(connection, "main: read")
    connection.execute("SELECT 1").fetchall()
    queries.unwatch(connection)
    connection.execute("SELECT 2").fetchall()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        (
            "SELECT a\n FROM t -- why\nWHERE b = 'x''y' AND c > 1.5e3",
            "SELECT a FROM t WHERE b = ? AND c > ?",
        ),
        ("SELECT x'00ff', \"a b\", ?1", 'SELECT ? , "a b" , ?1'),
        ("SELECT 'unterminated", "SELECT …"),
    ],
)
def test_literals_are_left_out(sql, shown):
    assert without_literals(sql) == shown


@given(st.text())
def test_no_literal_survives(text):
    value = "geheim" + text.replace("'", "''").replace("\0", "")
    assert "geheim" not in without_literals(f"SELECT '{value}'")


def test_a_long_statement_is_cut():
    assert len(without_literals("SELECT " + "a, " * 10_000 + "a")) <= MAX_SQL_CHARS + 1
