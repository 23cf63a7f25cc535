from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.backups.retention import DAY_S, HOUR_S, Retention, choose_expired

TIMES = st.lists(st.integers(0, 100 * DAY_S), max_size=60)
RULES = st.builds(Retention, *[st.integers(0, 6)] * 4)
MONDAY = 1_795_996_800  # 2026-11-30, 00:00 UTC


def test_the_newest_stay():
    assert choose_expired([3, 1, 2, 5, 4], Retention(2)) == [1, 2, 3]
    assert choose_expired([3, 1], Retention(2)) == []


def test_none_is_deleted_while_none_is_made():
    assert choose_expired([1, 2, 3], Retention(0, 1)) == []


def test_one_per_hour_day_and_week():
    quarters = range(MONDAY - 9 * DAY_S, MONDAY + DAY_S, HOUR_S // 4)
    kept = sorted(set(quarters) - set(choose_expired(quarters, Retention(1, 3, 2, 3))))
    assert [time - MONDAY for time in kept] == [
        -7 * DAY_S - 900,  # the Sunday before the week that ended
        -900,
        DAY_S - 2 * HOUR_S - 900,
        DAY_S - HOUR_S - 900,
        DAY_S - 900,
    ]


def test_hours_without_backups_do_not_count():
    assert choose_expired([0, 100 * HOUR_S, 500 * HOUR_S], Retention(1, 3)) == []


@given(TIMES, RULES)
def test_nothing_but_what_is_there_goes_and_the_newest_never_does(times, keep):
    gone = choose_expired(times, keep)
    assert gone == sorted(set(gone))
    assert set(gone) <= set(times)
    assert not set(gone) & set(sorted(set(times))[-max(keep.newest, 1) :])
    rest = [time for time in times if time not in gone]
    assert choose_expired(rest, keep) == []
    bound = keep.newest + keep.hourly + keep.daily + keep.weekly
    assert keep.newest == 0 or len(set(rest)) <= bound


@given(TIMES, RULES, st.sets(st.integers(0, 100 * DAY_S), max_size=3))
def test_the_protected_stay(times, keep, protected):
    assert not set(choose_expired(times, keep, protected)) & protected
