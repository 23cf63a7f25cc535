import apsw
import pytest

from trailbase_server.db.errors import BusyError, DatabaseError, DiskError
from trailbase_server.sqlite import probe
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.sqlite.probe import probe_database


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
