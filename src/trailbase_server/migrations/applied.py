"""The history table: which migrations a database has seen."""

from typing import NamedTuple

import apsw

from trailbase_server.migrations.migration import Migration

_EXISTS = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = '_schema_history')"
_CREATE = """
CREATE TABLE IF NOT EXISTS main._schema_history (
  version     INT PRIMARY KEY,
  name        TEXT,
  applied_on  TEXT,
  checksum    TEXT
) STRICT
"""
_SELECT = "SELECT version, name, checksum FROM main._schema_history ORDER BY version"
_SELECT_ONE = "SELECT version, name, checksum FROM main._schema_history WHERE version = ?1"
_INSERT = """
INSERT INTO main._schema_history (version, name, applied_on, checksum)
VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%SZ', ?3, 'unixepoch'), ?4)
"""


class AppliedMigration(NamedTuple):
    """
    One row of the history.

    Attributes:
        version: Number.
        name: As in the file name.
        checksum: Decimal digits.
    """

    version: int
    name: str
    checksum: str


def read_applied(connection: apsw.Connection) -> list[AppliedMigration]:
    """
    Read the history of schema ``main``; empty for a database without one.

    Spec:
        server/history-table
    """
    if not connection.execute(_EXISTS).get:
        return []
    return [_row(row) for row in connection.execute(_SELECT)]


def find_applied(connection: apsw.Connection, version: int) -> AppliedMigration | None:
    """Read one row of a history that exists."""
    found = connection.execute(_SELECT_ONE, (version,)).fetchone()
    return _row(found) if found else None


def create_history(connection: apsw.Connection) -> None:
    """Make the table unless it is there."""
    connection.execute(_CREATE)


def record_applied(connection: apsw.Connection, migration: Migration, at_s: int) -> None:
    """
    Add a row, in the transaction that runs the script.

    Args:
        connection: Inside a transaction.
        migration: What has run.
        at_s: Unix time in seconds.
    """
    connection.execute(_INSERT, (migration.version, migration.name, at_s, migration.checksum))


def _row(row: tuple[object, ...]) -> AppliedMigration:
    # Compared as texts: a row that another program wrote may hold anything.
    version, name, checksum = row
    return AppliedMigration(int(str(version)), str(name), str(checksum))
