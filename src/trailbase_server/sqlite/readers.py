"""
Reads run where they are.

A point read takes a few microseconds: less than a hop to another thread. So the event loop's thread
reads on its own connection, under a *budget*: a statement that has been running for longer than
``INLINE_BUDGET_S`` is interrupted. ``OverBudgetError`` tells the caller to repeat the work on the
pool, where each thread has a connection and a far larger budget. A statement that was interrupted
again and again goes straight to the pool for a while.

Bounds: ``threads`` readers, ``MAX_WAITING`` functions in the pool's queue (then
``OverloadedError``), ``POOL_BUDGET_S`` for one statement.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import perf_counter
from typing import Any, TypeVar

import apsw

from trailbase_server.db.errors import ClosedError, DatabaseError, OverBudgetError, OverloadedError
from trailbase_server.db.values import Params, Row
from trailbase_server.sqlite.meters import ReadMeters
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.sqlite.reading import BudgetedConnection
from trailbase_server.sqlite.snapshot import SnapshotConnection

R = TypeVar("R")

INLINE_BUDGET_S = 0.002  # longest time one statement may keep the event loop busy
POOL_BUDGET_S = 30.0  # longest time of one statement on a reader thread
MAX_WAITING = 512  # functions waiting for a reader thread
STRIKES = 2  # interrupts within PENALTY_S after which a statement goes straight to the pool …
PENALTY_S = 1.0  # … for this long
MAX_SLOW_STATEMENTS = 256  # statements remembered as slow


class Readers:
    """
    The inline reader of one event loop and the pool behind it.

    Args:
        files: What to open.
        threads: Reader threads, started when first needed.

    Attributes:
        meters: What has happened.
    """

    def __init__(self, files: DatabaseFiles, threads: int) -> None:
        self._files = files
        self._home = threading.get_ident()
        self._inline = SnapshotConnection(files, INLINE_BUDGET_S)
        self._inline_read = self._inline.read
        self._local = threading.local()
        self._opened: list[BudgetedConnection] = []
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._strikes: dict[str, tuple[int, float]] = {}
        self.meters = ReadMeters()
        self._closed = False

    def read(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``db.base.Reader.read``."""
        if threading.get_ident() != self._home:
            return self._thread_connection().read(sql, params)
        if self._strikes and self._is_known_slow(sql):
            raise OverBudgetError(sql)
        try:
            return self._inline_read(sql, params)
        except OverBudgetError:
            self._strike(sql)
            raise

    def prepare_error(self, sql: str) -> str | None:
        """See ``db.base.Database.prepare_error``."""
        if threading.get_ident() != self._home:
            return self._thread_connection().prepare_error(sql)
        return self._inline.prepare_error(sql)

    def leave_loop(self) -> None:
        """See ``db.base.Database.leave_loop``."""
        if threading.get_ident() == self._home:
            raise OverBudgetError

    def make_way(self) -> None:
        """On the loop: the writer begins, let go of what was committed before (``Turns``)."""
        self._inline.leave()

    def go_on(self) -> None:
        """On the loop: the writer has ended."""
        self._inline.allow()

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``db.base.Database.query``."""
        try:
            return self.read(sql, params)
        except OverBudgetError:
            return await self.on_pool(self.read, sql, params)

    async def on_pool(self, function: Callable[..., R], *args: Any) -> R:
        """See ``db.base.Database.on_pool``."""
        if self._closed:
            raise ClosedError("shutting down")
        if self._waiting >= MAX_WAITING:
            raise OverloadedError("too many slow queries are waiting")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, f"read-{self._files.path.stem}")
        self._waiting += 1
        asked, stamps = perf_counter(), list[float]()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, _stamped, stamps, function, *args
            )
        except OverBudgetError as exc:
            raise DatabaseError(detail=f"a query took longer than {POOL_BUDGET_S:g} s") from exc
        finally:
            self._waiting -= 1
            self.meters.add(asked, stamps)

    @property
    def inline_reads(self) -> int:
        """Statements that were run on the event loop; for that loop."""
        return self._inline.reads

    @property
    def waiting(self) -> int:
        """Functions on the pool or in its queue."""
        return self._waiting

    def reopen(self, files: DatabaseFiles) -> None:
        """Open other files from now on; connections in threads are replaced when next used."""
        old, self._files = self._inline, files
        self._inline = SnapshotConnection(files, INLINE_BUDGET_S)
        self._inline_read = self._inline.read
        self._local = threading.local()
        old.close()

    def close(self) -> None:
        """Stop the threads and close all connections. Idempotent."""
        self._closed = True
        if self._pool is not None:
            for reader in self._opened:
                with suppress(apsw.Error):
                    reader.connection.interrupt()
            self._pool.shutdown(wait=True, cancel_futures=True)
        for reader in self._opened:
            reader.connection.close()
        self._opened.clear()
        self._inline.close()

    def _thread_connection(self) -> BudgetedConnection:
        reader: BudgetedConnection | None = getattr(self._local, "reader", None)
        if reader is None:
            if self._closed:
                raise ClosedError("shutting down")
            reader = self._local.reader = BudgetedConnection(self._files, POOL_BUDGET_S)
            if self._files.slow is not None:
                where = f"{self._files.path.stem}: read"
                self._files.slow.watch(reader.connection, where)
            self._opened.append(reader)
        return reader

    def _is_known_slow(self, sql: str) -> bool:
        entry = self._strikes.get(sql)
        if entry is None:
            return False
        count, at = entry
        if perf_counter() - at > PENALTY_S:
            del self._strikes[sql]
            return False
        return count >= STRIKES

    def _strike(self, sql: str) -> None:
        if len(self._strikes) >= MAX_SLOW_STATEMENTS:
            self._strikes.clear()
        self.meters.moved += 1
        count, _ = self._strikes.get(sql, (0, 0.0))
        self._strikes[sql] = (count + 1, perf_counter())


def _stamped(stamps: list[float], function: Callable[..., R], *args: Any) -> R:
    """Run a function and note when it began and ended."""
    stamps.append(perf_counter())
    try:
        return function(*args)
    finally:
        stamps.append(perf_counter())
