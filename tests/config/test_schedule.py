import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.config.schedule import ALIASES, Schedule, ScheduleError, parse_schedule

RANGES = {
    "seconds": (0, 59),
    "minutes": (0, 59),
    "hours": (0, 23),
    "days": (1, 31),
    "months": (1, 12),
    "weekdays": (1, 7),
    "years": (1970, 2100),
}


def everything(name):
    first, last = RANGES[name]
    return frozenset(range(first, last + 1))


def test_the_aliases():
    weekly = parse_schedule("@weekly")
    assert (weekly.weekdays, weekly.hours, weekly.days) == ({1}, {0}, everything("days"))
    assert parse_schedule("@monthly").days == {1}
    assert parse_schedule("@yearly").months == {1}
    assert parse_schedule("@hourly").hours == everything("hours")
    assert all(parse_schedule(alias).seconds == {0} for alias in ALIASES)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("17 * * * * * *", "seconds", {17}),
        ("*/20 * * * * *", "seconds", {0, 20, 40}),
        ("5/20 * * * * *", "seconds", {5, 25, 45}),
        ("10-20/5,59 * * * * *", "seconds", {10, 15, 20, 59}),
        ("0 0 0 ? * ?", "days", everything("days")),
        ("0 0 0 * jan,MAR-may,December *", "months", {1, 3, 4, 5, 12}),
        ("0 0 0 * * MON-FRI", "weekdays", {2, 3, 4, 5, 6}),
        ("0 0 0 * * tues,thurs,Saturday", "weekdays", {3, 5, 7}),
        ("0 0 0 * * mon-fri/2", "weekdays", {2, 4, 6}),
        ("0 30 2 * * MON-FRI 2030-2040", "years", set(range(2030, 2041))),
        ("0 0 0 * * *", "years", everything("years")),
    ],
)
def test_a_field_is_a_set_of_numbers(text, name, expected):
    assert getattr(parse_schedule(text), name) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "0 0 * * *", "0 0 0 0 0 0 0 0", "@midnight", "@Daily", "@every 5m", "@"),
        *("60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 32 * *", "0 0 0 * 13 *"),
        *("0 0 0 * * 0", "0 0 0 * * 8", "0 0 0 * * * 1969", "0 0 0 * * * 2101"),
        *("*/0 * * * * *", "*/60 * * * * *", "*/100 * * * * *", "20-10 * * * * *"),
        *("? * * * * *", "0 0 0 * ? *", "0 0 0 * jan/2 *", "0 0 0 * * sat-sun", "0 0 0 L * *"),
        *("1, * * * * *", "- * * * * *", "1- * * * * *", "-1 * * * * *", "*-5 * * * * *"),
        *("1/ * * * * *", "a * * * * *", "1.5 * * * * *", "٣ * * * * *", "+1 * * * * *"),
        "9" * 5000 + " * * * * *",
    ],
)
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ScheduleError):
        parse_schedule(text)


@st.composite
def fields(draw):
    texts, expected = [], []
    for name, (first, last) in RANGES.items():
        kind = draw(st.sampled_from(["star", "value", "range", "step", "list"]))
        low = draw(st.integers(first, last))
        high = draw(st.integers(low, last))
        step = draw(st.integers(1, last))
        text, numbers = {
            "star": ("*", range(first, last + 1)),
            "value": (f"{low}", [low]),
            "range": (f"{low}-{high}", range(low, high + 1)),
            "step": (f"{low}-{high}/{step}", range(low, high + 1, step)),
            "list": (f"{low},{high}", [low, high]),
        }[kind]
        texts.append(text)
        expected.append((name, frozenset(numbers)))
    return " ".join(texts), dict(expected)


@given(fields())
def test_numbers_are_those_that_were_written(case):
    text, expected = case
    assert parse_schedule(text) == Schedule(source=text, **expected)


@given(st.text(alphabet="0123456789*/-,?@ dailymonjx", max_size=30))
def test_any_text_is_a_schedule_or_refused(text):
    try:
        schedule = parse_schedule(text)
    except ScheduleError:
        return
    assert all(getattr(schedule, name) <= everything(name) for name in RANGES)
    assert all(getattr(schedule, name) for name in RANGES)
