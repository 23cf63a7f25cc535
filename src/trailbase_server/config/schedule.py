"""
When a job runs: six or seven fields, or an alias, read into sets of numbers.

.. code-block:: text

    schedule = "@yearly" | "@monthly" | "@weekly" | "@daily" | "@hourly"
             | seconds minutes hours day-of-month month day-of-week [year]
    field    = item { "," item }
    item     = "*" | "?" | "*" "/" step | value | value "/" step | value "-" value [ "/" step ]

Day of week 1 is Sunday. ``?`` stands for ``*`` in the two day fields only. Classic schedules of
five fields are refused: their first field would be taken for seconds.
"""

import re

from msgspec import Struct

MIN_FIELDS = 6
MAX_FIELDS = 7
ALIASES = {
    "@yearly": "0 0 0 1 1 * *",
    "@monthly": "0 0 0 1 * * *",
    "@weekly": "0 0 0 * * 1 *",
    "@daily": "0 0 0 * * * *",
    "@hourly": "0 0 * * * * *",
}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SHORT = 3  # letters of an abbreviated name
_NUMBER = re.compile(r"[0-9]{1,4}\Z")


class ScheduleError(ValueError):
    """The text is no schedule; the message says why."""


class Schedule(Struct, frozen=True):
    """
    The moments of a job: those whose every part is in its set, in UTC.

    Attributes:
        source: The text it was read from.
        seconds, minutes: 0 to 59.
        hours: 0 to 23.
        days: Of the month, 1 to 31; combined with ``weekdays`` by AND.
        months: 1 to 12.
        weekdays: 1 (Sunday) to 7 (Saturday).
        years: 1970 to 2100.
    """

    source: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]


class _Field(Struct, frozen=True):
    name: str
    first: int
    last: int
    names: dict[str, int]
    question: bool = False


def _named(names: tuple[str, ...], extra: dict[str, int]) -> dict[str, int]:
    numbered = {name: number for number, name in enumerate(names, 1)}
    return numbered | {name[:_SHORT]: number for name, number in numbered.items()} | extra


_FIELDS = (
    _Field("seconds", 0, 59, {}),
    _Field("minutes", 0, 59, {}),
    _Field("hours", 0, 23, {}),
    _Field("day of month", 1, 31, {}, question=True),
    _Field("month", 1, 12, _named(_MONTHS, {})),
    _Field("day of week", 1, 7, _named(_WEEKDAYS, {"tues": 3, "thurs": 5}), question=True),
    _Field("year", 1970, 2100, {}),
)


def parse_schedule(text: str) -> Schedule:
    """
    Read a schedule.

    Args:
        text: An alias (its case matters), or fields separated by white space.

    Raises:
        ScheduleError: It is neither.

    Spec:
        server/schedule-syntax
    """
    if text.startswith("@"):
        expanded = ALIASES.get(text)
        if expanded is None:
            raise ScheduleError(f"unknown alias '{text}', known are {', '.join(ALIASES)}")
        parts = expanded.split()
    else:
        parts = text.split()
    if not MIN_FIELDS <= len(parts) <= MAX_FIELDS:
        raise ScheduleError(f"expected 6 or 7 fields, beginning with seconds, got {len(parts)}")
    if len(parts) < MAX_FIELDS:
        parts.append("*")
    values = [_parse_field(part, field) for part, field in zip(parts, _FIELDS, strict=True)]
    return Schedule(text, *values)


def _parse_field(text: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        found.update(_parse_item(item, field))
    return frozenset(found)


def _parse_item(text: str, field: _Field) -> range:
    if text == "?" and field.question:
        return range(field.first, field.last + 1)
    spec, slash, step_text = text.partition("/")
    step = 1
    if slash:
        step = int(step_text) if _NUMBER.match(step_text) else 0
        if not 0 < step <= field.last:
            raise ScheduleError(f"{field.name}: step '{step_text}' is not in 1 to {field.last}")
    first_text, dash, last_text = spec.partition("-")
    if spec == "*":
        first, last = field.first, field.last
    elif dash:
        first, last = _parse_value(first_text, field), _parse_value(last_text, field)
    elif slash and not _NUMBER.match(spec):
        raise ScheduleError(f"{field.name}: a step after '{spec}' needs a range")
    else:
        first = _parse_value(spec, field)
        last = field.last if slash else first
    if last < first:
        raise ScheduleError(f"{field.name}: range '{spec}' runs backwards")
    return range(first, last + 1, step)


def _parse_value(text: str, field: _Field) -> int:
    number = field.names.get(text.lower())
    if number is None and _NUMBER.match(text):
        number = int(text)
    if number is None or not field.first <= number <= field.last:
        raise ScheduleError(f"{field.name}: '{text}' is not in {field.first} to {field.last}")
    return number
