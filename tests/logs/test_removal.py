"""Deleting in batches: rows by age, rows by size."""

import apsw
import pytest

from trailbase_server.logs import removal
from trailbase_server.logs.removal import Removal, remove_some


@pytest.fixture
def connection(tmp_path):
    connection = apsw.Connection(str(tmp_path / "logs.db"))
    connection.execute("CREATE TABLE _logs (id INTEGER PRIMARY KEY, created REAL, url TEXT)")
    yield connection
    connection.close()


def fill(connection, count, text="x"):
    rows = [(float(n), text) for n in range(count)]
    with connection:
        connection.executemany("INSERT INTO _logs (created, url) VALUES (?, ?)", rows)


def test_a_batch_is_bounded_and_the_last_one_empty(connection, monkeypatch):
    monkeypatch.setattr(removal, "_OLDER", removal._OLDER.replace("LIMIT 2000", "LIMIT 3"))
    fill(connection, 10)
    wanted = Removal(older_than=7.0)
    assert [remove_some(connection, wanted) for _ in range(4)] == [3, 3, 1, 0]
    assert connection.execute("SELECT min(created) FROM _logs").fetchall() == [(7.0,)]


def test_a_database_within_its_size_keeps_everything(connection):
    fill(connection, 100)
    assert remove_some(connection, Removal(larger_than=1_000_000)) == 0
    assert connection.execute("SELECT count(*) FROM _logs").fetchall() == [(100,)]


def test_one_that_is_too_large_loses_the_oldest_until_some_room_is_left(connection):
    fill(connection, 10_000, "x" * 500)
    wanted = Removal(larger_than=4_000_000)
    while (removed := remove_some(connection, wanted)) > 0:
        wanted.removed += removed
    [(left, oldest)] = connection.execute("SELECT count(*), min(created) FROM _logs").fetchall()
    assert left == 10_000 - wanted.removed
    assert oldest == float(wanted.removed)
    assert 2_500_000 < left * 500 < 3_600_000
