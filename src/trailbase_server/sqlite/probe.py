"""
Ask a database file whether it can be read and written now, on a connection of its own.

Nothing is changed: the write lock is taken and given back. A fresh connection finds what those that
are open do not see: a file that was taken away, put back read-only or overwritten.
"""

from contextlib import closing
from pathlib import Path

import apsw

from trailbase_server.db.errors import DiskError
from trailbase_server.sqlite.errors import translate_error

PROBE_TIMEOUT_MS = 1_000  # for the write lock; a turn holds it for some milliseconds


def probe_database(path: Path) -> None:
    """
    Read the head of a database file and take its write lock; blocks.

    Args:
        path: A file that should be there.

    Raises:
        DiskError: It is gone, read-only, or the disk fails.
        BusyError: Somebody holds its lock.
        DatabaseError: It is no database.
    """
    try:
        with closing(open_existing(path)) as connection:
            connection.set_busy_timeout(PROBE_TIMEOUT_MS)
            connection.execute("PRAGMA schema_version").fetchall()
            if connection.readonly("main"):
                raise DiskError(detail="the file is read-only")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except apsw.Error as exc:
        raise translate_error(exc) from exc


def open_existing(path: Path) -> apsw.Connection:
    """
    Open a file as it is: nothing is set, no function registered, and none is made.

    Raises:
        apsw.Error: There is none, or it cannot be opened.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX  # and not CREATE
    return apsw.Connection(str(path), flags=flags, statementcachesize=0)


def open_untouched(path: Path) -> apsw.Connection:
    """
    Open a file for reading so that nothing beside it is made or changed.

    What is in a write-ahead log is seen where there is one; without one the file is whole, and it
    is read as if nobody could change it meanwhile.

    Raises:
        apsw.Error: There is none, or it cannot be opened.
    """
    log_file = path.with_name(path.name + "-wal")
    has_log = log_file.exists() and log_file.stat().st_size > 0
    how = "mode=ro" if has_log else "mode=ro&immutable=1"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX
    return apsw.Connection(f"{path.absolute().as_uri()}?{how}", flags=flags, statementcachesize=0)
