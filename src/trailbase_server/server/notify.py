"""
Tell the service manager how we are getting on: systemd's protocol of one datagram a state.

Without a manager (no ``NOTIFY_SOCKET``) nothing happens. What cannot be delivered is dropped: a
server must not stop because nobody listens to its reports.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from trailbase_server.clock import SYSTEM_CLOCK

PATS_PER_TIMEOUT = 3  # the manager's patience must outlast a slow turn of the event loop


def notify(*states: str, environ: Mapping[str, str] = os.environ) -> None:
    """
    Send states such as ``READY=1`` to the manager.

    Spec:
        server/zero-downtime-operation-p2
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    place = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        channel.sendto("\n".join(states).encode(), place)


def notify_reloading() -> None:
    """Say that a reload has begun; ``READY=1`` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={int(SYSTEM_CLOCK.monotonic() * 1_000_000)}")


@asynccontextmanager
async def pat_watchdog(environ: Mapping[str, str] = os.environ) -> AsyncIterator[None]:
    """Show a manager that wants to know that the event loop turns, until the end of the block."""
    interval_s = watchdog_interval(environ)
    if interval_s is None:
        yield
        return
    task = asyncio.create_task(_pat(interval_s, environ), name="watchdog")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def watchdog_interval(environ: Mapping[str, str]) -> float | None:
    """Seconds between two signs of life; None if nobody waits for them."""
    timeout, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not (timeout.isascii() and timeout.isdigit()) or (pid and pid != str(os.getpid())):
        return None
    return int(timeout) / 1_000_000 / PATS_PER_TIMEOUT or None


async def _pat(interval_s: float, environ: Mapping[str, str]) -> None:
    while True:
        notify("WATCHDOG=1", environ=environ)
        await asyncio.sleep(interval_s)
