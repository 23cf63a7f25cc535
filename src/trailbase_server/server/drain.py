"""
The end of a server, from the signal to the last connection.

1. Readiness says ``draining``, and every answer ends its connection: clients that keep theirs open
   learn where to go next from an answer, not from a reset.
2. A server that waits to take over gets to listen (``server.handover``).
3. For ``--drain-delay`` seconds all goes on, for balancers to notice.
4. Nothing is accepted any more. Clients that have just been at it get ``QUIET_S`` for one more
   request, whose answer sends them away; then idle connections are closed.
5. What is running is finished (``server.serve``).
"""

import asyncio
from collections.abc import Collection, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.server.handover import await_successor
from trailbase_server.server.notify import notify
from trailbase_server.web.front_door import FrontDoor

if TYPE_CHECKING:
    from trailbase_server.server.lock import FileLock
    from trailbase_server.server.opened import OpenDepot

QUIET_S = 0.5  # a client whose last request is older than this is not about to send the next
LINGER_S = 2.0  # longest time for all of them: some never pause
LOOK_S = 0.02  # between two looks at the connections


def begin_drain(depot: "OpenDepot") -> None:
    """Tell everybody, in every way there is, that the server is about to stop."""
    depot.readiness.drain()
    depot.gate.is_draining = True
    notify("STOPPING=1")


async def drain(depot: "OpenDepot", lock: "FileLock") -> None:
    """Wait until nothing more needs to be accepted."""
    started = SYSTEM_CLOCK.monotonic()
    await await_successor(depot.options.depot, lock)
    left_s = depot.options.drain_delay - (SYSTEM_CLOCK.monotonic() - started)
    await asyncio.sleep(max(0.0, left_s))


async def linger(connections: Collection[Any], handshakes: Iterable[Collection[Any]] = ()) -> None:
    """
    Wait until no connection is likely to bring a request at this moment.

    Args:
        connections: Of all listeners.
        handshakes: Those of each that are not encrypted yet.
    """
    pending = list(handshakes)
    end = perf_counter() + LINGER_S
    # An event would cost every request.
    while perf_counter() < end and (  # noqa: ASYNC110
        any(pending) or any(map(_is_lively, connections))
    ):
        await asyncio.sleep(LOOK_S)


def _is_lively(connection: object) -> bool:
    return isinstance(connection, FrontDoor) and connection.is_lively(QUIET_S)
