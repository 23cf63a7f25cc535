"""What is said about databases: queues, turns, commits, slow reads, files."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trailbase_server.server.metrics.families import counter, gauge, histogram
from trailbase_server.server.metrics.reading import Reading

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from trailbase_server.sqlite.meters import DatabaseStatistics

_GAUGES = {
    "reads_waiting": ("sqlite_reads_waiting", "Reads on a thread, or waiting for one."),
    "writes_waiting": ("sqlite_writes_waiting", "Writes that wait for a turn."),
}
_COUNTERS = {
    "inline_reads": ("sqlite_inline_reads", "Statements read on the event loop."),
    "reads_moved": ("sqlite_reads_over_budget", "Reads that had to move to a thread."),
    "writes_moved": ("sqlite_writes_over_budget", "Writes that had to move to a thread."),
    "busy": ("sqlite_busy", "Turns that found the file locked by another process."),
    "failed_commits": ("sqlite_failed_commits", "Commits that failed: a full disk, for one."),
    "failed_checkpoints": (
        "sqlite_failed_checkpoints",
        "Checkpoints that a long read kept from finishing.",
    ),
}
_HISTOGRAMS = {
    "read_wait": ("sqlite_read_wait_seconds", "Wait of a read for a thread."),
    "read_run": ("sqlite_read_duration_seconds", "Time of a read on a thread."),
    "write_wait": ("sqlite_write_wait_seconds", "Wait of the first write of a turn."),
    "turn": ("sqlite_turn_duration_seconds", "Time of a turn, its commit included."),
    "commit": ("sqlite_commit_duration_seconds", "Time of a commit: what the disk takes."),
    "jobs": ("sqlite_turn_writes", "Writes that one turn has committed."),
    "checkpoint": ("sqlite_checkpoint_duration_seconds", "Time of a checkpoint."),
}


def describe_databases(reading: Reading) -> "Iterator[Metric]":
    """Describe what the engine does."""
    databases = reading.databases
    for field, (name, text) in _GAUGES.items():
        yield gauge(name, text, _values(databases, field))
    for field, (name, text) in _COUNTERS.items():
        yield counter(name, text, _values(databases, field))
    for field, (name, text) in _HISTOGRAMS.items():
        yield histogram(
            name, text, [({"database": db}, getattr(one, field)) for db, one in databases.items()]
        )
    disk = reading.disk
    yield gauge("sqlite_file_bytes", "Size of a database file.", _sizes(disk.files))
    yield gauge("sqlite_wal_bytes", "Size of a write-ahead log.", _sizes(disk.logs))


def _values(
    databases: "Mapping[str, DatabaseStatistics]", field: str
) -> list[tuple[dict[str, str], float]]:
    return [({"database": name}, getattr(one, field)) for name, one in databases.items()]


def _sizes(sizes: Mapping[str, int]) -> list[tuple[dict[str, str], float]]:
    return [({"database": name}, size) for name, size in sizes.items()]
