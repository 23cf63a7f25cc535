"""Which migrations each database of a depot has seen, without touching the databases."""

from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.migrations.applied import AppliedMigration, read_applied
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.files import depot_migrations
from trailbase_server.migrations.plan import Plan, plan
from trailbase_server.sqlite.errors import translate_error
from trailbase_server.sqlite.probe import open_untouched


class History(Struct, frozen=True):
    """
    Of one database.

    Attributes:
        database: ``main`` or the name of a configured one.
        exists: There is a file.
        applied: By number.
        plan: What the next start would do.
        own: Numbers of the server's own migrations.
    """

    database: str
    exists: bool
    applied: tuple[AppliedMigration, ...]
    plan: Plan
    own: frozenset[int]

    def render(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "database": self.database,
            "exists": self.exists,
            "applied": [
                {"version": row.version, "name": row.name, "own": row.version in self.own}
                for row in self.applied
            ],
            "pending": [
                {"version": one.version, "name": one.name, "own": one.version in self.own}
                for one in self.plan.pending
            ],
            "changed": [one.title for one in self.plan.divergent],
            "problems": list(self.plan.problems),
        }


def read_histories(depot: Path, config: Config) -> list[History]:
    """
    Compare main and the configured databases with the migrations of a depot; blocks.

    Args:
        depot: The directory.
        config: Names the databases.

    Raises:
        OperatorError: A migration cannot be read.
        DatabaseError: A database cannot be read.
    """
    return [_read(depot, name) for name in ("main", *(one.name for one in config.databases))]


def _read(depot: Path, name: str) -> History:
    own = system_migrations("main" if name == "main" else "attached")
    files = depot_migrations(depot / "migrations", name)
    path = depot / "data" / f"{name}.db"
    applied: list[AppliedMigration] = []
    exists = path.exists()
    if exists:
        try:
            with closing(open_untouched(path)) as connection:
                applied = read_applied(connection)
        except apsw.Error as exc:
            raise translate_error(exc) from exc
    return History(
        name,
        exists,
        tuple(applied),
        plan(applied, [*own, *files]),
        frozenset(migration.version for migration in own),
    )
