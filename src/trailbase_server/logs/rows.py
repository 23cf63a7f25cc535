"""
From an entry to the values of a row of ``_logs``, and the statements that insert rows.

Few statements with many rows each: every statement lets go of the interpreter's lock and has to win
it back from the event loop. Spec: server/access-log-rows.
"""

from typing import TYPE_CHECKING

from trailbase_server.db.values import SqlValue
from trailbase_server.logs.redact import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trailbase_server.web.dispatch import LogEntry

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
    "data",
)
# Rows of one statement. Few sizes: each is a prepared statement that stays.
SIZES = (400, 20, 1)


def _insert_statement(rows: int) -> str:
    group = f"({', '.join('?' * len(COLUMNS))})"
    return f"INSERT INTO _logs ({', '.join(COLUMNS)}) VALUES {', '.join([group] * rows)}"  # noqa: S608  # constants


STATEMENTS = {size: _insert_statement(size) for size in SIZES}


def row_values(entries: "Iterable[LogEntry]") -> list[SqlValue]:
    """
    The values of rows, one row after the other.

    Args:
        entries: As queued.

    Returns:
        ``len(COLUMNS)`` values an entry, in the order of ``COLUMNS``, without secrets. ``data`` is
        NULL or a JSON object with the request's id.
    """
    values: list[SqlValue] = []
    for entry in entries:
        (
            created,
            status,
            method,
            url,
            latency,
            client_ip,
            referer,
            agent,
            user_id,
            _host,
            _version,
            request_id,
            _route,
        ) = entry
        values += (
            created,
            status,
            method if method in METHODS else "Unknown",
            # What most requests look like is seen at a glance.
            redact_url(url) if "?" in url or "/auth/" in url or "eyJ" in url else url,
            latency,
            client_ip,
            redact_url(referer.decode("latin-1")) if referer else "",
            agent.decode("latin-1"),
            user_id,
            f'{{"request_id":"{request_id}"}}' if request_id else None,
        )
    return values
