"""
Write access-log rows without making requests wait.

``append`` puts an entry on a bounded queue: that is all a request pays. A thread writes what has
gathered in one transaction, every ``FLUSH_S`` seconds, or at once when there is much of it.
Deletions run in the same thread, in batches, between which it writes what has gathered meanwhile.

Full: the entry is dropped and counted. A write fails (disk full, file gone): the batch is dropped
and counted, a warning is logged, the next batch tries again with a new connection. ``close``
writes what is left; a crash loses what has gathered since the last flush.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.db.errors import ClosedError
from trailbase_server.logs.batch import LogConnection, write_batch
from trailbase_server.logs.keep import KEEP_ALL, Keep
from trailbase_server.logs.removal import Removal, remove_some
from trailbase_server.logs.rows import Inserts
from trailbase_server.web.log_entry import LogEntry

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger(__name__)

MAX_WAITING = 32_768  # entries: half a second of the fastest traffic we have measured
# Entries that are not left waiting. More would keep the one processor a small machine has from
# requests for longer than a read may take; fewer cost more each.
MAX_GATHERED = 1_024
MAX_BATCH = 4_096  # entries of one transaction, where they have piled up
FLUSH_S = 0.2  # time in which entries gather
CLOSE_S = 10.0  # longest time ``close`` and ``flush`` wait for the disk
SIZE_CHECK_S = 30.0  # time between two looks at the size of the database


class LogStore:
    """
    The writer of ``logs.db``.

    Args:
        connect: Opens the database, whose schema is up to date; called in the writer's thread.
        flush_s: Time in which entries gather.
        max_waiting: Entries in the queue above which further ones are dropped.

    Attributes:
        keep: Which entries are written; replaced when the configuration changes.
        last_failure: When the last batch that was lost failed, in monotonic seconds, and why; None
            once another was written.
    """

    def __init__(
        self,
        connect: Callable[[], LogConnection],
        flush_s: float = FLUSH_S,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.keep: Keep = KEEP_ALL
        self.last_failure: tuple[float, str] | None = None
        self._is_stale = False  # the connection is to a file that is gone
        self._connect = connect
        self._flush_s = flush_s
        self._max_waiting = max_waiting
        self._queue: deque[LogEntry] = deque()
        self._is_awake = False
        self._closed = False
        self._work = threading.Event()  # there is something to write
        self._hurry = threading.Event()  # … and it must not wait for more
        self._flushed: deque[threading.Event] = deque()
        self._removals: deque[Removal] = deque()
        self._connection: LogConnection | None = None
        self._inserts = Inserts()
        self._size_looked_at = 0.0
        self._dropped = 0
        self._failed = 0
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def append(self, entry: LogEntry) -> None:
        """Queue an entry of bounded size; called on the event loop after each answer."""
        waiting = len(self._queue)
        if waiting >= self._max_waiting or self._closed:
            self._dropped += 1
            return
        self._queue.append(entry)
        if not self._is_awake:
            self._is_awake = True
            self._work.set()
        if waiting == MAX_GATHERED:
            self._hurry.set()

    @property
    def waiting(self) -> int:
        """Entries in the queue."""
        return len(self._queue)

    @property
    def dropped(self) -> int:
        """Entries that were never written: the queue was full, or a write failed."""
        return self._dropped + self._failed

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """
        Write everything that was appended before; blocks, so not for the event loop.

        Returns:
            Whether it was written (or dropped) in time.
        """
        if self._closed:
            return not self._queue
        done = threading.Event()
        self._flushed.append(done)
        self._wake()
        return done.wait(timeout_s)

    def reopen(self) -> None:
        """Connect anew before the next batch: the file was taken away or replaced."""
        self._is_stale = True
        self._wake()

    def delete_before(self, unix_s: float) -> "Future[int]":
        """
        Delete all rows that are older, in batches, in the store's thread.

        Args:
            unix_s: Rows made before this Unix time are deleted.

        Returns:
            The number of deleted rows, once it is done; coroutines use ``asyncio.wrap_future``.
            Fails with ``ClosedError`` when the store is closed before that, and with the engine's
            error when the database fails.
        """
        removal = Removal(older_than=unix_s)
        if self._closed:
            removal.future.set_exception(ClosedError("shutting down"))
        else:
            self._removals.append(removal)
            self._wake()
        return removal.future

    def close(self) -> None:
        """Write what is left and stop. Idempotent; entries that come later are dropped."""
        self._closed = True
        self._wake()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.warning("Closing without the last %d rows of the access log", len(self._queue))

    def _wake(self) -> None:
        self._hurry.set()
        self._work.set()

    # The thread

    def _run(self) -> None:
        while not self._closed:
            self._work.wait()
            self._hurry.wait(self._flush_s)
            self._hurry.clear()
            self._work.clear()
            # From here on a new entry wakes us again; what is queued already is taken now.
            self._is_awake = False
            self._drain_and_tell()
            self._limit_size()
            while self._removals and not self._closed:
                self._remove_some()
                self._drain_and_tell()
        self._drain_and_tell()
        for removal in self._removals:
            removal.future.set_exception(ClosedError("shutting down"))
        self._disconnect()

    def _drain_and_tell(self) -> None:
        asked = [self._flushed.popleft() for _ in range(len(self._flushed))]
        self._drain()
        for done in asked:
            done.set()

    def _drain(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self._disconnect()
        # What comes meanwhile gathers for the next time: a few entries would cost a whole batch.
        waiting = len(self._queue)
        while waiting:
            batch = [self._queue.popleft() for _ in range(min(waiting, MAX_BATCH))]
            waiting -= len(batch)
            try:
                self._write(self.keep(batch))
            except Exception as exc:  # noqa: BLE001  # the log must not end with one bad batch
                self._failed += len(batch)
                self.last_failure = SYSTEM_CLOCK.monotonic(), str(exc) or type(exc).__name__
                log.warning("Dropped %d rows of the access log: %s", len(batch), exc)
                self._disconnect()

    def _write(self, batch: list[LogEntry]) -> None:
        if batch:
            write_batch(self._open(), self._inserts, batch)
            self.last_failure = None

    def _limit_size(self) -> None:
        """Look now and then whether rows have to go because the database is too large."""
        limit = self.keep.max_bytes
        now = SYSTEM_CLOCK.monotonic()
        if limit is None or now - self._size_looked_at < SIZE_CHECK_S or self._removals:
            return
        self._size_looked_at = now
        self._removals.append(Removal(larger_than=limit))

    def _remove_some(self) -> None:
        removal = self._removals[0]
        try:
            removed = remove_some(self._open(), removal)
        except Exception as exc:  # noqa: BLE001  # whoever asked is told, and the log goes on
            log.warning("Failed to delete rows of the access log: %s", exc)
            self._removals.popleft().future.set_exception(exc)
            self._disconnect()
            return
        removal.removed += removed
        if removed == 0:
            self._removals.popleft().future.set_result(removal.removed)

    def _open(self) -> LogConnection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Rolls back what is open.
            with suppress(Exception):
                self._connection.close()
            self._connection = None
