"""
Which backups go: all that no rule keeps.

The newest ``newest`` stay; besides them the last one of each of the last ``hourly`` hours,
``daily`` days and ``weekly`` weeks (UTC) in which there is any. Hours without a backup do not
count, so an outage does not use the rules up.
"""

from collections.abc import Collection, Iterable

from msgspec import Struct

HOUR_S = 3_600  # seconds
DAY_S = 86_400  # seconds
WEEK_S = 604_800  # seconds
# Unix time begins on a Thursday: three days on, weeks begin on Mondays.
MONDAY_S = 3 * DAY_S


class Retention(Struct, frozen=True):
    """
    How many are kept.

    Attributes:
        newest: Of all; 0: no backups are made, and none is deleted.
        hourly, daily, weekly: See the module.
    """

    newest: int = 5
    hourly: int = 0
    daily: int = 0
    weekly: int = 0


def choose_expired(
    timestamps: Iterable[int], keep: Retention, protected: Collection[int] = ()
) -> list[int]:
    """
    Choose what to delete.

    Args:
        timestamps: Unix seconds of all backups.
        keep: The rules.
        protected: Kept whatever the rules say.

    Returns:
        Oldest first.
    """
    ordered = sorted(set(timestamps), reverse=True)
    if keep.newest == 0:
        return []
    kept = set(ordered[: keep.newest]) | set(protected)
    for count, length in ((keep.hourly, HOUR_S), (keep.daily, DAY_S), (keep.weekly, WEEK_S)):
        shift = MONDAY_S if length == WEEK_S else 0
        last_of: dict[int, int] = {}
        for timestamp in ordered:
            last_of.setdefault((timestamp + shift) // length, timestamp)
        kept.update(list(last_of.values())[:count])
    return [timestamp for timestamp in reversed(ordered) if timestamp not in kept]
