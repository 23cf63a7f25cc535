"""
Tell about statements that take long.

SQLite reports how long each statement took, to the millisecond, on the connections that slow work
ends up on: those of reader threads and, while it works in its thread, the writer's. What stays on
the event loop is quick by construction (its budgets are two and four milliseconds) and is not
measured, but for a commit. The text is logged without values: bound ones are not in it, literals
become ``?``.

A statement is told about at most every ``PAUSE_S``; how often it was slow meanwhile is counted.
"""

import logging
import threading
from typing import Any

import apsw

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.schema.lexer import SchemaSyntaxError, TokenKind, tokenize

log = logging.getLogger("trailbase_server.slow_query")

PAUSE_S = 10.0  # time between two lines about one statement
MAX_STATEMENTS = 256  # remembered at the same time
MAX_SQL_CHARS = 2_000  # of a statement in a line
_NANOSECONDS = 1e9
_LITERALS = (TokenKind.STRING, TokenKind.NUMBER, TokenKind.BLOB)


class SlowQueries:
    """
    What is slow, and when it was last told.

    Args:
        threshold_s: Time from which a statement is slow.
        clock: Tells when it was last told.
    """

    def __init__(self, threshold_s: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self.threshold_s = threshold_s
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}  # when, and how often since
        self._lock = threading.Lock()

    def watch(self, connection: apsw.Connection, where: str) -> None:
        """
        Measure the statements of a connection from now on.

        Args:
            connection: Measured until it is closed or ``unwatch`` is called.
            where: For the log: database and kind of work.
        """

        def finished(event: dict[str, Any]) -> None:
            seconds = event["nanoseconds"] / _NANOSECONDS
            # Commits are measured by who makes them, wherever that is.
            if seconds >= self.threshold_s and event["sql"] != "COMMIT":
                self.note(event["sql"], seconds, where)

        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, finished)

    def unwatch(self, connection: apsw.Connection) -> None:
        """Stop measuring."""
        connection.trace_v2(0)

    def note(self, sql: str, seconds: float, where: str) -> None:
        """Tell about a statement, unless that was done lately."""
        with self._lock:
            now = self._clock.monotonic()
            told_at, missed = self._told.get(sql, (float("-inf"), 0))
            if now - told_at < PAUSE_S:
                self._told[sql] = (told_at, missed + 1)
                return
            if len(self._told) >= MAX_STATEMENTS:
                self._told.clear()
            self._told[sql] = (now, 0)
        text = without_literals(sql)
        again = f", {missed} times more since it was last told" if missed else ""
        log.warning(
            "slow: %.0f ms, %s%s: %s",
            seconds * 1000,
            where,
            again,
            text,
            extra={"duration_ms": round(seconds * 1000), "where": where, "sql": text},
        )


def without_literals(sql: str) -> str:
    """
    Put ``?`` for the literals of a statement, which administrators type into queries of their own.

    Returns:
        One line of at most ``MAX_SQL_CHARS``, without comments.
    """
    try:
        tokens = tokenize(sql[: 4 * MAX_SQL_CHARS])
    except SchemaSyntaxError:
        # Cut in the middle of a token, or no SQL: the first word tells something, and no value.
        return f"{sql.lstrip()[:10].split(' ')[0]} …"
    words = [
        "?" if token.kind in _LITERALS else token.text
        for token in tokens
        if token.kind is not TokenKind.COMMENT
    ]
    text = " ".join(words)
    return text if len(text) <= MAX_SQL_CHARS else f"{text[:MAX_SQL_CHARS]}…"
