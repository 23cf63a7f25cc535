"""While the server runs: tidy up accounts, hourly, for the first time an hour after the start."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trailbase_server.auth.state import AuthState
from trailbase_server.auth.upkeep import (
    delete_abandoned_anonymous,
    delete_expired,
    forget_deleted,
)
from trailbase_server.errors import AppError

log = logging.getLogger(__name__)
INTERVAL_S = 3600  # between two runs
_WORKS = (delete_expired, delete_abandoned_anonymous, forget_deleted)


@asynccontextmanager
async def account_upkeep(auth: AuthState) -> AsyncIterator[None]:
    """
    Tidy up accounts until the end of the block.

    Args:
        auth: Of an open depot, whose lock is held.

    Spec:
        auth/background-jobs
    """
    task = asyncio.create_task(_run_hourly(auth))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _run_hourly(auth: AuthState) -> None:
    while True:
        await asyncio.sleep(INTERVAL_S)
        for work in _WORKS:
            try:
                await work(auth)
            except AppError as exc:
                log.warning("accounts are not tidied up: %s", exc.detail or exc.public)
            except Exception:  # the edge of a job: the next run may fare better
                log.exception("accounts are not tidied up")
