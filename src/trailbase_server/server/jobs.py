"""
The jobs of the server itself: what each does. When they run says ``schedule``.

Jobs of others are added to ``OpenDepot.scheduler`` and get ids of their own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from trailbase_server.auth.upkeep import (
    delete_abandoned_anonymous,
    delete_expired,
    delete_unconfirmed,
    forget_deleted,
)
from trailbase_server.config.defaults import LOGS_RETENTION_S
from trailbase_server.config.proto.config_pb2 import SystemJobId
from trailbase_server.config.schedule import parse_schedule
from trailbase_server.db.base import Transaction, single_statement
from trailbase_server.errors import UnavailableError
from trailbase_server.jobs.history import JobHistory
from trailbase_server.jobs.job import MAX_RUN_S, Job, Work
from trailbase_server.jobs.locks import JobLocks
from trailbase_server.jobs.scheduler import Scheduler
from trailbase_server.server.audit import forget_old_entries
from trailbase_server.server.leftovers import clear_leftovers
from trailbase_server.server.schedule import SYSTEM_JOBS
from trailbase_server.storage.deletions import MIN_AGE_S, process_file_deletions, queues

if TYPE_CHECKING:
    from trailbase_server.db.base import Database
    from trailbase_server.server.opened import OpenDepot

log = logging.getLogger(__name__)
BACKUP_RUN_S = 6 * 3600.0  # longest backup: terabytes over a slow line


def build_scheduler(
    depot: "OpenDepot", database: "Database", locks: JobLocks, back_up: Work | None = None
) -> Scheduler:
    """
    Make the scheduler of a depot with the system's jobs, as planned where nothing is configured.

    Args:
        depot: What the jobs work on; used when they run.
        database: ``own/jobs.db``.
        locks: One run at a time on this machine.
        back_up: Makes a backup; None: there is no such job.

    Spec:
        server/system-jobs
    """
    scheduler = Scheduler(JobHistory(database), locks)
    works = _works(depot)
    if back_up is not None:
        works[SystemJobId.BACKUP] = back_up
    for job_id, name, schedule, enabled in SYSTEM_JOBS:
        if job_id not in works:
            continue
        scheduler.add(
            Job(
                name,
                parse_schedule(schedule),
                works[job_id],
                id=job_id,
                enabled=enabled,
                timeout_s=BACKUP_RUN_S if job_id == SystemJobId.BACKUP else MAX_RUN_S,
                is_remembered=job_id != SystemJobId.HEARTBEAT,
            )
        )
    return scheduler


@asynccontextmanager
async def run_jobs(depot: "OpenDepot") -> AsyncIterator[None]:
    """
    Run the jobs of an open depot, whose lock is held, until the end of the block.

    Spec:
        server/scheduler-behaviour
    """
    has_leftovers = await clear_leftovers(depot.records)
    await depot.scheduler.start([SystemJobId.FILE_DELETIONS] if has_leftovers else [])
    try:
        yield
    finally:
        await depot.scheduler.stop()


def _works(depot: "OpenDepot") -> dict[int, Work]:
    return {
        SystemJobId.HEARTBEAT: _beat,
        SystemJobId.LOG_CLEANER: partial(_clean_logs, depot),
        SystemJobId.AUTH_CLEANER: partial(_clean_sessions, depot),
        SystemJobId.QUERY_OPTIMIZER: partial(_optimize, depot),
        SystemJobId.FILE_DELETIONS: partial(_delete_files, depot),
        SystemJobId.ANONYMOUS_CLEANER: partial(_clean_anonymous, depot),
    }


async def _beat() -> None:
    log.debug("alive")


async def _clean_logs(depot: "OpenDepot") -> None:
    """Delete rows of both logs that are older than configured; 0 keeps all for ever."""
    server = depot.config.config.server
    has_retention = server.HasField("logs_retention_sec")
    retention_s = server.logs_retention_sec if has_retention else LOGS_RETENTION_S
    if retention_s > 0:
        before = depot.auth.clock.now() - retention_s
        await asyncio.wrap_future(depot.logs.delete_before(before))
    await forget_old_entries(depot)


async def _clean_sessions(depot: "OpenDepot") -> None:
    await delete_expired(depot.auth)
    await delete_unconfirmed(depot.auth)
    await forget_deleted(depot.auth)


async def _clean_anonymous(depot: "OpenDepot") -> None:
    await delete_abandoned_anonymous(depot.auth)


async def _optimize(depot: "OpenDepot") -> None:
    """Refresh what the query planner knows of every database."""
    for database in depot.every_database():
        await database.write(optimize)
    await asyncio.to_thread(depot.optimize_logs)


@single_statement
def optimize(tx: Transaction) -> None:
    """Write job: refresh the statistics of all attached files, in bounded time."""
    tx.run("PRAGMA optimize")


async def _delete_files(depot: "OpenDepot") -> None:
    records = depot.records
    report = await process_file_deletions(
        records.database,
        records.storage,
        queues(records.catalog),
        depot.auth.clock.now_s() - MIN_AGE_S,
    )
    if report.failed:
        raise UnavailableError(detail=f"{report.failed} files could not be deleted")
