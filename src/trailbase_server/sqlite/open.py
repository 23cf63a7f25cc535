"""
Open one SQLite connection with every setting the server relies on, each with its reason.

Pragmas in the order of spec sqlite/3.2. Functions come first: a schema may call them as soon as it
is read.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import apsw

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.db.dialect import quote
from trailbase_server.sqlite.errors import translate_error
from trailbase_server.sqlite.slow import SlowQueries

BUSY_TIMEOUT_MS = 10_000  # another process (a command, a backup) may hold the lock this long
BUSY_STEP_S = 0.005  # pause between attempts of ours
MAX_LIKE_BYTES = 256  # of a pattern. The work is its length times the text's, and not interruptible
JOURNAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024  # what a truncated WAL may keep on disk
PAGE_CACHE_KIB = 16_000  # per connection
READER_MMAP_BYTES = 256 * 1024 * 1024  # reads come from the page cache of the OS, without a copy
STATEMENT_CACHE = 256  # prepared statements per connection
MAX_ATTACHED = 124  # databases besides main

Role = Literal["reader", "writer", "migrator"]
Synchronous = Literal["FULL", "NORMAL"]
Prepare = Callable[[apsw.Connection], None]


def prepare_nothing(_connection: apsw.Connection) -> None:
    """Register no functions."""


@dataclass(frozen=True, slots=True)
class DatabaseFiles:
    """
    What a connection opens, and how.

    Attributes:
        path: The file that becomes schema ``main``.
        attached: Further files by schema name.
        prepare: Registers functions on a new connection.
        synchronous: FULL: acknowledged means on disk. NORMAL: a power cut may lose the last
            commits.
        slow: Told about statements that take long; None: nobody is.
        keeps_log: The write-ahead log outlives the last connection: whoever replicates it goes on
            where it was, instead of shipping everything anew.
    """

    path: Path
    attached: Mapping[str, Path] = field(default_factory=dict)
    prepare: Prepare = prepare_nothing
    synchronous: Synchronous = "FULL"
    slow: SlowQueries | None = None
    keeps_log: bool = False


def open_connection(files: DatabaseFiles, role: Role) -> apsw.Connection:
    """
    Open and configure a connection.

    Args:
        files: What to open.
        role: ``reader`` cannot write, ``writer`` leaves checkpoints to us, ``migrator`` is a plain
            connection for start-up.

    Raises:
        DatabaseError: The file cannot be opened or is not a database.
    """
    try:
        connection = apsw.Connection(
            str(files.path),
            flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX,
            statementcachesize=STATEMENT_CACHE,
        )
    except apsw.Error as exc:
        raise translate_error(exc) from exc
    try:
        _configure(connection, files, role)
    except apsw.Error as exc:
        connection.close()
        raise translate_error(exc) from exc
    return connection


def _configure(connection: apsw.Connection, files: DatabaseFiles, role: Role) -> None:
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, MAX_ATTACHED)
    connection.limit(apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_LIKE_BYTES)
    # A double-quoted word that is no column is text, as user migrations expect.
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 1)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, int(files.keeps_log))
    files.prepare(connection)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    for name, path in files.attached.items():
        connection.execute(f"ATTACH DATABASE ?1 AS {quote(name)}", (str(path),))
    pragmas = [
        "journal_mode = WAL",
        f"journal_size_limit = {JOURNAL_SIZE_LIMIT_BYTES}",
        *(f"{quote(name)}.journal_mode = WAL" for name in files.attached),
        f"synchronous = {files.synchronous}",
        *(f"{quote(name)}.synchronous = {files.synchronous}" for name in files.attached),
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"cache_size = -{PAGE_CACHE_KIB}",
        # Functions in CHECKs, defaults, views and triggers must be flagged innocuous.
        "trusted_schema = OFF",
        # Visible on the wire: LIKE minds case.
        "case_sensitive_like = ON",
        "optimize = 0x10002",
    ]
    if role == "reader":
        pragmas += [f"mmap_size = {READER_MMAP_BYTES}", "query_only = ON"]
    for pragma in pragmas:
        _set(connection, pragma)
    if role == "writer":
        connection.wal_autocheckpoint(0)


def _set(connection: apsw.Connection, pragma: str) -> None:
    """
    Set a pragma, waiting for others.

    The engine does not apply its time-out where several processes make a new file and each
    switches it to WAL.
    """
    end = SYSTEM_CLOCK.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        except apsw.BusyError:
            if SYSTEM_CLOCK.monotonic() > end:
                raise
            time.sleep(BUSY_STEP_S)
        else:
            return
