"""The moments of a schedule, in UTC: the next one after a time, and how many lie between two."""

from calendar import monthrange, timegm
from collections.abc import Iterator
from datetime import UTC, date, datetime

from trailbase_server.config.schedule import Schedule

LAST_SECOND = 4_133_980_799  # the end of 2100, after which no schedule has a moment


def next_moment(schedule: Schedule, after: float) -> int | None:
    """
    Find the first moment that is strictly later than a time.

    Args:
        schedule: Parsed.
        after: Unix time in seconds.

    Returns:
        Unix time in seconds; None if there is none any more, or never was: 30 February.

    Spec:
        server/schedule-syntax
    """
    first = max(int(after // 1) + 1, 0)
    if first > LAST_SECOND:
        return None
    times = _Times(schedule)
    start = datetime.fromtimestamp(first, UTC)
    for day in _days(schedule, start.date()):
        midnight = timegm(day.timetuple())
        second = times.first_from(max(first - midnight, 0))
        if second is not None:
            return midnight + second
    return None


def count_moments(schedule: Schedule, after: float, until: float, limit: int) -> int:
    """Count the moments with ``after < moment <= until``, at most ``limit``."""
    count = 0
    moment = next_moment(schedule, after)
    while moment is not None and moment <= until and count < limit:
        count += 1
        moment = next_moment(schedule, moment)
    return count


class _Times:
    """The times of day of a schedule, as seconds since midnight."""

    def __init__(self, schedule: Schedule) -> None:
        self._hours = sorted(schedule.hours)
        self._minutes = sorted(schedule.minutes)
        self._seconds = sorted(schedule.seconds)

    def first_from(self, start: int) -> int | None:
        """Find the first one that is not before ``start``."""
        hour, rest = divmod(start, 3600)
        minute, second = divmod(rest, 60)
        for one in self._hours:
            if one < hour:
                continue
            for two in self._minutes:
                if one == hour and two < minute:
                    continue
                for three in self._seconds:
                    if (one, two) > (hour, minute) or three >= second:
                        return one * 3600 + two * 60 + three
        return None


def _days(schedule: Schedule, start: date) -> Iterator[date]:
    """All days of a schedule from ``start`` on, in order."""
    months, days = sorted(schedule.months), sorted(schedule.days)
    for year in sorted(schedule.years):
        if year < start.year:
            continue
        for month in months:
            if (year, month) < (start.year, start.month):
                continue
            weekday, length = monthrange(year, month)  # of its first day, Monday being 0
            for day in days:
                if day > length:
                    break
                # 1 is Sunday: Monday, 0 here, is 2.
                if (weekday + day) % 7 + 1 not in schedule.weekdays:
                    continue
                found = date(year, month, day)
                if found >= start:
                    yield found
