"""
What a database has been doing, counted where it happens and looked at by the metrics.

Counted are turns, not the writes in them, and reads on threads, not those on the event loop, which
are a few microseconds each: the engine itself counts those.
"""

from typing import NamedTuple

from trailbase_server.tally import SIZE_BOUNDS, Distribution, Histogram


class TurnMeters:
    """
    Of the writer.

    Attributes:
        wait: Seconds that the first job of a turn has waited for it.
        turn: Seconds of a turn, commit included.
        commit: Seconds of a commit.
        jobs: Writes of a turn.
        moved: Jobs that were longer at it than their budget and went on in the thread.
        busy: Turns that found the file locked by another process.
        failed: Commits that failed.
    """

    __slots__ = ("busy", "commit", "failed", "jobs", "moved", "turn", "wait")

    def __init__(self) -> None:
        self.wait, self.turn, self.commit = Histogram(), Histogram(), Histogram()
        self.jobs = Histogram(SIZE_BOUNDS)
        self.moved = self.busy = self.failed = 0


class ReadMeters:
    """
    Of the readers.

    Attributes:
        wait: Seconds that reads have waited for a thread.
        run: Seconds that they took there.
        moved: Statements that exceeded the budget of the event loop.
    """

    __slots__ = ("moved", "run", "wait")

    def __init__(self) -> None:
        self.wait, self.run = Histogram(), Histogram()
        self.moved = 0

    def add(self, asked: float, stamps: list[float]) -> None:
        """
        Count a read on a thread; called where it was asked for.

        Args:
            asked: Monotonic seconds.
            stamps: When it began and when it ended; fewer if it was given up.
        """
        if len(stamps) > 1:
            self.wait.add(stamps[0] - asked)
            self.run.add(stamps[1] - stamps[0])


class DatabaseStatistics(NamedTuple):
    """
    How a database is getting on.

    Attributes:
        reads_waiting, writes_waiting: Queues at this moment.
        inline_reads: Statements that were run on the event loop.
        read_wait, read_run, reads_moved: See ``ReadMeters``.
        write_wait, turn, commit, jobs, writes_moved, failed_commits: See ``TurnMeters``.
        busy: Turns that found the file locked.
        checkpoint: Seconds of a checkpoint.
        failed_checkpoints: Those that were kept from finishing by a reader.
    """

    reads_waiting: int
    writes_waiting: int
    inline_reads: int
    read_wait: Distribution
    read_run: Distribution
    reads_moved: int
    write_wait: Distribution
    turn: Distribution
    commit: Distribution
    jobs: Distribution
    writes_moved: int
    failed_commits: int
    busy: int
    checkpoint: Distribution
    failed_checkpoints: int
