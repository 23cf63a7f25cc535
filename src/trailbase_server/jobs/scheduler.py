"""
Run jobs when it is time.

Theory of operation
-------------------
``tick`` begins what is due and says how long nothing will be; a task calls it and sleeps in
between. Each run is a task of its own, so a slow job holds nobody up.

A job never overlaps itself. A moment that comes while the run before still goes on is missed, and
so is one that is noticed more than ``LATE_S`` too late, because the machine slept or no server ran:
missed moments are not caught up, but counted and reported. Who asks for a run by hand while one is
under way gets the result of that one.

A change of a job's schedule touches neither its run nor its history. What is remembered across
restarts is in ``history``; if that cannot be written, jobs run all the same.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.config.schedule import Schedule
from trailbase_server.errors import AppError
from trailbase_server.jobs.history import JobHistory, Memory
from trailbase_server.jobs.job import (
    FIRST_OWN_ID,
    MAX_ERROR_CHARS,
    Job,
    JobStatus,
    Run,
    UnknownJobError,
)
from trailbase_server.jobs.locks import JobLocks
from trailbase_server.jobs.moments import count_moments, next_moment

log = logging.getLogger(__name__)
LATE_S = 60.0  # after its moment in which a run still begins
MAX_SLEEP_S = 60.0  # between two looks at the clock, which somebody may have set
MAX_MISSED = 10_000  # moments counted at once: three hours of a job that runs every second
MAX_JOBS = 1_000  # more are a loop that adds jobs
STOP_S = 5.0  # patience with runs at the end


class _Entry:
    """A job with its plan and what became of it."""

    def __init__(self, job: Job, job_id: int, now: float) -> None:
        self.id = job_id
        self.job = job
        self.schedule = job.schedule
        self.enabled = job.enabled
        self.next: int | None = None
        self.task: asyncio.Task[Run] | None = None
        self.latest: Run | None = None
        self.runs = self.failures = self.missed = 0
        self.last_success: float | None = None
        self.plan(now)

    def plan(self, now: float) -> None:
        """Find the next moment after ``now``."""
        self.next = next_moment(self.schedule, now) if self.enabled else None

    def take(self, run: Run) -> None:
        """Take over a run that has ended, unless a later one is known."""
        if self.latest is None or run.started >= self.latest.started:
            self.latest = run
        if run.error is None:
            self.last_success = max(run.started, self.last_success or 0.0)

    def status(self) -> JobStatus:
        return JobStatus(
            self.id,
            self.job.name,
            self.schedule.source,
            self.enabled,
            self.next,
            self.latest,
            self.task is not None,
            self.runs,
            self.failures,
            self.missed,
            self.last_success,
        )


class Scheduler:
    """
    The jobs of a server.

    Args:
        history: What is remembered.
        locks: One run at a time, on the whole machine.
        clock: Time of the schedules.
    """

    def __init__(self, history: JobHistory, locks: JobLocks, clock: Clock = SYSTEM_CLOCK) -> None:
        self._history = history
        self._locks = locks
        self._clock = clock
        self._entries: dict[int, _Entry] = {}
        self._ticked = clock.now()
        self._changed = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def add(self, job: Job) -> int:
        """
        Add a job; it first runs at its next moment.

        Returns:
            Its id.

        Raises:
            ValueError: The id or the name are taken, or there are too many jobs.
        """
        own = max(self._entries, default=0) + 1
        job_id = max(own, FIRST_OWN_ID) if job.id is None else job.id
        if job_id in self._entries or any(e.job.name == job.name for e in self._entries.values()):
            raise ValueError(f"there is a job {job_id} or '{job.name}' already")
        if len(self._entries) >= MAX_JOBS:
            raise ValueError(f"more than {MAX_JOBS} jobs")
        self._entries[job_id] = _Entry(job, job_id, self._clock.now())
        self._changed.set()
        return job_id

    def remove(self, job_id: int) -> None:
        """Forget a job; a run that is under way goes on to its end."""
        self._entries.pop(job_id, None)

    def plan(self, job_id: int, schedule: Schedule, *, enabled: bool) -> None:
        """Change when a job runs by itself. What does not change it does nothing."""
        entry = self._find(job_id)
        if (entry.schedule, entry.enabled) == (schedule, enabled):
            return
        entry.schedule, entry.enabled = schedule, enabled
        entry.plan(self._clock.now())
        self._changed.set()

    @property
    def statistics(self) -> list[JobStatus]:
        """All jobs, by id."""
        return [self._entries[job_id].status() for job_id in sorted(self._entries)]

    async def run(self, job_id: int) -> Run:
        """
        Run a job now, or wait for the run that is under way.

        Given up by its caller, the run goes on.

        Raises:
            UnknownJobError: There is no such job.

        Spec:
            server/admin-api
        """
        entry = self._find(job_id)
        return await asyncio.shield(entry.task or self._launch(entry, by_hand=True))

    async def recall(self) -> None:
        """Take over the runs that others have written down: processes before and beside this."""
        try:
            latest = await self._history.read_latest()
        except AppError as exc:
            log.warning("what jobs did elsewhere is not known: %s", exc.detail or exc.public)
            return
        for (job_id, name), run in latest.items():
            entry = self._entries.get(job_id)
            if entry is not None and entry.job.name == name:
                entry.take(run)

    async def look_back(self) -> None:
        """Learn what became of the jobs so far, without running any; for commands."""
        try:
            for entry, memory in self._known(await self._history.read_jobs()):
                entry.missed, entry.last_success = memory.missed, memory.succeeded
        except AppError as exc:
            log.warning("what jobs missed is not known: %s", exc.detail or exc.public)
        await self.recall()

    async def start(self, at_once: Iterable[int] = ()) -> None:
        """
        Begin to run jobs by themselves; report what was missed since the last time.

        Args:
            at_once: Ids of jobs whose first run is now, unless they are disabled.
        """
        now = self._clock.now()
        self._ticked = now
        try:
            self._take_over(await self._history.read_jobs(), now)
        except AppError as exc:
            log.warning("what jobs missed is not known: %s", exc.detail or exc.public)
        await self.recall()
        await self._save()
        for entry in map(self._find, at_once):
            if entry.enabled and entry.task is None:
                self._launch(entry, by_hand=False)
        self._loop = asyncio.get_running_loop().create_task(self._tick_forever(), name="scheduler")

    async def stop(self) -> None:
        """Begin no further run; those under way get ``STOP_S`` to end. Idempotent."""
        if self._loop is None:
            return
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)
        self._loop = None
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._save()

    def tick(self) -> float:
        """
        Begin every run that is due.

        Returns:
            Seconds until the next one, at most ``MAX_SLEEP_S``.

        Spec:
            server/scheduler-behaviour
        """
        now = self._clock.now()
        if now < self._ticked:  # set back: what was planned is too far away
            for entry in self._entries.values():
                entry.plan(now)
        self._ticked = now
        for entry in self._entries.values():
            if entry.next is not None and entry.next <= now:
                self._begin(entry, entry.next, now)
        waiting = [entry.next - now for entry in self._entries.values() if entry.next is not None]
        return min([*waiting, MAX_SLEEP_S])

    # One job

    def _begin(self, entry: _Entry, due: int, now: float) -> None:
        missed = count_moments(entry.schedule, due, now, MAX_MISSED)
        entry.plan(now)
        reason = None
        if now - due > LATE_S:
            reason = "nobody looked at the clock in time"
        elif entry.task is not None:
            reason = "the run before still goes on"
        if reason is None:
            self._launch(entry, by_hand=False)
        else:
            missed += 1
            log.warning("job '%s' missed its moment: %s", entry.job.name, reason)
        entry.missed += missed

    def _launch(self, entry: _Entry, *, by_hand: bool) -> asyncio.Task[Run]:
        task = asyncio.get_running_loop().create_task(
            self._run(entry, by_hand=by_hand), name=f"job {entry.job.name}"
        )
        entry.task = task
        return task

    async def _run(self, entry: _Entry, *, by_hand: bool) -> Run:
        started, clock = self._clock.now(), self._clock.monotonic()
        try:
            with self._locks.hold(entry.id) as is_ours:
                if not is_ours:
                    entry.missed += not by_hand
                    log.warning("job '%s' is run by another process now", entry.job.name)
                    return Run(started, 0, "another process is running this job", by_hand)
                error = await _work(entry.job)
            run = Run(started, int((self._clock.monotonic() - clock) * 1000), error, by_hand)
            entry.runs += 1
            entry.failures += error is not None
            entry.take(run)
            if entry.job.is_remembered:
                await self._remember(entry, run)
        finally:
            entry.task = None
        return run

    # What is remembered

    async def _remember(self, entry: _Entry, run: Run) -> None:
        try:
            await self._history.add(entry.id, entry.job.name, run)
        except AppError as exc:
            log.warning("a run of a job is not written down: %s", exc.detail or exc.public)
            return
        if self._loop is not None:
            await self._save()

    async def _save(self) -> None:
        now = self._clock.now()
        try:
            await self._history.save([_memory(entry, now) for entry in self._entries.values()])
        except AppError as exc:
            log.warning("how far jobs have come is not written down: %s", exc.detail or exc.public)

    def _known(self, memories: dict[int, Memory]) -> Iterator[tuple[_Entry, Memory]]:
        for entry in self._entries.values():
            memory = memories.get(entry.id)
            if memory is not None and memory.name == entry.job.name:
                yield entry, memory

    def _take_over(self, memories: dict[int, Memory], now: float) -> None:
        """Go on counting where the last server stopped."""
        reports = []
        for entry, memory in self._known(memories):
            entry.missed, entry.last_success = memory.missed, memory.succeeded
            if not entry.enabled or memory.schedule != entry.schedule.source:
                continue
            missed = count_moments(entry.schedule, memory.seen, now, MAX_MISSED)
            entry.missed += missed
            if missed and entry.job.is_remembered:
                reports.append(f"{entry.job.name} ({missed})")
        if reports:
            log.info("Runs missed while no server ran: %s", ", ".join(reports))

    # The loop

    async def _tick_forever(self) -> None:
        while True:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.tick()):
                    await self._changed.wait()

    def _find(self, job_id: int) -> _Entry:
        entry = self._entries.get(job_id)
        if entry is None:
            raise UnknownJobError
        return entry


def _memory(entry: _Entry, now: float) -> Memory:
    schedule = entry.schedule.source if entry.enabled else None
    return Memory(entry.id, entry.job.name, schedule, now, entry.missed, entry.last_success)


async def _work(job: Job) -> str | None:
    """Do the work; returns what went wrong."""
    patience = asyncio.timeout(job.timeout_s)
    try:
        async with patience:
            await job.work()
    except AppError as exc:
        error = exc.detail or exc.public or type(exc).__name__
        log.warning("job '%s' failed: %s", job.name, error)
    except asyncio.CancelledError:
        error = "interrupted: the server stopped"
        log.warning("job '%s' was interrupted", job.name)
    except Exception as exc:  # the edge of a job: its next run may fare better
        if patience.expired():
            error = f"took longer than {job.timeout_s:g} seconds"
            log.error("job '%s' %s", job.name, error)  # noqa: TRY400  # the message says it all
        else:
            error = f"{type(exc).__name__}: {exc}"
            log.exception("job '%s' failed", job.name)
    else:
        return None
    return error[:MAX_ERROR_CHARS]
