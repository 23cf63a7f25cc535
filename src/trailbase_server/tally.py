"""
Count cheaply what happens, for whoever looks later.

Counting is a part of every request and every turn of a database, looking happens a few times a
minute. So counting is one search in a short tuple and a few additions, without locks, labels or
calls; whoever looks copies the numbers and makes sense of them (``server.metrics``).

Each object is written by one thread at a time; a reader in another one may be one event behind.
"""

from bisect import bisect_left
from typing import NamedTuple

# From what a read costs to what nobody waits for. An event is counted in the first bucket whose
# bound is not below it, as Prometheus does.
DURATION_BOUNDS_S = (
    *(0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
SIZE_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

# Places in a row of a ``Tally``, behind one count for each bound and one for what is beyond.
SECONDS = len(DURATION_BOUNDS_S) + 1
BYTES = SECONDS + 1
WIDTH = BYTES + 1


class Distribution(NamedTuple):
    """
    How a quantity was distributed so far.

    Attributes:
        bounds: Upper ends of the buckets.
        counts: Events in each bucket, and at the end those beyond the last bound.
        total: Sum of all of them.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


class Histogram:
    """
    Counts a quantity by its size.

    Args:
        bounds: Upper ends of the buckets, ascending.
    """

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...] = DURATION_BOUNDS_S) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count one event."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def look(self) -> Distribution:
        """What was counted so far."""
        return Distribution(self._bounds, tuple(self._counts), self._total)


class Tally(dict[int, list[float]]):
    """
    Answers of one operation by status: a row of numbers each.

    A row is made when a status first occurs. On the hot path callers add to it themselves, without
    the call of ``add``:

    .. code-block:: python

        row = tally[status]
        row[bisect_left(DURATION_BOUNDS_S, seconds)] += 1
        row[SECONDS] += seconds
        row[BYTES] += size
    """

    __slots__ = ()

    def __missing__(self, status: int) -> list[float]:
        """Begin a row."""
        row = self[status] = [0] * WIDTH
        return row

    def add(self, status: int, seconds: float, size: int) -> None:
        """
        Count one answer.

        Args:
            status: HTTP status code.
            seconds: How long it took.
            size: Of its body, in bytes.
        """
        row = self[status]
        row[bisect_left(DURATION_BOUNDS_S, seconds)] += 1
        row[SECONDS] += seconds
        row[BYTES] += size

    def look(self) -> dict[int, tuple[Distribution, int]]:
        """How long answers of each status took, and the bytes of their bodies."""
        return {
            status: (
                Distribution(DURATION_BOUNDS_S, tuple(map(int, row[:SECONDS])), row[SECONDS]),
                int(row[BYTES]),
            )
            for status, row in self.items()
        }
