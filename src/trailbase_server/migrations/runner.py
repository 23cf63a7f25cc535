"""
Bring one database up to date: run what is pending, each migration in a transaction of its own.

A migration and its row in the history are committed together, and only if the script left no
dangling reference that was not there before. Foreign keys are off meanwhile, so that tables can be
rebuilt. What ran before a failure stays; of the failed one nothing does.

Processes that start at the same time take turns: the write lock is taken before a migration is
looked up again, so that each runs once.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import apsw
from msgspec import Struct

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.errors import OperatorError
from trailbase_server.migrations.applied import (
    create_history,
    find_applied,
    read_applied,
    record_applied,
)
from trailbase_server.migrations.migration import Migration
from trailbase_server.migrations.plan import plan
from trailbase_server.migrations.script import ScriptError, run_script
from trailbase_server.sqlite.vectors import load_vectors, needs_vectors

log = logging.getLogger(__name__)
_LISTED = 10  # tables with dangling references that a message names

Violations = Counter[tuple[str, int | None, str]]
"""Dangling references: (table, row id, referenced table)."""


class Result(Struct, frozen=True):
    """
    What a run has done.

    Attributes:
        applied: Titles such as ``V1__initial`` in the order in which they ran.
        fresh: Version 1 was among them: the database is new.
    """

    applied: tuple[str, ...]
    fresh: bool


def migrate(
    connection: apsw.Connection,
    migrations: Iterable[Migration],
    label: str,
    clock: Clock = SYSTEM_CLOCK,
) -> Result:
    """
    Run all pending migrations on schema ``main`` of a connection.

    Args:
        connection: Of role ``migrator``, with the SQL functions that scripts use; no transaction.
        migrations: All of the database: the system's own and those on disk, in any order.
        label: Name of the database for messages.
        clock: Time recorded in the history.

    Raises:
        OperatorError: The files do not fit the history (all reasons, nothing was run), or a script
            failed (file, line, statement; of this one nothing remains).

    Spec:
        server/planning-rules
        server/execution
    """
    try:
        steps = plan(read_applied(connection), migrations)
        for migration in steps.divergent:
            log.warning(
                "Migration %s (%s) differs from what was applied to '%s' DB: skipped",
                migration.title,
                migration.source,
                label,
            )
        if steps.problems:
            raise OperatorError(
                "\n".join(f"Migration error for '{label}' DB: {text}" for text in steps.problems)
            )
        applied = [each for each in steps.pending if _run(connection, each, label, clock)]
    except apsw.Error as exc:
        raise OperatorError(f"Migration error for '{label}' DB: {exc}") from exc
    if applied:
        titles = ", ".join(f"'{migration.title}'" for migration in applied)
        log.info("Successfully applied migrations for '%s' DB: %s", label, titles)
    return Result(
        tuple(migration.title for migration in applied),
        fresh=any(migration.version == 1 for migration in applied),
    )


def _run(connection: apsw.Connection, migration: Migration, label: str, clock: Clock) -> bool:
    where = f"Migration error for '{label}' DB: {migration.source}"
    try:
        return apply_migration(connection, migration, clock)
    except ScriptError as exc:
        raise OperatorError(f"{where}:{exc}") from exc
    except DanglingReferenceError as exc:
        raise OperatorError(f"{where}: {exc}") from exc


class DanglingReferenceError(Exception):
    """A script left references to rows that do not exist."""


def apply_migration(
    connection: apsw.Connection, migration: Migration, clock: Clock = SYSTEM_CLOCK
) -> bool:
    """
    Run one migration with its row in the history, or leave no trace of it.

    Returns:
        False when another process has applied it meanwhile.

    Raises:
        ScriptError: A statement failed.
        DanglingReferenceError: A new violation of a foreign key.

    Spec:
        server/execution
    """
    try:
        return _apply(connection, migration, clock)
    except ScriptError as exc:
        if not needs_vectors(exc.message):
            raise
    # The first script that uses vectors: nothing of it remained, so it can run again.
    load_vectors(connection)
    return _apply(connection, migration, clock)


def _apply(connection: apsw.Connection, migration: Migration, clock: Clock) -> bool:
    with _foreign_keys_off(connection):
        connection.execute("BEGIN IMMEDIATE")
        try:
            create_history(connection)
            if find_applied(connection, migration.version) is not None:
                connection.execute("ROLLBACK")
                return False
            before = _read_violations(connection)
            run_script(connection, migration.sql)
            _check_no_more(before, _read_violations(connection))
            record_applied(connection, migration, clock.now_s())
            connection.execute("COMMIT")
        except BaseException:
            # A script may have ended the transaction itself: INSERT OR ROLLBACK.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return True


@contextmanager
def _foreign_keys_off(connection: apsw.Connection) -> Iterator[None]:
    """Switch enforcement off, outside of a transaction, and undo what scripts leave switched."""
    enforced = connection.pragma("foreign_keys")
    connection.pragma("foreign_keys", 0)
    try:
        yield
    finally:
        connection.pragma("legacy_alter_table", 0)
        connection.pragma("foreign_keys", enforced)


def _read_violations(connection: apsw.Connection) -> Violations:
    # A table rebuilt without a key of its own may number its rows anew; a violation that was
    # there before then counts as new, and the message names the table.
    rows = connection.execute("PRAGMA main.foreign_key_check")
    return Counter((table, rowid, parent) for table, rowid, parent, _ in rows)


def _check_no_more(before: Violations, after: Violations) -> None:
    pairs = sorted({(table, parent) for table, _, parent in after - before})
    if pairs:
        listed = ", ".join(f'"{table}" → "{parent}"' for table, parent in pairs[:_LISTED])
        more = ", …" if len(pairs) > _LISTED else ""
        raise DanglingReferenceError(f"FK violations: rows refer to nothing: {listed}{more}")
