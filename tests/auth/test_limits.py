"""Attempts by key: counting, the window, the bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth import limits
from trailbase_server.auth.limits import AttemptLimit, FlowLimits, identifier_key
from trailbase_server.clock import FrozenClock
from trailbase_server.errors import TooManyRequestsError

KEY = b"somebody"


def test_so_many_and_no_more():
    limit = AttemptLimit(FrozenClock(), 3, 60)
    assert [limit.take(KEY) for _ in range(5)] == [True] * 3 + [False] * 2
    assert limit.take(b"another")
    with pytest.raises(TooManyRequestsError):
        limit.demand(KEY)


def test_the_window_begins_with_the_last_attempt_that_counted():
    clock = FrozenClock()
    limit = AttemptLimit(clock, 2, 60)
    limit.take(KEY)
    clock.advance(59)
    limit.take(KEY)
    clock.advance(59)
    assert not limit.take(KEY)
    clock.advance(1)
    assert limit.take(KEY)


def test_forgetting_and_exhausting():
    limit = AttemptLimit(FrozenClock(), 1, 60)
    limit.exhaust(KEY)
    assert not limit.take(KEY)
    limit.forget(KEY)
    assert limit.take(KEY)


def test_the_key_unused_for_longest_goes_first(monkeypatch):
    monkeypatch.setattr(limits, "CAPACITY", 2)
    limit = AttemptLimit(FrozenClock(), 2, 60)
    for key in (b"a", b"b", b"a", b"c"):
        limit.take(key)
    assert set(limit._counted) == {b"a", b"c"}


@given(st.lists(st.sampled_from([0, 1, 29, 30, 61])), st.integers(1, 4))
def test_no_window_holds_more_than_the_limit(pauses, attempts):
    clock = FrozenClock()
    limit = AttemptLimit(clock, attempts, 60)
    passed = []
    for pause in pauses:
        clock.advance(pause)
        if limit.take(KEY):
            passed.append(clock.at)
    assert all(
        late - early >= 60 or late == early or passed.index(late) < attempts
        for early, late in zip(passed, passed[attempts:], strict=False)
    )


def test_letter_case_and_blanks_are_one_key():
    assert identifier_key(" Nora@Auth.test ") == identifier_key("nora@auth.test")
    assert identifier_key("nora") != identifier_key("norah")


def test_a_half_finished_log_in_expires_before_its_guesses_are_forgotten():
    assert FlowLimits(FrozenClock()).pending._window_s >= 120 + 60
