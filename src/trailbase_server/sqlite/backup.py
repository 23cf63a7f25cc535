"""
Copies of database files that are in use: taken all at one point in time, checked, put back.

*Taking.* ``Snapshots.freeze`` takes the write lock of every file, begins a read transaction on each
of them and lets the locks go: no commit is half in it, whichever files and processes it spans. Only
that keeps writers waiting. The pages are copied afterwards, beside them, from those read
transactions.

*Putting back.* ``overwrite`` writes all pages in one transaction of the live file, so whoever reads
sees the old database or the new one, and a crash leaves the old one. Open connections notice, as
the engine changes the mark by which they know their schema.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote as quote_path

import apsw

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.db.errors import DiskError
from trailbase_server.sqlite.errors import translate_error
from trailbase_server.sqlite.open import Prepare, prepare_nothing

GUARD_TIMEOUT_S = 2.0  # for another process to end its transaction; our writers wait that long
GUARD_STEP_S = 0.0001  # between two attempts: a busy server pauses for less than a millisecond
PAGES_PER_STEP = 2_048  # 8 MiB of 4 KiB pages between two looks at the progress
OVERWRITE_TIMEOUT_MS = 10_000  # for another process to end its transaction
MAX_COMPLAINTS = 20  # of a broken file; the first ones say enough
HEADER_BYTES = 100  # of a database file: name, page size and the like
_MAGIC = b"SQLite format 3\0"
_PAGE_SIZE = slice(16, 18)
_WRITABLE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX

Progress = Callable[[int, int], None]
"""Called with pages that are done and pages in all; what it raises ends the copying."""


def ignore_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


class Snapshots:
    """
    Read transactions on several files that begin at one point in time.

    Args:
        files: Existing databases in WAL mode by a name; locks are taken in this order.

    Raises:
        DatabaseError: One cannot be opened.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._readers: dict[str, apsw.Connection] = {}
        self._guards: list[apsw.Connection] = []
        try:
            for name, path in files.items():
                self._readers[name] = _open(path)
                guard = _open(path)
                self._guards.append(guard)
        except BaseException:
            self.close()
            raise

    def freeze(self) -> None:
        """
        Begin all read transactions. Blocks while another process is writing.

        Raises:
            BusyError: It went on writing for too long. May be tried again.
            DatabaseError: A file is broken.
        """
        end = SYSTEM_CLOCK.monotonic() + GUARD_TIMEOUT_S

        def wait(_count: int) -> bool:
            # The engine's own way pauses for ever longer, and would never meet a gap.
            time.sleep(GUARD_STEP_S)
            return SYSTEM_CLOCK.monotonic() < end

        try:
            for guard in self._guards:
                guard.set_busy_handler(wait)
                guard.execute("BEGIN IMMEDIATE")
            for reader in self._readers.values():
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.Error as exc:
            _end(self._readers.values())
            raise translate_error(exc) from exc
        finally:
            _end(self._guards)

    def connection(self, name: str) -> apsw.Connection:
        """Read from the frozen state of a file."""
        return self._readers[name]

    def copy(self, name: str, target: Path, progress: Progress = ignore_progress) -> None:
        """
        Copy the frozen state of a file into a new one, which is synced.

        Args:
            name: Of the file.
            target: Does not exist.
            progress: Hears of it now and then.

        Raises:
            DiskError: The disk of the target is full or failing.
            DatabaseError: The file is broken.
        """
        try:
            with closing(apsw.Connection(str(target))) as copy:
                copy.pragma("journal_mode", "OFF")
                copy.pragma("synchronous", "OFF")
                _copy_pages(copy, self._readers[name], progress)
        except apsw.Error as exc:
            raise translate_error(exc) from exc
        _sync(target)

    def close(self) -> None:
        """End the transactions. Idempotent."""
        for connection in [*self._guards, *self._readers.values()]:
            connection.close(True)
        self._guards.clear()
        self._readers.clear()


