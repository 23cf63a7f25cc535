"""The databases of a depot that a backup copies, and what each of them is."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from trailbase_server.migrations.embedded import Kind, system_migrations
from trailbase_server.migrations.files import depot_migrations
from trailbase_server.migrations.migration import Migration

OWN = "own"  # directory below ``data/`` of what the reference server does not know
_KINDS: dict[str, Kind] = {
    "main.db": "main",
    "session.db": "session",
    "logs.db": "logs",
    "own/accounts.db": "accounts",
    "own/outbox.db": "outbox",
    "own/jobs.db": "jobs",
    "own/audit.db": "audit",
}
# What is being mailed, what jobs did and who changed what: newer than any backup, whatever is put
# back. Mails would go out twice, and the log would forget.
ONLY_WHERE_MISSING = frozenset(("outbox", "jobs", "audit"))
STAGING = ".restore"  # directory below ``data/``: there while a backup is being put back


class Source(Struct, frozen=True):
    """
    A database.

    Attributes:
        name: What users call it.
        path: Of the file.
        home: The same below ``data/``.
    """

    name: str
    path: Path
    home: str

    @property
    def kind(self) -> Kind:
        """What it is for."""
        return kind_of(self.home)


def kind_of(home: str) -> Kind:
    """What a database is for, by its place below ``data/``."""
    return _KINDS.get(home, "attached")


def find_sources(
    data: Path, databases: Iterable[str] | None = None, *, with_logs: bool = True
) -> list[Source]:
    """
    Find the databases of a depot, main first.

    Args:
        data: The directory ``data/``.
        databases: Names of the configured ones; None: whatever is there.
        with_logs: The access log, too.
    """
    if databases is None:
        databases = sorted(path.stem for path in data.glob("*.db"))
    wanted = list_homes(databases, with_logs=with_logs)
    return [
        Source(Path(home).stem, data / home, home) for home in wanted if (data / home).is_file()
    ]


def list_homes(databases: Iterable[str], *, with_logs: bool = True) -> list[str]:
    """
    List where the databases of a depot are below ``data/``, main first, whether they exist or not.

    Args:
        databases: Names of the configured ones.
        with_logs: The access log, too.
    """
    homes = ["main.db", *(f"{name}.db" for name in databases), *_KINDS]
    return [home for home in dict.fromkeys(homes) if with_logs or home != "logs.db"]


def known_migrations(depot: Path, home: str) -> list[Migration]:
    """
    All migrations that a database of this depot may have seen.

    Args:
        depot: Has the user's files.
        home: Place of the database below ``data/``.

    Raises:
        OperatorError: A file cannot be read.
    """
    kind = kind_of(home)
    own = list(system_migrations(kind))
    if kind in ("main", "attached"):
        own += depot_migrations(depot / "migrations", Path(home).stem)
    return own
