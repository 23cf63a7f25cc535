from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.config.schedule import parse_schedule
from trailbase_server.jobs.moments import count_moments, next_moment

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)  # a Wednesday


def at(text):
    return int(datetime.fromisoformat(text + "Z").timestamp())


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * * *", "2026-03-04 05:06:08"),
        ("7 * * * * *", "2026-03-04 05:07:07"),
        ("17 * * * * * *", "2026-03-04 05:06:17"),
        ("0 30 * * * *", "2026-03-04 05:30:00"),
        ("@hourly", "2026-03-04 06:00:00"),
        ("@daily", "2026-03-05 00:00:00"),
        ("@weekly", "2026-03-08 00:00:00"),
        ("@monthly", "2026-04-01 00:00:00"),
        ("@yearly", "2027-01-01 00:00:00"),
        ("0 0 4 * * SUN", "2026-03-08 04:00:00"),
        ("0 0 4 * * WED", "2026-03-11 04:00:00"),
        ("8 6 5 * * WED", "2026-03-04 05:06:08"),
        ("0 0 0 31 * *", "2026-03-31 00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 0 13 * FRI", "2026-03-13 00:00:00"),
        ("0 0 0 1 1 * 2030", "2030-01-01 00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31 23:59:59"),
    ],
)
def test_the_next_moment(schedule, expected):
    assert next_moment(parse_schedule(schedule), START.timestamp()) == at(expected)


@pytest.mark.parametrize("schedule", ["0 0 0 30 2 *", "0 0 0 * * * 1999", "0 0 0 1 1 * 2026"])
def test_some_schedules_have_no_moment_any_more(schedule):
    assert next_moment(parse_schedule(schedule), START.timestamp()) is None


def test_time_ends_with_the_year_2100():
    every = parse_schedule("* * * * * *")
    end = at("2100-12-31 23:59:59")
    assert next_moment(every, end - 1) == end
    assert next_moment(every, end) is None
    assert next_moment(every, 1e15) is None


def test_it_is_strictly_later_whatever_the_fraction():
    every = parse_schedule("* * * * * *")
    assert next_moment(every, 100.0) == 101
    assert next_moment(every, 100.9) == 101
    assert next_moment(every, -5.0) == 0


def numbers(first, last):
    return st.integers(first, last).map(str) | st.just("*")


@given(
    st.tuples(
        numbers(0, 59),
        numbers(0, 59),
        numbers(0, 23),
        numbers(1, 31),
        numbers(1, 12),
        numbers(1, 7),
    ),
    st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_it_fits_the_schedule_and_no_earlier_day_does(fields, start):
    schedule = parse_schedule(" ".join(fields))
    found = next_moment(schedule, start.timestamp())
    if found is None:
        return
    moment = datetime.fromtimestamp(found, UTC)
    assert moment > start
    assert is_moment(schedule, moment)
    day = moment.date() - timedelta(days=1)
    while day > start.date() and day > moment.date() - timedelta(days=400):
        assert not is_day(schedule, day)
        day -= timedelta(days=1)
    for seconds in range(1, min(int((moment - start).total_seconds()), 90)):
        assert not is_moment(schedule, moment - timedelta(seconds=seconds))


def is_day(schedule, day):
    weekday = day.isoweekday() % 7 + 1
    return (
        day.day in schedule.days and day.month in schedule.months and weekday in schedule.weekdays
    )


def is_moment(schedule, moment):
    return (
        is_day(schedule, moment)
        and moment.hour in schedule.hours
        and moment.minute in schedule.minutes
        and moment.second in schedule.seconds
    )


def test_moments_are_counted():
    hourly = parse_schedule("@hourly")
    assert count_moments(hourly, 0, 3599, 100) == 0
    assert count_moments(hourly, 0, 3600, 100) == 1
    assert count_moments(hourly, 3600, 4 * 3600, 100) == 3
    assert count_moments(hourly, 0, 1e9, 100) == 100
