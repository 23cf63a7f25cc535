"""A job: what is done when, what became of its last run, and how it is getting on."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from trailbase_server.config.schedule import Schedule
from trailbase_server.errors import PreconditionError

FIRST_OWN_ID = 1024  # of jobs that are added without an id; the smaller ones are the system's
MAX_RUN_S = 3600.0  # then a run that says nothing else is cancelled: it hangs
MAX_ERROR_CHARS = 1_000  # of what a failed run says

Work = Callable[[], Awaitable[object]]
"""One run. It may be cancelled where it waits; what it returns is not looked at."""


class UnknownJobError(PreconditionError):
    """There is no job of this id: 412."""

    def __init__(self) -> None:
        super().__init__("precondition failed: Job not found")


class Job(Struct, frozen=True):
    """
    What there is to do.

    Attributes:
        name: For people; unique.
        schedule: When.
        work: What.
        id: None: the scheduler gives one from ``FIRST_OWN_ID`` on.
        enabled: Runs by itself; by hand it always can.
        timeout_s: Longest run.
        is_remembered: Runs are written down. Not for what runs every minute: the disk may sleep.
    """

    name: str
    schedule: Schedule
    work: Work
    id: int | None = None
    enabled: bool = True
    timeout_s: float = MAX_RUN_S
    is_remembered: bool = True


class Run(Struct, frozen=True):
    """
    One run that has ended.

    Attributes:
        started: Unix time in seconds.
        duration_ms: How long it took.
        error: What went wrong, for operators; None: nothing.
        by_hand: Somebody asked for it.
    """

    started: float
    duration_ms: int
    error: str | None = None
    by_hand: bool = False


class JobStatus(Struct, frozen=True):
    """
    How a job is getting on.

    Attributes:
        id, name, enabled: Of the job.
        schedule: Source text.
        next: Unix time in seconds of the next run by itself; None when disabled.
        latest: The last run that has ended, by hand or by itself; None before the first.
        running: A run is under way in this process.
        runs, failures: Runs of this process that have ended, and those of them with an error.
        missed: Moments that passed without a run, since the depot was made: the server was down,
            or the run before still went on.
        last_success: Unix time in seconds when the last good run started, None before it.
    """

    id: int
    name: str
    schedule: str
    enabled: bool
    next: int | None
    latest: Run | None
    running: bool
    runs: int
    failures: int
    missed: int
    last_success: float | None
