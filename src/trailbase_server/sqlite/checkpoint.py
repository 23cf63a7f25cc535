"""
A write-ahead log that stays small.

SQLite's own automatic checkpoint would run inside the COMMIT of some unlucky turn, and under steady
load it never gets
to start the log anew: one measured server reached 956 MB after 66,000 inserts. Here the writer
tells how long the log is after every commit. From ``LONG_PAGES`` on, the writer's thread copies the
pages back between two turns, when nobody can append, so that the log starts from the beginning.
When nothing has been written for ``IDLE_S``, the log is truncated.

Where somebody replicates the log, checkpoints are left to them: pages that are copied back before
they have been shipped cost a whole new copy. Only a log that runs away is copied back all the same.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

import apsw

from trailbase_server.tally import Histogram

LONG_PAGES = 2_000  # 8 MiB of 4 KiB pages: copied back in some ten milliseconds
IDLE_S = 5.0  # quiet time after which the log is truncated
RUNAWAY_PAGES = 100_000  # 400 MB: whoever was left the checkpoints does not make them


class Checkpointer:
    """
    Decides when the WAL of a writer is copied back.

    Args:
        connection: The writer's connection; used in its thread, between turns.
        between_turns: ``Turns.between_turns``.

    Attributes:
        time: Seconds of a checkpoint.
        failed: Checkpoints that a reader kept from finishing.
        is_left: Somebody else makes checkpoints.
    """

    def __init__(
        self,
        connection: Callable[[], apsw.Connection],
        between_turns: Callable[[Callable[[], None]], None],
    ) -> None:
        self._connection = connection
        self._between_turns = between_turns
        self._pages = 0
        self._asked = False
        self._idle: asyncio.TimerHandle | None = None
        self.time = Histogram()
        self.failed = 0
        self.is_left = False

    def watch(self) -> None:
        """Follow the writer's connection; again after it was replaced."""
        self._connection().set_wal_hook(self._grown)

    def _grown(self, _connection: apsw.Connection, _schema: str, pages: int) -> int:
        self._pages = max(self._pages, pages)
        return apsw.SQLITE_OK

    def after_commit(self) -> None:
        """On the loop, after each commit."""
        if self.is_left and self._pages < RUNAWAY_PAGES:
            return
        if self._pages >= LONG_PAGES and not self._asked:
            self._asked = True
            self._between_turns(self._reset)
        elif self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._truncate_when_idle)

    def close(self) -> None:
        """Stop the timer."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _truncate_when_idle(self) -> None:
        self._idle = None
        if not self._asked and self._pages and not self.is_left:
            self._asked = True
            self._between_turns(self._truncate)

    def _reset(self) -> None:
        self._checkpoint(apsw.SQLITE_CHECKPOINT_RESTART)

    def _truncate(self) -> None:
        self._checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _checkpoint(self, mode: int) -> None:
        started = perf_counter()
        try:
            self._connection().wal_checkpoint(None, mode)
        except apsw.Error:
            # Somebody reads from the old part of the log: the next commit asks again.
            self.failed += 1
        else:
            self._pages = 0
        self.time.add(perf_counter() - started)
        self._asked = False
