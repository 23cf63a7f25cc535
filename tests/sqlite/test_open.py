import threading

import apsw
import pytest

from trailbase_server.db.errors import DatabaseError
from trailbase_server.sqlite.open import MAX_LIKE_BYTES, DatabaseFiles, open_connection


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("temp_store", 2),
    ],
)
def test_every_connection_has_the_settings_of_the_specification(files, pragma, value):
    connection = open_connection(files, "writer")
    assert connection.execute(f"PRAGMA {pragma}").get == value
    connection.close()


def test_like_minds_case(files):
    connection = open_connection(files, "reader")
    assert connection.execute("SELECT 'FoO' LIKE '%foo%', 'foo' LIKE 'f%'").get == (0, 1)
    connection.close()


@pytest.mark.case("T-42")
def test_a_pattern_that_would_take_forever_is_refused(files):
    connection = open_connection(files, "reader")
    assert connection.execute("SELECT 'a' LIKE ?1", ("%" * MAX_LIKE_BYTES,)).fetchall() == [(1,)]
    with pytest.raises(apsw.Error, match="too complex"):
        connection.execute("SELECT 'a' LIKE ?1", ("%" * (MAX_LIKE_BYTES + 1),)).fetchall()
    connection.close()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "main.db"
    path.write_bytes(b"this is no database, but it is long enough to look like one" * 100)
    with pytest.raises(DatabaseError):
        open_connection(DatabaseFiles(path), "writer")


def test_databases_with_odd_names_are_attached(tmp_path):
    files = DatabaseFiles(tmp_path / "main.db", {"2-fast": tmp_path / "it's.db"})
    connection = open_connection(files, "writer")
    connection.execute('CREATE TABLE "2-fast".t (id INTEGER PRIMARY KEY) STRICT').fetchall()
    assert (tmp_path / "it's.db").exists()
    connection.close()


def test_a_new_file_can_be_opened_by_several_at_once(tmp_path):
    failures = []

    def start(path):
        try:
            open_connection(DatabaseFiles(path), "migrator").close()
        except DatabaseError as exc:
            failures.append(exc)

    for number in range(10):
        path = tmp_path / f"{number}.db"
        threads = [threading.Thread(target=start, args=(path,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


@pytest.mark.parametrize("keeps_log", [False, True])
def test_the_log_goes_with_the_last_connection_unless_somebody_needs_it(tmp_path, keeps_log):
    files = DatabaseFiles(tmp_path / "main.db", keeps_log=keeps_log)
    connection = open_connection(files, "writer")
    connection.execute("CREATE TABLE t (a)").fetchall()
    connection.close()
    assert (tmp_path / "main.db-wal").exists() == keeps_log
    connection = open_connection(files, "reader")
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
    connection.close()
