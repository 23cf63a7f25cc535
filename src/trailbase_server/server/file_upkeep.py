"""
While the server runs: delete objects that nobody refers to, hourly and once after the start.

At the start nobody else serves from this depot, so what is in the tables of deletions then, and in
the spool, was left by a process that has ended: it is due at once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.errors import AppError
from trailbase_server.records.state import RecordsState
from trailbase_server.storage.deletions import (
    MIN_AGE_S,
    make_all_due,
    process_file_deletions,
    queues,
)

log = logging.getLogger(__name__)
INTERVAL_S = 3600  # between two sweeps


@asynccontextmanager
async def file_upkeep(records: RecordsState) -> AsyncIterator[None]:
    """
    Tidy up what is left, then run the job until the end of the block.

    Args:
        records: Of an open depot, whose lock is held.

    Spec:
        server/file-deletion-job
    """
    await asyncio.to_thread(records.storage.spool.sweep)
    names = queues(records.catalog)
    left = [name for name in names if await _has_rows(records, name)]
    if left:
        await records.database.write(make_all_due, left)
    task = asyncio.create_task(_run_hourly(records))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _has_rows(records: RecordsState, queue: str) -> bool:
    return bool(await records.database.query(f"SELECT 1 FROM {queue} LIMIT 1"))  # noqa: S608  # quoted


async def _run_hourly(records: RecordsState) -> None:
    while True:
        try:
            report = await process_file_deletions(
                records.database,
                records.storage,
                queues(records.catalog),
                SYSTEM_CLOCK.now_s() - MIN_AGE_S,
            )
            if report.failed:
                log.warning("%d files could not be deleted", report.failed)
        except AppError as exc:
            log.warning("files are not tidied up: %s", exc.detail or exc.public)
        except Exception:  # the edge of a job: the next run may fare better
            log.exception("files are not tidied up")
        await asyncio.sleep(INTERVAL_S)
