"""The only place that reads the time; all others take a ``Clock``, so that tests can stop it."""

import time


class Clock:
    """
    Wall-clock and monotonic time.

    Methods return seconds; ``now`` is Unix time, ``monotonic`` has an arbitrary origin.
    """

    __slots__ = ()

    def now(self) -> float:
        """Unix time in seconds with fraction."""
        return time.time()

    def now_s(self) -> int:
        """Unix time in whole seconds."""
        return int(time.time())

    # The function itself: it is called for each request.
    monotonic = staticmethod(time.perf_counter)
    """Seconds for measuring durations."""


class FrozenClock(Clock):
    """
    A clock that moves only when told to.

    Args:
        at: Unix time in seconds it shows first.
    """

    __slots__ = ("at",)

    def __init__(self, at: float = 1_800_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def now_s(self) -> int:
        return int(self.at)

    def monotonic(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds``."""
        self.at += seconds


SYSTEM_CLOCK = Clock()
