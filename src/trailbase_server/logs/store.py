"""
Write access-log rows without making requests wait.

``append`` puts an entry on a bounded queue: that is all a request pays. A thread writes what has
gathered, at most every ``FLUSH_S`` seconds, in one transaction and with few statements: each
statement lets go of the interpreter's lock and has to win it back from the event loop.

Full: the entry is dropped and counted. A write fails (disk full, file gone): the batch is dropped
and counted, a warning is logged, the next batch tries again with a new connection. ``close``
writes what is left; a crash loses what has gathered since the last flush.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from trailbase_server.db.values import Params, SqlValue
from trailbase_server.logs.redact import redact_url

if TYPE_CHECKING:
    from trailbase_server.web.dispatch import LogEntry

log = logging.getLogger(__name__)

MAX_WAITING = 32_768  # entries: half a second of the fastest traffic we have measured
MAX_TEXT_CHARS = (
    2_048  # of url, referer and user agent each; together they bound the queue's memory
)
MAX_BATCH = 4_096  # entries of one transaction; this many waiting are written at once
FLUSH_S = 0.2  # time in which entries gather
CLOSE_S = 10.0  # longest time ``close`` and ``flush`` wait for the disk
METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
)

COLUMNS = (
    "created",
    "status",
    "method",
    "url",
    "latency",
    "client_ip",
    "referer",
    "user_agent",
    "user_id",
)
# Rows of one statement. Few sizes: each is a prepared statement that stays.
_SIZES = (400, 20, 1)


def _insert_statement(rows: int) -> str:
    group = f"({', '.join('?' * len(COLUMNS))})"
    return f"INSERT INTO _logs ({', '.join(COLUMNS)}) VALUES {', '.join([group] * rows)}"  # noqa: S608  # constants


_STATEMENTS = {size: _insert_statement(size) for size in _SIZES}


class LogConnection(Protocol):
    """What the store needs of a database connection; it is used in one thread only."""

    def execute(self, sql: str, params: Params = ..., /) -> object:
        """Run one statement."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


class LogStore:
    """
    The writer of ``logs.db``.

    Args:
        connect: Opens the database, whose schema is up to date; called in the writer's thread.
        flush_s: Time in which entries gather.
        max_waiting: Entries in the queue above which further ones are dropped.
    """

    def __init__(
        self,
        connect: Callable[[], LogConnection],
        flush_s: float = FLUSH_S,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._connect = connect
        self._flush_s = flush_s
        self._max_waiting = max_waiting
        self._queue: deque[LogEntry] = deque()
        self._is_awake = False
        self._closed = False
        self._work = threading.Event()  # there is something to write
        self._hurry = threading.Event()  # … and it must not wait for more
        self._flushed: deque[threading.Event] = deque()
        self._connection: LogConnection | None = None
        self._dropped = 0
        self._failed = 0
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def append(self, entry: "LogEntry") -> None:
        """Queue an entry; called on the event loop after each answer."""
        waiting = len(self._queue)
        if waiting >= self._max_waiting or self._closed:
            self._dropped += 1
            return
        if len(entry[3]) + len(entry[6]) + len(entry[7]) > MAX_TEXT_CHARS:
            entry = _shorten(entry)
        self._queue.append(entry)
        if not self._is_awake:
            self._is_awake = True
            self._work.set()
        if waiting == MAX_BATCH:
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
        self._hurry.set()
        self._work.set()
        return done.wait(timeout_s)

    def close(self) -> None:
        """Write what is left and stop. Idempotent; entries that come later are dropped."""
        self._closed = True
        self._hurry.set()
        self._work.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.warning("Closing without the last %d rows of the access log", len(self._queue))

    # The thread

    def _run(self) -> None:
        while not self._closed:
            self._work.wait()
            self._hurry.wait(self._flush_s)
            self._hurry.clear()
            self._work.clear()
            # From here on a new entry wakes us again; what is queued already is taken now.
            self._is_awake = False
            asked = [self._flushed.popleft() for _ in range(len(self._flushed))]
            self._drain()
            for done in asked:
                done.set()
        self._drain()
        for done in self._flushed:
            done.set()
        self._disconnect()

    def _drain(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            try:
                self._write(batch)
            except Exception as exc:  # noqa: BLE001  # the log must not end with one bad batch
                self._failed += len(batch)
                log.warning("Dropped %d rows of the access log: %s", len(batch), exc)
                self._disconnect()

    def _write(self, batch: "list[LogEntry]") -> None:
        if self._connection is None:
            self._connection = self._connect()
        execute = self._connection.execute
        rows = [_render_row(entry) for entry in batch]
        execute("BEGIN IMMEDIATE")
        start = 0
        for size in _SIZES:
            while len(rows) - start >= size:
                values = list(chain.from_iterable(rows[start : start + size]))
                execute(_STATEMENTS[size], values)
                start += size
        execute("COMMIT")

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Rolls back what is open.
            with suppress(Exception):
                self._connection.close()
            self._connection = None


def _render_row(entry: "LogEntry") -> tuple[SqlValue, ...]:
    created, status, method, url, latency, client_ip, referer, user_agent, user_id = entry
    return (
        created,
        status,
        method if method in METHODS else "Unknown",
        redact_url(url),
        latency,
        client_ip,
        redact_url(referer) if referer else "",
        user_agent,
        user_id,
    )


def _shorten(entry: "LogEntry") -> "LogEntry":
    created, status, method, url, latency, client_ip, referer, user_agent, user_id = entry
    return (
        created,
        status,
        method,
        url[:MAX_TEXT_CHARS],
        latency,
        client_ip,
        referer[:MAX_TEXT_CHARS],
        user_agent[:MAX_TEXT_CHARS],
        user_id,
    )
