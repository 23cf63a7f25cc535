"""
Write the access log as lines to a file descriptor, in a thread that may be held up for ever.

Whoever reads a pipe decides how quickly it empties. So this is neither the event loop's work nor
that of the thread that writes ``logs.db``. Full: the entry is dropped and counted. Closed by its
reader: a warning, and everything from then on is dropped and counted.
"""

import logging
import os
import threading
import time
from collections import deque

from trailbase_server.logs.keep import KEEP_ALL, Keep
from trailbase_server.logs.lines import render_line
from trailbase_server.web.log_entry import LogEntry

log = logging.getLogger(__name__)

MAX_WAITING = 16_384  # entries: a quarter of a second of the fastest traffic we have measured
MAX_BATCH = 256  # lines of one write: a pipe takes 64 KiB at once
FLUSH_S = 0.05  # time in which entries gather: people look at this
CLOSE_S = 2.0  # longest time ``close`` waits for a reader


class LineStream:
    """
    Lines on their way to a file descriptor.

    Args:
        descriptor: Where to; it stays open.
        max_waiting: Entries in the queue above which further ones are dropped.

    Attributes:
        keep: Which entries are written.
        dropped: Entries that were never written.
    """

    def __init__(self, descriptor: int, max_waiting: int = MAX_WAITING) -> None:
        self.keep: Keep = KEEP_ALL
        self.dropped = 0
        self._descriptor = descriptor
        self._max_waiting = max_waiting
        self._queue: deque[LogEntry] = deque()
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._is_broken = False
        self._thread: threading.Thread | None = None

    def append(self, entry: LogEntry) -> None:
        """Queue an entry of bounded size; called on the event loop after each answer."""
        if self._is_broken or len(self._queue) >= self._max_waiting or self._stopping.is_set():
            self.dropped += 1
            return
        self._queue.append(entry)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="access-lines", daemon=True)
            self._thread.start()
        if not self._work.is_set():
            self._work.set()

    @property
    def waiting(self) -> int:
        """Entries in the queue."""
        return len(self._queue)

    def close(self) -> None:
        """Write what is left, as far as the reader takes it. Idempotent."""
        self._stopping.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    # The thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._work.wait()
            self._stopping.wait(FLUSH_S)
            self._work.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
            if self._is_broken:
                self.dropped += len(batch)
                continue
            try:
                self._write(b"".join(map(_line, self.keep(batch))))
            except OSError as exc:
                self._is_broken = True
                self.dropped += len(batch)
                log.warning("Nobody reads the access log any more: %s", exc.strerror)

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody has switched the pipe to that
                time.sleep(FLUSH_S)


def _line(entry: LogEntry) -> bytes:
    try:
        return render_line(entry)
    except (ValueError, TypeError):  # a text that is no Unicode: its entry is not worth the others
        log.debug("an entry of the access log cannot be rendered")
        return b""
