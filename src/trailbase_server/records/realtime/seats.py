"""
How many streams there may be: in total, of one user, from one address.

A stream costs memory and a socket for as long as its client likes, so nobody may take all of them.
Somebody's test suite opens 800 as one user; a company may be behind one address.
"""

from collections import Counter
from typing import TypeVar

from trailbase_server.errors import TooManyRequestsError
from trailbase_server.records.realtime.plan import User

T = TypeVar("T")

MAX_STREAMS = 16_384  # in total; about 4 KiB each, and a file descriptor
MAX_STREAMS_OF_USER = 1_024  # many tabs and devices
MAX_STREAMS_FROM_ADDRESS = 2_048  # an office behind one address


class Seats:
    """Counts streams."""

    def __init__(self) -> None:
        self._total = 0
        self._users: Counter[bytes] = Counter()
        self._addresses: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Streams now."""
        return self._total

    def take(self, user: User, address: str) -> None:
        """
        Count a stream.

        Args:
            user: Whose it is, None for anonymous ones.
            address: Of the client, empty if unknown.

        Raises:
            TooManyRequestsError: 429; nothing has been counted.
        """
        if (
            self._total >= MAX_STREAMS
            or (user is not None and self._users[user] >= MAX_STREAMS_OF_USER)
            or (address and self._addresses[address] >= MAX_STREAMS_FROM_ADDRESS)
        ):
            raise TooManyRequestsError("too many subscriptions")
        self._total += 1
        if user is not None:
            self._users[user] += 1
        if address:
            self._addresses[address] += 1

    def leave(self, user: User, address: str) -> None:
        """Count a stream that is over; arguments as for ``take``."""
        self._total -= 1
        if user is not None:
            _decrease(self._users, user)
        if address:
            _decrease(self._addresses, address)


def _decrease(counter: Counter[T], key: T) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
