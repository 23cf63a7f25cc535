import time

from trailbase_server.clock import SYSTEM_CLOCK, FrozenClock


def test_the_system_clock_tells_the_time():
    assert abs(SYSTEM_CLOCK.now() - time.time()) < 5
    assert isinstance(SYSTEM_CLOCK.now_s(), int)
    assert SYSTEM_CLOCK.monotonic() <= SYSTEM_CLOCK.monotonic()


def test_a_frozen_clock_moves_only_when_told():
    clock = FrozenClock(100.5)
    assert (clock.now(), clock.now_s(), clock.monotonic()) == (100.5, 100, 100.5)
    clock.advance(2)
    assert clock.now() == 102.5
