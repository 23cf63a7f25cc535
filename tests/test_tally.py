from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.tally import (
    BYTES,
    DURATION_BOUNDS_S,
    SECONDS,
    SIZE_BOUNDS,
    Distribution,
    Histogram,
    Tally,
)

DURATIONS = st.lists(st.floats(0, 100), max_size=50)


@given(DURATIONS)
def test_each_event_is_counted_in_the_first_bucket_that_holds_it(durations):
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    bounds, counts, total = histogram.look()
    assert total == sum(durations)
    for index, count in enumerate(counts):
        above = bounds[index - 1] if index else -1.0
        upto = bounds[index] if index < len(bounds) else float("inf")
        assert count == sum(above < duration <= upto for duration in durations)


def test_bounds_ascend():
    for bounds in (DURATION_BOUNDS_S, SIZE_BOUNDS):
        assert list(bounds) == sorted(set(bounds))


def test_a_size_on_a_bound_counts_below_it():
    histogram = Histogram(SIZE_BOUNDS)
    histogram.add(1)
    histogram.add(2)
    histogram.add(257)
    assert histogram.look() == Distribution(SIZE_BOUNDS, (1, 1, 0, 0, 0, 0, 0, 0, 0, 1), 260)


@given(st.lists(st.tuples(st.sampled_from([200, 204, 429]), st.floats(0, 20), st.integers(0, 99))))
def test_a_tally_keeps_statuses_apart(answers):
    tally = Tally()
    for status, seconds, size in answers:
        tally.add(status, seconds, size)
    looked = tally.look()
    assert set(looked) == {status for status, _, _ in answers}
    for status, (times, sent) in looked.items():
        own = [answer for answer in answers if answer[0] == status]
        assert sum(times.counts) == len(own)
        assert times.total == sum(seconds for _, seconds, _ in own)
        assert sent == sum(size for _, _, size in own)


def test_what_the_hot_path_writes_is_what_add_writes():
    one, other = Tally(), Tally()
    one.add(200, 0.003, 17)
    row = other[200]
    row[bisect_left(DURATION_BOUNDS_S, 0.003)] += 1
    row[SECONDS] += 0.003
    row[BYTES] += 17
    assert one == other
    assert one.look() == other.look()
