"""
What is remembered of jobs across restarts (``data/own/jobs.db``): their last runs, and up to when
their moments have been accounted for. Commands beside a running server read and add to it.
"""

from typing import cast

from msgspec import Struct

from trailbase_server.db.base import Database, Transaction
from trailbase_server.jobs.job import Run

KEEP_RUNS = 50  # of each job: two days of an hourly one

_SELECT_JOBS = "SELECT id, name, schedule, seen, missed, succeeded FROM job"
_SELECT_LATEST = """
SELECT job, name, started, duration_ms, error, by_hand FROM run
WHERE id IN (SELECT max(id) FROM run GROUP BY job)
"""
_UPSERT_JOB = """
INSERT INTO job (id, name, schedule, seen, missed, succeeded) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (id) DO UPDATE SET
  name = excluded.name, schedule = excluded.schedule, seen = excluded.seen,
  missed = excluded.missed,
  succeeded = CASE WHEN name = excluded.name AND succeeded > coalesce(excluded.succeeded, 0)
                   THEN succeeded ELSE excluded.succeeded END
"""
_SUCCEED = "UPDATE job SET succeeded = ?3 WHERE id = ?1 AND name = ?2"
_INSERT_RUN = """
INSERT INTO run (job, name, started, duration_ms, error, by_hand) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
"""
_FORGET_RUNS = """
DELETE FROM run
WHERE job = ?1
  AND id <= (SELECT id FROM run WHERE job = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
"""


class Memory(Struct, frozen=True):
    """
    What is remembered of one job.

    Attributes:
        id, name: Of the job; another name is another job.
        schedule: Source text; None: it was disabled.
        seen: Unix time in seconds up to which its moments have been accounted for.
        missed: Moments without a run.
        succeeded: Unix time in seconds of the start of the last good run.
    """

    id: int
    name: str
    schedule: str | None
    seen: float
    missed: int
    succeeded: float | None


class JobHistory:
    """
    The tables of jobs and their runs.

    Args:
        database: ``own/jobs.db``, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_jobs(self) -> dict[int, Memory]:
        """Read what is remembered, by the id of the job."""
        rows = await self._database.query(_SELECT_JOBS)
        return {cast(int, row[0]): Memory(*row) for row in rows}  # type: ignore[arg-type]  # STRICT

    async def read_latest(self) -> dict[tuple[int, str], Run]:
        """Read the last run of each job, by id and name."""
        rows = await self._database.query(_SELECT_LATEST)
        return {
            (cast(int, job), cast(str, name)): Run(
                cast(float, started), cast(int, duration), cast("str | None", error), bool(by_hand)
            )
            for job, name, started, duration, error, by_hand in rows
        }

    async def save(self, jobs: list[Memory]) -> None:
        """Write down how far jobs have come."""
        await self._database.write(_save_jobs, jobs)

    async def add(self, job_id: int, name: str, run: Run) -> None:
        """Write down a run that has ended; the oldest ones are forgotten."""
        await self._database.write(_add_run, job_id, name, run)


def _save_jobs(tx: Transaction, jobs: list[Memory]) -> None:
    for job in jobs:
        tx.run(_UPSERT_JOB, (job.id, job.name, job.schedule, job.seen, job.missed, job.succeeded))


def _add_run(tx: Transaction, job_id: int, name: str, run: Run) -> None:
    tx.run(_INSERT_RUN, (job_id, name, run.started, run.duration_ms, run.error, int(run.by_hand)))
    tx.run(_FORGET_RUNS, (job_id, KEEP_RUNS))
    if run.error is None:
        tx.run(_SUCCEED, (job_id, name, run.started))
