from contextlib import closing

import apsw
import pytest

from trailbase_server.db.errors import BusyError, DatabaseError, DiskError
from trailbase_server.sqlite import probe
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.sqlite.probe import open_untouched, probe_database


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "main.db"
    connection = open_connection(DatabaseFiles(path), "writer")
    connection.execute("CREATE TABLE boat (id INTEGER PRIMARY KEY)")
    yield path
    connection.close()


def test_a_sound_database_stays_as_it_is(path):
    before = path.with_name("main.db-wal").read_bytes()
    probe_database(path)
    assert path.with_name("main.db-wal").read_bytes() == before


def test_a_missing_file_is_not_made(tmp_path):
    with pytest.raises(DiskError):
        probe_database(tmp_path / "gone.db")
    assert not (tmp_path / "gone.db").exists()


def test_a_file_that_is_no_database_is_found(tmp_path):
    path = tmp_path / "main.db"
    path.write_bytes(b"this is no database " * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        probe_database(path)


def test_a_lock_of_somebody_else_is_found(path, monkeypatch):
    monkeypatch.setattr(probe, "PROBE_TIMEOUT_MS", 10)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError):
        probe_database(path)
    other.execute("ROLLBACK")
    probe_database(path)
    other.close()


def test_reading_untouched_sees_what_only_the_log_has(path):
    beside = sorted(path.parent.iterdir())
    with closing(open_untouched(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").get == "boat"
        with pytest.raises(apsw.ReadOnlyError):
            connection.execute("DROP TABLE boat")
    assert sorted(path.parent.iterdir()) == beside


def test_reading_untouched_makes_nothing(tmp_path):
    path = tmp_path / "a ?#%20.db"
    connection = open_connection(DatabaseFiles(path), "writer")
    connection.execute("CREATE TABLE boat (id INTEGER PRIMARY KEY)")
    connection.close()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    with closing(open_untouched(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").get == "boat"
        assert [one.name for one in tmp_path.iterdir()] == [path.name]
    with pytest.raises(apsw.CantOpenError):
        open_untouched(tmp_path / "none.db")
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
