"""
Delete rows of the access log batch by batch, so that none of them keeps the file for long.

The file does not shrink: the room is used again.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

from trailbase_server.logs.batch import LogConnection

ROWS_PER_BATCH = 2_000  # some 20 ms of work
KEPT_SHARE = 0.9  # of the largest size that a removal for size leaves: not one for every batch

_OLDER = f"""
DELETE FROM _logs WHERE id IN
  (SELECT id FROM _logs WHERE created < ? ORDER BY created LIMIT {ROWS_PER_BATCH})
"""  # noqa: S608  # a constant
_OLDEST = f"""
DELETE FROM _logs WHERE id IN (SELECT id FROM _logs ORDER BY created LIMIT {ROWS_PER_BATCH})
"""  # noqa: S608  # a constant
_USED_BYTES = """
SELECT (page_count - freelist_count) * page_size
FROM pragma_page_count, pragma_freelist_count, pragma_page_size
"""


@dataclass(slots=True)
class Removal:
    """
    One thing to delete.

    Attributes:
        older_than: Unix time before which rows go.
        larger_than: Bytes in use above which the oldest rows go, until ``KEPT_SHARE`` of it is
            left; None where age decides.
        removed: Rows so far.
        future: Gets their number at the end.
    """

    older_than: float = 0.0
    larger_than: int | None = None
    removed: int = 0
    future: "Future[int]" = field(default_factory=Future)


def remove_some(connection: LogConnection, removal: Removal) -> int:
    """Delete one batch; returns its rows, 0 when the removal is done."""
    if removal.larger_than is None:
        connection.execute(_OLDER, (removal.older_than,))
    else:
        share = KEPT_SHARE if removal.removed else 1.0
        if _number(connection, _USED_BYTES) <= removal.larger_than * share:
            return 0
        connection.execute(_OLDEST)
    return _number(connection, "SELECT changes()")


def _number(connection: LogConnection, sql: str) -> int:
    rows = cast(Iterable[tuple[Any, ...]], connection.execute(sql))
    [(value,)] = list(rows)
    return int(value)
