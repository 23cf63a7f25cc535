"""
From entries to the statements that insert them into ``_logs``.

A statement takes many rows, as each lets go of the interpreter's lock and has to win it back from
the event loop. Entries are turned into columns, which are looked at as a whole: a column whose rows
are all alike is bound once. Spec: server/access-log-rows.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from trailbase_server.db.values import SqlValue
from trailbase_server.logs.redact import redact_url
from trailbase_server.web.log_entry import LogEntry, LogFields

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
# Rows of one statement: few sizes, as each statement stays prepared. With the largest, the event
# loop waits some 50 µs for the lock.
SIZES = (128, 32, 8, 1)
# What a URL with secrets has in it: seen at a glance in all of them.
_SUSPICIOUS = ("?", "/auth/", "eyJ")

Alike = tuple[bool, ...]
"""Of each column, whether its rows are alike."""


class Inserts:
    """
    The statements of one connection.

    At most one for each size and combination of columns that may be alike; those of one kind of
    traffic are few.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[int, Alike], str] = {}

    def of(self, entries: Sequence[LogEntry]) -> Iterator[tuple[str, list[SqlValue]]]:
        """
        Statements that insert all entries in their order, with their values.

        Spec:
            server/access-log-rows
        """
        start = 0
        for size in SIZES:
            while len(entries) - start >= size:
                alike, values = bind(entries[start : start + size])
                text = self._texts.get((size, alike))
                if text is None:
                    text = self._texts[size, alike] = render_insert(size, alike)
                yield text, values
                start += size


def bind(entries: Sequence[LogEntry]) -> tuple[Alike, list[SqlValue]]:
    """
    The values of rows, one column after the other, in the order of ``COLUMNS``.

    Args:
        entries: As queued; at least one.

    Returns:
        Which columns are there once for all rows, and the values, without secrets. ``data`` is
        NULL or a JSON object with the request's id.
    """
    fields = LogFields(*zip(*entries, strict=True))
    alike: list[bool] = []
    values: list[SqlValue] = []
    for column, is_often_alike, convert in (
        (fields.created, False, _same),
        (fields.status, True, _same),
        (fields.method, True, _standard),
        (fields.url, False, _redacted),
        (fields.latency, False, _same),
        (fields.client_ip, True, _same),
        (fields.referer, True, _referers),
        (fields.user_agent, True, _texts),
        (fields.user_id, True, _same),
        (fields.request_id, True, _data),
    ):
        is_alike = is_often_alike and column.count(column[0]) == len(column)
        alike.append(is_alike)
        values += convert(column[:1] if is_alike else column)
    return tuple(alike), values


def render_insert(rows: int, alike: Alike) -> str:
    """
    The statement for values as ``bind`` arranges them.

    One that fails leaves nothing behind, nor does its transaction: so the engine need not keep what
    it would take to undo the statement alone.
    """
    places: list[tuple[int, int]] = []  # number of the first row's value, distance to the next
    number = 1
    for same in alike:
        places.append((number, 0 if same else 1))
        number += 1 if same else rows
    groups = (
        f"({', '.join(f'?{first + step * row}' for first, step in places)})" for row in range(rows)
    )
    return f"INSERT OR ROLLBACK INTO _logs ({', '.join(COLUMNS)}) VALUES {', '.join(groups)}"  # noqa: S608  # constants and numbers


def _same(column: Sequence[Any]) -> Sequence[Any]:
    return column


def _texts(headers: Sequence[bytes]) -> list[str]:
    return [one.decode("latin-1") for one in headers]


def _referers(headers: Sequence[bytes]) -> Sequence[str]:
    return _redacted(_texts(headers))


def _data(request_ids: Sequence[str]) -> list[str | None]:
    return [f'{{"request_id":"{one}"}}' if one else None for one in request_ids]


def _standard(methods: Sequence[str]) -> Sequence[str]:
    if METHODS.issuperset(methods):
        return methods
    return [one if one in METHODS else "Unknown" for one in methods]


def _redacted(urls: Sequence[str]) -> Sequence[str]:
    together = "\n".join(urls)
    if any(sign in together for sign in _SUSPICIOUS):
        return [redact_url(url) for url in urls]
    return urls