def overwrite(source: Path, target: Path, progress: Progress = ignore_progress) -> None:
    """
    Replace everything in a live database by another one, in one transaction.

    Args:
        source: A closed database without side files.
        target: May be open elsewhere; made when missing.
        progress: Hears of it now and then.

    Raises:
        BusyError: Somebody else writes for too long.
        DiskError: The disk is full.
        DatabaseError: The target is no database, or of another page size (``replace`` can do that
            while nobody has it open).
    """
    try:
        with ExitStack() as stack:
            pages = stack.enter_context(closing(open_copy(source)))
            live = stack.enter_context(closing(apsw.Connection(str(target))))
            live.set_busy_timeout(OVERWRITE_TIMEOUT_MS)
            live.pragma("journal_mode", "WAL")
            live.pragma("synchronous", "FULL")
            _copy_pages(live, pages, progress)
            live.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error as exc:
        raise translate_error(exc) from exc


def replace(source: Path, target: Path) -> None:
    """
    Put a database in the place of another, whatever that is; nobody may have it open.

    Args:
        source: A closed database, which is moved.
        target: On the same file system.

    Raises:
        OSError: The directory cannot be written.
    """
    for suffix in ("-wal", "-shm", "-journal"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    source.replace(target)


def open_copy(path: Path, prepare: Prepare = prepare_nothing) -> apsw.Connection:
    """
    Open a closed database that nobody writes, leaving no side files.

    Args:
        path: Of the file.
        prepare: Registers functions.

    Raises:
        apsw.Error: It cannot be opened.
    """
    connection = apsw.Connection(
        f"file:{quote_path(str(path.resolve()))}?immutable=1",
        flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOMUTEX,
    )
    prepare(connection)
    return connection


def find_damage(path: Path, prepare: Prepare = prepare_nothing) -> list[str]:
    """
    Check a closed database from its first page to its last.

    Args:
        path: Of the file.
        prepare: Registers functions that its indexes use.

    Returns:
        What is wrong with it, in the engine's words; empty if it is whole.
    """
    if read_page_size(path) is None:
        return ["file is not a database"]
    try:
        with closing(open_copy(path, prepare)) as connection:
            # What a CHECK thinks of the values is not a matter of the file.
            connection.pragma("ignore_check_constraints", True)
            rows = connection.execute(f"PRAGMA integrity_check({MAX_COMPLAINTS})").fetchall()
    except apsw.Error as exc:
        return [str(exc)]
    return [] if rows == [("ok",)] else [str(row[0]) for row in rows]


def find_dangling(path: Path, prepare: Prepare = prepare_nothing) -> list[str]:
    """
    List foreign keys of a closed database that lead nowhere.

    Returns:
        A line for each table and parent; empty if there are none.
    """
    try:
        with closing(open_copy(path, prepare)) as connection:
            rows = connection.execute(
                'SELECT "table", parent, count(*) FROM pragma_foreign_key_check() '
                "GROUP BY 1, 2 LIMIT ?1",
                (MAX_COMPLAINTS,),
            ).fetchall()
    except apsw.Error as exc:
        return [f"foreign keys cannot be checked: {exc}"]
    return [
        f"{count} rows of {table} refer to rows of {parent} that are gone"
        for table, parent, count in rows
    ]


def read_page_size(path: Path) -> int | None:
    """Page size in bytes of a database file; None if it is none."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(_MAGIC):
        return None
    size = int.from_bytes(header[_PAGE_SIZE], "big")
    return 65_536 if size == 1 else size  # the format's way to write what does not fit


def _end(connections: Iterable[apsw.Connection]) -> None:
    for connection in connections:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _open(path: Path) -> apsw.Connection:
    try:
        return apsw.Connection(str(path), flags=_WRITABLE)
    except apsw.Error as exc:
        raise translate_error(exc) from exc


def _copy_pages(target: apsw.Connection, source: apsw.Connection, progress: Progress) -> None:
    with target.backup("main", source, "main") as work:
        while not work.done:
            work.step(PAGES_PER_STEP)
            progress(work.page_count - work.remaining, work.page_count)


def _sync(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as exc:
        raise DiskError("the disk is full or failing", detail=str(exc)) from exc
