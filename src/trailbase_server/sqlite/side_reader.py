"""
Read a database that requests do not use, in a thread of its own.

The connection is opened when somebody first asks: nobody may ever. Bounds: one thread,
``MAX_WAITING`` questions in its queue (then ``OverloadedError``), ``POOL_BUDGET_S`` a statement.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from trailbase_server.db.base import Reader
from trailbase_server.db.errors import ClosedError, DatabaseError, OverBudgetError, OverloadedError
from trailbase_server.db.values import Params, Row
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.sqlite.readers import POOL_BUDGET_S
from trailbase_server.sqlite.reading import BudgetedConnection

P = ParamSpec("P")
R = TypeVar("R")

MAX_WAITING = 32  # people who look at one page, and their impatience


class SideReader:
    """
    Reads on request.

    Args:
        files: What to open; they exist.
        budget_s: Longest time of one statement.
    """

    def __init__(self, files: DatabaseFiles, budget_s: float = POOL_BUDGET_S) -> None:
        self._files = files
        self._budget_s = budget_s
        self._pool: ThreadPoolExecutor | None = None
        self._connection: BudgetedConnection | None = None
        self._waiting = 0
        self._closed = False

    async def run(
        self, function: Callable[Concatenate[Reader, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """
        Run a function with a reader in the thread.

        Raises:
            OverloadedError: Too many are waiting.
            DatabaseError: A statement is wrong or took too long.
            ClosedError: The server is shutting down.
        """
        if self._closed:
            raise ClosedError("shutting down")
        if self._waiting >= MAX_WAITING:
            raise OverloadedError("too many queries are waiting")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, f"read-{self._files.path.stem}")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, lambda: function(self, *args, **kwargs))
        except OverBudgetError as exc:
            raise DatabaseError(detail=f"a query took longer than {self._budget_s:g} s") from exc
        finally:
            self._waiting -= 1

    def read(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``db.base.Reader.read``; only for functions given to ``run``."""
        if self._connection is None:
            self._connection = BudgetedConnection(self._files, self._budget_s)
            if self._files.slow is not None:
                self._files.slow.watch(
                    self._connection.connection, f"{self._files.path.stem}: read"
                )
        return self._connection.read(sql, params)

    async def reopen(self) -> None:
        """Connect anew when next asked: the file was taken away or replaced."""
        if self._connection is not None:
            await self.run(lambda _: self._disconnect())

    def close(self) -> None:
        """Interrupt what is running and close the file. Idempotent."""
        self._closed = True
        if self._connection is not None:
            with suppress(apsw.Error):
                self._connection.connection.interrupt()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.connection.close()
            self._connection = None
