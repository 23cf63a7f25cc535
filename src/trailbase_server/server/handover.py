"""
One server takes over from another on one machine, and no connection is refused.

Theory of operation
-------------------
With ``--reuse-port`` both bind the same address; with ``--wait-for-lock`` the new one waits for the
depot. Two locked files in ``data/`` are all they know of each other:

.. code-block:: text

    old (holds .lock)                        new (holds .next)
    serves                                   is started: checks the configuration, binds
    is told to stop; .lock: "draining" ────▶ listens: new connections wait in its queue
    sees .next: "listening" ◀─────────────── .next: "listening"
    accepts for SETTLE_S what still comes
    stops listening, finishes, ends ───────▶ gets .lock, opens the depot, serves

The new one does not listen before: until the old one is told to stop, it may fail and nobody
notices. From then on the kernel gives it all new connections (``server.sockets.steer``), so the old
one's queue runs empty before it is closed, because closing would reset what is in it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.errors import OperatorError
from trailbase_server.server.lock import FileLock, open_lock, refuse_depot

log = logging.getLogger(__name__)
NEXT_FILE = "data/.next"
DRAINING = "draining"
LISTENING = "listening"
LOOK_S = 0.05  # between two looks at the other's file
SUCCESSOR_S = 5.0  # patience of the old one: the new one only has to wake up and listen
SETTLE_S = 0.2  # handshakes under way: a few round trips


@asynccontextmanager
async def held_depot(
    root: Path, wait_s: float, listen: Callable[[], None]
) -> AsyncIterator[FileLock]:
    """
    Hold the lock of a depot until the end of the block, and listen.

    Args:
        root: The depot.
        wait_s: How long another server may take to give it up.
        listen: Begin to listen; called once, when no server listens or the one that does has been
            told to stop.

    Raises:
        OperatorError: Another server keeps it, or a file cannot be made.

    Spec:
        server/zero-downtime-operation-p2
    """
    lock = open_lock(root)
    try:
        if lock.acquire():
            listen()
        elif wait_s > 0:
            await _wait(root, lock, wait_s, listen)
        else:
            raise refuse_depot(root, lock)
        yield lock
    finally:
        lock.close()


async def _wait(root: Path, lock: FileLock, wait_s: float, listen: Callable[[], None]) -> None:
    follower = open_lock(root, NEXT_FILE)
    try:
        is_next = is_listening = has_waited = False
        end = SYSTEM_CLOCK.monotonic() + wait_s
        while True:
            is_next = is_next or follower.acquire()
            has_lock = lock.acquire()
            if not is_listening and (has_lock or (is_next and lock.read()[1] == DRAINING)):
                listen()
                is_listening = True
                if is_next:
                    follower.mark(LISTENING)
            if has_lock:
                return
            if not has_waited:
                has_waited = True
                log.info("Waiting for the server that has the depot (process %s)", lock.read()[0])
            if SYSTEM_CLOCK.monotonic() > end:
                raise refuse_depot(root, lock)
            await asyncio.sleep(LOOK_S)
    finally:
        follower.close()


async def await_successor(root: Path, lock: FileLock) -> None:
    """
    Say that we are about to stop; if another server waits for that, wait until it listens.

    Args:
        root: The depot.
        lock: Ours.
    """
    lock.mark(DRAINING)
    if not (root / NEXT_FILE).exists():
        return
    try:
        follower = open_lock(root, NEXT_FILE)
    except OperatorError:  # somebody else's file: not one of ours is waiting
        return
    try:
        end = SYSTEM_CLOCK.monotonic() + SUCCESSOR_S
        while SYSTEM_CLOCK.monotonic() < end and not follower.acquire():
            if follower.read()[1] == LISTENING:
                await asyncio.sleep(SETTLE_S)
                return
            await asyncio.sleep(LOOK_S)
    finally:
        follower.close()
