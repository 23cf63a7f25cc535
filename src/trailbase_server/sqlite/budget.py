"""
How long a statement may keep its thread.

SQLite calls back every ``STEPS_PER_CHECK`` steps of its machine, and interrupts the statement whose
time is over. By the clock that is soon the case where others want the same processor or the
interpreter's lock: a read of a tenth of a millisecond has been seen to take a hundred. So whoever
is late by the clock gets half of the time again, measured as time of the processor; only who waits
for something else (a slow disk) is stopped by the clock in the end.
"""

from time import perf_counter, thread_time

STEPS_PER_CHECK = 1_000  # steps of SQLite's machine between two looks at the clock: about 20 µs
GRACE_S = 0.020  # by the clock, for one that was late: a few switches of threads, of 5 ms each
NEVER = float("inf")  # "started" where nothing is running


class Budget:
    """
    The time of one statement after the other.

    Args:
        limit_s: Seconds for each.

    Attributes:
        limit_s: The same.
        started: When the one that is running has begun, in monotonic seconds; set by who runs it.
    """

    __slots__ = ("_cpu_s", "_late", "_looked", "limit_s", "started")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.started = NEVER
        self._late = NEVER  # the start of the statement that gets time again
        self._looked = self._cpu_s = 0.0  # when it was late first, by both clocks

    def is_over(self) -> bool:
        """Has the running statement had its time? For the thread that runs it."""
        now = perf_counter()
        if now - self.started <= self.limit_s:
            return False
        if self._late != self.started:
            self._late, self._looked, self._cpu_s = self.started, now, thread_time()
            return False
        return now - self._looked > GRACE_S or thread_time() - self._cpu_s > self.limit_s / 2
