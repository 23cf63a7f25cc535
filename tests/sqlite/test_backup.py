"""Copies of databases in use: one point in time, checks, putting back."""

import threading
from contextlib import closing

import apsw
import pytest

from trailbase_server.db.errors import BusyError, DatabaseError, DiskError
from trailbase_server.sqlite.backup import (
    Snapshots,
    find_damage,
    find_dangling,
    open_copy,
    overwrite,
    read_page_size,
    replace,
)


def make(path, *statements, page_size=4096):
    connection = apsw.Connection(str(path))
    connection.pragma("page_size", page_size)
    connection.pragma("journal_mode", "WAL")
    for statement in ("CREATE TABLE t (n INTEGER)", *statements):
        connection.execute(statement)
    return connection


MANY = """
WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9000)
INSERT INTO t SELECT n FROM r
"""


def numbers(path):
    with closing(open_copy(path)) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]


def test_copies_show_one_point_in_time(tmp_path):
    one = make(tmp_path / "one.db", "INSERT INTO t VALUES (1)")
    two = make(tmp_path / "two.db", "INSERT INTO t VALUES (1)")
    snapshots = Snapshots({"one": tmp_path / "one.db", "two": tmp_path / "two.db"})
    snapshots.freeze()
    one.execute("INSERT INTO t VALUES (2)")
    two.execute("DELETE FROM t")
    heard = []
    for name in ("one", "two"):
        snapshots.copy(
            name, tmp_path / f"{name}.copy", lambda done, all_: heard.append(done / all_)
        )
        assert numbers(tmp_path / f"{name}.copy") == [1]
    assert heard == [1, 1]
    snapshots.close()
    snapshots.close()
    # The copy is a whole database without companions, in the mode of the original.
    assert sorted(path.name for path in tmp_path.glob("*.copy*")) == ["one.copy", "two.copy"]
    assert apsw.Connection(str(tmp_path / "one.copy")).pragma("journal_mode") == "wal"
    one.close()
    two.close()


def test_commits_over_several_files_are_in_all_copies_or_in_none(tmp_path):
    paths = {name: tmp_path / f"{name}.db" for name in ("one", "two", "three")}
    for path in paths.values():
        make(path).close()
    stop = threading.Event()

    def write():
        with closing(apsw.Connection(str(paths["one"]))) as connection:
            connection.set_busy_timeout(10_000)
            for name in ("two", "three"):
                connection.execute(f"ATTACH '{paths[name]}' AS {name}")
            number = 0
            while not stop.is_set():
                number += 1
                connection.execute("BEGIN IMMEDIATE")
                for schema in ("main", "two", "three"):
                    connection.execute(f"INSERT INTO {schema}.t VALUES ({number})")
                connection.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for turn in range(8):
            snapshots = Snapshots(paths)
            snapshots.freeze()
            copies = [tmp_path / f"{name}{turn}" for name in paths]
            for name, copy in zip(paths, copies, strict=True):
                snapshots.copy(name, copy)
            snapshots.close()
            assert numbers(copies[0]) == numbers(copies[1]) == numbers(copies[2])
    finally:
        stop.set()
        thread.join()


def test_a_writer_elsewhere_that_does_not_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("trailbase_server.sqlite.backup.GUARD_TIMEOUT_S", 0.02)
    writer = make(tmp_path / "one.db")
    writer.execute("BEGIN IMMEDIATE")
    snapshots = Snapshots({"one": tmp_path / "one.db"})
    with pytest.raises(BusyError):
        snapshots.freeze()
    writer.execute("COMMIT")
    snapshots.freeze()
    snapshots.close()
    writer.close()


def test_what_is_no_database_cannot_be_copied(tmp_path):
    (tmp_path / "one.db").write_text("text" * 100)
    snapshots = Snapshots({"one": tmp_path / "one.db"})
    with pytest.raises(DatabaseError):
        snapshots.freeze()
    snapshots.close()
    with pytest.raises(DiskError):
        Snapshots({"one": tmp_path / "nowhere.db"})


def test_putting_back_under_open_connections(tmp_path):
    live = make(tmp_path / "live.db", "INSERT INTO t VALUES (1)")
    reader = apsw.Connection(str(tmp_path / "live.db"))
    snapshots = Snapshots({"live": tmp_path / "live.db"})
    snapshots.freeze()
    snapshots.copy("live", tmp_path / "copy")
    snapshots.close()
    live.execute("ALTER TABLE t ADD COLUMN more")
    live.execute("INSERT INTO t VALUES (2, 2)")
    reader.execute("BEGIN")
    assert len(reader.execute("SELECT n, more FROM t").fetchall()) == 2
    overwrite(tmp_path / "copy", tmp_path / "live.db")
    # Whoever is reading goes on in the old database.
    assert len(reader.execute("SELECT n, more FROM t").fetchall()) == 2
    reader.execute("COMMIT")
    assert live.execute("SELECT * FROM t").fetchall() == [(1,)]
    assert reader.execute("SELECT * FROM t").fetchall() == [(1,)]
    live.execute("INSERT INTO t VALUES (3)")
    assert reader.execute("SELECT * FROM t").fetchall() == [(1,), (3,)]
    live.close()
    reader.close()
    assert find_damage(tmp_path / "live.db") == []


def test_putting_back_into_nothing_and_over_anything(tmp_path):
    make(tmp_path / "copy", "INSERT INTO t VALUES (1)").close()
    overwrite(tmp_path / "copy", tmp_path / "new.db")
    assert numbers(tmp_path / "new.db") == [1]
    make(tmp_path / "other.db", page_size=8192).close()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"x" * 8192)
    for target in (tmp_path / "other.db", broken):
        with pytest.raises(DatabaseError):
            overwrite(tmp_path / "copy", target)
    broken.with_name("broken.db-wal").write_bytes(b"old")
    replace(tmp_path / "copy", broken)
    assert numbers(broken) == [1]
    assert not broken.with_name("broken.db-wal").exists()


def test_damage_is_found(tmp_path):
    whole = tmp_path / "whole.db"
    make(whole, MANY).close()
    assert find_damage(whole) == []
    assert read_page_size(whole) == 4096
    data = whole.read_bytes()
    for name, broken in {
        "short": data[:-4096],
        "empty": b"",
        "text": b"text" * 200,
        "scratched": data[:8192] + b"\xff" * 4096 + data[12288:],
    }.items():
        path = tmp_path / name
        path.write_bytes(broken)
        assert find_damage(path) != [], name
    assert read_page_size(tmp_path / "text") is None


def test_checks_of_values_are_no_damage_and_dangling_keys_are_told(tmp_path):
    path = tmp_path / "one.db"
    make(path).close()
    with closing(apsw.Connection(str(path))) as connection:
        connection.create_scalar_function("odd", lambda n: True)
        connection.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE c (p INTEGER REFERENCES p, n INTEGER CHECK (odd(n)))")
        connection.execute("INSERT INTO c VALUES (1, 2), (2, 2)")

    def prepare(connection):
        connection.create_scalar_function("odd", lambda n: False)

    assert find_damage(path, prepare) == []
    assert find_dangling(path, prepare) == ["2 rows of c refer to rows of p that are gone"]
    assert find_dangling(tmp_path / "nowhere.db")[0].startswith("foreign keys cannot be checked")
