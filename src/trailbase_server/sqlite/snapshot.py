"""
The event loop's own reader: under load, one transaction serves all reads of a turn of the loop.

Outside of a transaction each statement takes and gives back a lock on the write-ahead log, which is
more than half of what a read by key costs. So when reads come close together, a transaction is
begun that ends with the loop's turn: nobody waits within a turn, so nobody sees anything that is
older than what was committed when the turn began. Our own writer is the exception, whose answers
must find what was written: while it works there is no such transaction (``leave``, ``allow``).
"""

import asyncio
from contextlib import suppress
from time import perf_counter

import apsw

from trailbase_server.db.values import Params, Row
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.sqlite.reading import BudgetedConnection

# A read so soon after another is likely to be one of many: a transaction costs about as much as it
# saves one read.
DENSE_S = 0.0001


class SnapshotConnection(BudgetedConnection):
    """
    Open a database for reading on an event loop.

    Args:
        files: What to open.
        budget_s: Longest time of one statement, in seconds.
    """

    def __init__(self, files: DatabaseFiles, budget_s: float) -> None:
        super().__init__(files, budget_s)
        # A lock held by a checkpoint that resets the log: do not wait for it on the event loop.
        self.connection.set_busy_timeout(0)
        self._budget.started = 0.0  # long before the first read
        self._read = super().read
        self._may_begin = True
        self._is_open = False
        self._framing = 0  # statements that only begin and end transactions

    @property
    def reads(self) -> int:
        """Statements so far, as the engine counts them."""
        cache = self.connection.cache_stats()
        return int(cache["hits"] + cache["misses"]) - self._framing

    def read(self, sql: str, params: Params) -> list[Row]:
        """Run one statement to completion; ``OverBudgetError`` when it took too long."""
        if self._may_begin and perf_counter() - self._budget.started < DENSE_S:
            self._begin()
        return self._read(sql, params)

    def leave(self) -> None:
        """End the transaction, and begin none until ``allow``."""
        self._may_begin = False
        if self._is_open:
            self._end()

    def allow(self) -> None:
        """Begin transactions again."""
        self._may_begin = True

    def close(self) -> None:
        """Close the connection."""
        self.leave()
        self.connection.close()

    def _begin(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # there are no turns
            self._may_begin = False
            return
        self._framing += 1
        self._cursor.execute("BEGIN")
        self._is_open, self._may_begin = True, False
        loop.call_soon(self._turn_over)

    def _turn_over(self) -> None:
        if self._is_open:
            self._end()
            self._may_begin = True

    def _end(self) -> None:
        self._is_open = False
        self._framing += 1
        with suppress(apsw.Error):  # an error has ended it already
            self._cursor.execute("COMMIT")
