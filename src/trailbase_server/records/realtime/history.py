"""
What clients have missed who come back: the last changes of a table.

Kept only of tables that somebody follows who may want it (``resume=true`` or a ``Last-Event-ID``),
and for ``KEPT_S`` after the last of them has gone. A position is the number of a change since the
broker began; the epoch in front of it tells one run of the server from another.
"""

from collections import deque

from trailbase_server.db.base import Change

MAX_CHANGES = 1_024  # per table
MAX_BYTES = 1024 * 1024  # of texts and blobs in them, per table
KEPT_S = 60.0  # after the last stream of the table that might be resumed

Entry = tuple[int, Change]


class History:
    """
    The last changes of one table.

    Args:
        since: Position of the newest change before the first that is kept.
    """

    def __init__(self, since: int) -> None:
        self._since = since
        self._entries: deque[tuple[int, Change, int]] = deque()
        self._bytes = 0
        self.users = 0
        self.left_at = 0.0

    def add(self, position: int, change: Change) -> None:
        """Keep a change; the oldest ones go when there are too many."""
        size = sum(len(value) for value in change.values if isinstance(value, (str, bytes)))
        self._entries.append((position, change, size))
        self._bytes += size
        while len(self._entries) > MAX_CHANGES or self._bytes > MAX_BYTES:
            self._since, _, size = self._entries.popleft()
            self._bytes -= size

    def after(self, position: int) -> tuple[list[Entry], bool]:
        """
        List what happened after a position.

        Returns:
            Changes in order, and whether older ones are no longer known.
        """
        missed = [(at, change) for at, change, _ in self._entries if at > position]
        return missed, position < self._since


def parse_event_id(text: str, epoch: str) -> int | None:
    """
    Read the id of an event.

    Args:
        text: As the client sent it.
        epoch: Of this run of the server.

    Returns:
        The position; None if it is of another run, or nonsense.
    """
    prefix, dash, digits = text.partition("-")
    if prefix != epoch or not dash or not digits.isascii() or not digits.isdigit():
        return None
    return int(digits) if len(digits) < 20 else None  # no 64-bit number is longer
