"""
Work whose duration must not show: an answer goes out after the same time whatever there was to do.

Whoever asks for a mail learns nothing about which accounts there are: neither from a status, nor
from the time that looking up, storing and sending takes. The work runs beside the request, and the
request waits for a fixed time; usually the work is done by then.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from trailbase_server.errors import AppError, UnavailableError

log = logging.getLogger(__name__)
PACE_S = 0.4  # longer than it takes to store a mail, and as a rule to send it
MAX_RUNNING = 256  # when full, clients are told to come again (503)
CLOSE_S = 5.0  # patience at the end


class Background:
    """
    Run work beside requests.

    Attributes:
        pace_s: How long a request waits, whatever there is to do.
    """

    def __init__(self) -> None:
        self.pace_s = PACE_S
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """
        Start work and wait for the fixed time, not for the work. What goes wrong is logged.

        Raises:
            UnavailableError: Too much is running.
        """
        if len(self._tasks) >= MAX_RUNNING:
            work.close()
            raise UnavailableError("too many requests at once")
        task = asyncio.get_running_loop().create_task(_guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.sleep(self.pace_s)

    async def finish(self) -> None:
        """Wait for what is running; what takes too long is cancelled."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _guard(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except AppError as exc:
        log.warning("%s: %s", type(exc).__name__, exc.detail or exc.public)
    except Exception:  # the edge: nobody else would see it
        log.exception("internal error in the background")
