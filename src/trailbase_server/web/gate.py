"""
How many connections a server holds, and the round that looks after them.

Every connection costs memory and a file descriptor, so their number is bounded, in total and for
each address. A trusted proxy brings the connections of many: only the total holds for it. Instead
of timers for each connection there is one round a second, which asks every connection whether its
client still deserves patience (``web.patience``); without connections there is none.
"""

import asyncio
import resource
from collections import Counter
from time import perf_counter
from typing import Protocol

from trailbase_server.web.rate_limit import address_key

# As many as a process may have files, less what databases and answers need, is the usual total.
MAX_CONNECTIONS = 100_000  # where the system knows no bound; some 10 KiB each
SPARE_FILES = 256  # databases, logs, uploads and downloads
MAX_PER_ADDRESS = 1000  # an office behind one address, with a few streams each
ROUND_S = 1.0  # between two looks at all connections: 10,000 of them take about 3 ms


def open_gate(most: int | None, most_per_address: int) -> "Gate":
    """
    Make the gate of a process: no more connections than it may have files.

    Args:
        most, most_per_address: See ``Gate``; None: as many as there may be.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, soft - SPARE_FILES)
    return Gate(min(most or MAX_CONNECTIONS, files), most_per_address)


class Watched(Protocol):
    """A connection."""

    @property
    def is_busy(self) -> bool:
        """A request is being answered, and not by a stream of events."""
        ...

    def check_patience(self, now: float) -> None:
        """
        End the connection if its client has kept us waiting for too long.

        Args:
            now: Monotonic seconds.
        """
        ...


class Gate:
    """
    The connections of all listeners of a server.

    Args:
        most: Of all.
        most_per_address: Of one address, or one network of IPv6 (/64).

    Attributes:
        count: How many there are now.
        refused: How many were not let in so far.
        given_up: Requests that were refused before they were complete, by status.
        is_draining: The server is about to stop: every answer ends its connection.

    Spec:
        server/edge-safety-p1-p2
    """

    def __init__(
        self, most: int = MAX_CONNECTIONS, most_per_address: int = MAX_PER_ADDRESS
    ) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self.count = 0
        self.refused = 0
        self.given_up: Counter[int] = Counter()
        self.is_draining = False
        self._by_address: Counter[str] = Counter()
        self._watched: set[Watched] = set()
        self._next_round: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> int:
        """Connections with a request that is being answered; looks at all of them."""
        return sum(connection.is_busy for connection in self._watched)

    def enter(self, address: str | None) -> bool:
        """
        Count a connection.

        Args:
            address: Of the peer; None for a peer that speaks for others.

        Returns:
            May it come in? If so, ``leave`` has to be called with the same address in the end.
        """
        key = None if address is None else address_key(address)
        if self.count >= self.most or (
            key is not None and self._by_address.get(key, 0) >= self.most_per_address
        ):
            self.refused += 1
            return False
        self.count += 1
        if key is not None:
            self._by_address[key] += 1
        return True

    def leave(self, address: str | None) -> None:
        """Count a connection no longer."""
        self.count -= 1
        if address is not None:
            key = address_key(address)
            self._by_address[key] -= 1
            if not self._by_address[key]:
                del self._by_address[key]

    def watch(self, connection: Watched) -> None:
        """Look after a connection from now on."""
        self._watched.add(connection)
        if self._next_round is None:
            self._next_round = asyncio.get_running_loop().call_later(ROUND_S, self._go_round)

    def unwatch(self, connection: Watched) -> None:
        """Look after it no longer."""
        self._watched.discard(connection)

    def _go_round(self) -> None:
        now = perf_counter()
        for connection in tuple(self._watched):
            connection.check_patience(now)
        self._next_round = (
            asyncio.get_running_loop().call_later(ROUND_S, self._go_round)
            if self._watched
            else None
        )
