"""A moment as people write it: RFC 3339 with a time zone, or Unix seconds."""

import re
from datetime import UTC, datetime

from trailbase_server.errors import OperatorError

LATEST = "latest"
_UNIX = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?\Z")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)


def parse_moment(text: str) -> float | None:
    """
    Read a moment.

    Args:
        text: ``2026-01-31T12:00:00Z``, ``1790000000`` or ``latest``.

    Returns:
        Unix seconds; None for the latest there is.

    Raises:
        OperatorError: It is none.
    """
    if text == LATEST:
        return None
    try:
        if _UNIX.match(text):
            moment = float(text)
            render_moment(moment)
            return moment
        if _RFC_3339.match(text):
            return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError, OSError) as exc:
        raise OperatorError(f"'{text}' is no moment: {exc}") from exc
    raise OperatorError(
        f"'{text}' is no moment: expected 2026-01-31T12:00:00Z (or with an offset such as +02:00), "
        f"Unix seconds, or {LATEST}"
    )


def render_moment(moment: float) -> str:
    """Write a moment for people and Litestream, to the microsecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
