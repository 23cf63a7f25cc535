"""
What has to run, and what forbids it: a pure function of history and files.

A migration is *applied* when its number is in the history. Then it never runs again: a file of
that number with another name or text is *divergent*, worth a warning. All problems are found, not
only the first, and any of them stops the start before something has been changed.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from trailbase_server.migrations.applied import AppliedMigration
from trailbase_server.migrations.migration import Migration


class Plan(Struct, frozen=True):
    """
    What a run will do.

    Attributes:
        pending: Not yet applied, in the order in which they will run.
        divergent: Applied with another name or text; skipped.
        problems: One sentence each; if there are any, nothing may run.
    """

    pending: tuple[Migration, ...]
    divergent: tuple[Migration, ...]
    problems: tuple[str, ...]


def plan(applied: Sequence[AppliedMigration], files: Iterable[Migration]) -> Plan:
    """
    Compare the history with the files.

    Args:
        applied: Rows of the history.
        files: All migrations of the database in any order: the system's first among equals.

    Spec:
        server/planning-rules
    """
    ordered = sorted(files, key=attrgetter("version"))
    done = {row.version: row for row in applied}
    pending: list[Migration] = []
    divergent: list[Migration] = []
    for migration in ordered:
        row = done.get(migration.version)
        if row is None:
            pending.append(migration)
        elif (row.name, row.checksum) != (migration.name, migration.checksum):
            divergent.append(migration)
    present = {migration.version for migration in ordered}
    problems = [
        *_missing(applied, present),
        *_repeated(pending),
        *_late(pending, max(done, default=None)),
    ]
    return Plan(tuple(pending), tuple(divergent), tuple(problems))


def _missing(applied: Iterable[AppliedMigration], present: set[int]) -> Iterable[str]:
    for row in applied:
        if row.version not in present:
            yield (
                f"migration V{row.version}__{row.name} is missing from the filesystem: it was "
                "applied to this database by a file that is gone, or by a newer server"
            )


def _repeated(pending: Iterable[Migration]) -> Iterable[str]:
    for _, group in groupby(pending, key=attrgetter("version")):
        first, *others = group
        for other in others:
            yield (
                f"migration {other.title} is repeated, migration versions must be unique: "
                f"{first.source}, {other.source}"
            )


def _late(pending: Iterable[Migration], newest: int | None) -> Iterable[str]:
    if newest is None:
        return
    for migration in pending:
        if migration.prefix == "V" and migration.version <= newest:
            yield (
                f"migration {migration.title} ({migration.source}) comes too late: version "
                f"{newest} is already applied; name it U{migration.version}__{migration.name}.sql "
                "if its order does not matter"
            )
