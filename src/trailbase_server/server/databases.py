"""
The database files of a depot: where they are, how they are opened, their migrations.

Files are migrated one by one through connections of their own, before anybody serves from them
(spec server/sources-per-database, sqlite/connection-registry).
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import apsw

from trailbase_server.config.files import make_private_directory
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.db.errors import DatabaseError
from trailbase_server.errors import OperatorError
from trailbase_server.logs.indexes import slim_indexes
from trailbase_server.logs.store import LogStore
from trailbase_server.migrations.applied import read_applied
from trailbase_server.migrations.embedded import Kind, system_migrations
from trailbase_server.migrations.files import depot_migrations
from trailbase_server.migrations.migration import Migration
from trailbase_server.migrations.plan import plan
from trailbase_server.migrations.runner import migrate
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.bootstrap import Credentials, bootstrap_admin
from trailbase_server.server.depot import read_last_version
from trailbase_server.sqlite.errors import translate_error
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.geoip import GeoIp
from trailbase_server.sqlite.open import DatabaseFiles, Synchronous, open_connection
from trailbase_server.sqlite.probe import open_existing
from trailbase_server.sqlite.side_reader import SideReader
from trailbase_server.sqlite.slow import SlowQueries

ACCOUNTS_SCHEMA = "accounts"
ACCOUNTS_FILE = "accounts"
OUTBOX_FILE = "outbox"
JOBS_FILE = "jobs"
AUDIT_FILE = "audit"


class DepotDatabases:
    """
    The files below ``data/``.

    Args:
        depot: The directory.
        registry: JSON schemas for the functions of main and the configured databases.
        geoip: Database of addresses, if there is one.
        synchronous: What a commit waits for.
        slow: Told about slow statements of main, the configured databases, sessions and logs.
        keeps_log: See ``DatabaseFiles``.

    Attributes:
        attached: What the open database attaches now.
        geoip: As given.
        fresh: The main database was made by ``migrate``.
    """

    def __init__(
        self,
        depot: Path,
        registry: SchemaRegistry,
        geoip: GeoIp | None,
        synchronous: Synchronous,
        slow: SlowQueries | None = None,
        keeps_log: bool = False,
    ) -> None:
        self._depot = depot
        self._data = depot / "data"
        # Files that the reference does not have stand apart: its tools list ``data/*.db``.
        self._own = self._data / "own"
        self._functions = partial(register_functions, registry=registry, geoip=geoip)
        self._plain_functions = partial(register_functions, registry=None, geoip=geoip)
        self._files = partial(DatabaseFiles, keeps_log=keeps_log)
        self._synchronous = synchronous
        self._slow = slow
        self.geoip = geoip
        self.attached: Mapping[str, Path] = {}
        self.fresh = False

    def main_files(self, config: Config) -> DatabaseFiles:
        """Main with all configured databases attached, which from now on are ``attached``."""
        files = self._files_of(config)
        self.attached = files.attached
        return files

    def attached_files(self, config: Config) -> dict[str, Path]:
        """Files of the configured databases by name."""
        return {one.name: self._data / f"{one.name}.db" for one in config.databases}

    def console_files(self, config: Config, names: Sequence[str]) -> DatabaseFiles:
        """
        Main with some of the configured databases, for SQL that administrators type.

        Raises:
            KeyError: One of them is not configured.
        """
        files = self._files_of(config)
        return replace(files, attached={name: files.attached[name] for name in names})

    def session_files(self) -> DatabaseFiles:
        """Sessions and codes, with what accounts need beyond the reference's tables."""
        return self._files(
            self._data / "session.db",
            {ACCOUNTS_SCHEMA: self._own / f"{ACCOUNTS_FILE}.db"},
            prepare=self._plain_functions,
            synchronous=self._synchronous,
            slow=self._slow,
        )

    def outbox_files(self) -> DatabaseFiles:
        """Mails on their way."""
        return self._files(self._own / f"{OUTBOX_FILE}.db", synchronous=self._synchronous)

    def jobs_files(self) -> DatabaseFiles:
        """What jobs did; a power cut may lose the last runs."""
        return self._files(self._own / f"{JOBS_FILE}.db", synchronous="NORMAL")

    def audit_files(self) -> DatabaseFiles:
        """The audit log: acknowledged means on disk, whatever the rest of the server does."""
        return self._files(self._own / f"{AUDIT_FILE}.db", prepare=self._plain_functions)

    def main_paths(self, config: Config) -> list[Path]:
        """Main and the configured databases."""
        return [self._data / "main.db", *self.attached_files(config).values()]

    def session_paths(self) -> list[Path]:
        """Sessions, and what accounts have besides."""
        return [self._data / "session.db", self._own / f"{ACCOUNTS_FILE}.db"]

    @property
    def logs_path(self) -> Path:
        """The access log."""
        return self._data / "logs.db"

    @property
    def locks(self) -> Path:
        """A private directory for files that are locked."""
        return self._own

    def migrate(self, config: Config) -> None:
        """
        Bring every file up to date.

        Raises:
            OperatorError: A migration failed or does not fit the history.
        """
        self._migrate(self._data, "logs", "logs", [])
        self._migrate(self._data, "session", "session", [])
        # Links and codes stand in the outbox: whoever reads them gets in.
        make_private_directory(self._own)
        self._migrate(self._own, ACCOUNTS_FILE, "accounts", [])
        self._migrate(self._own, OUTBOX_FILE, "outbox", [])
        self._migrate(self._own, JOBS_FILE, "jobs", [])
        self._migrate(self._own, AUDIT_FILE, "audit", [])
        migrations = self._depot / "migrations"
        main = depot_migrations(migrations, "main")
        self.fresh = self._migrate(self._data, "main", "main", main) or self.fresh
        self.migrate_attached(config)

    def bootstrap(self) -> Credentials | None:
        """Add an administrator to a main database that is new and has none."""
        # A depot whose first start failed after its first migrations is still new.
        if not self.fresh and read_last_version(self._depot) is not None:
            return None
        files = self._files(self._data / "main.db", prepare=self._functions)
        with closing(open_connection(files, "migrator")) as connection:
            return bootstrap_admin(connection)

    def migrate_attached(self, config: Config) -> None:
        """Bring the configured databases up to date; their files are made when missing."""
        for name in self.attached_files(config):
            files = depot_migrations(self._depot / "migrations", name)
            self._migrate(self._data, name, "attached", files)

    def find_pending(self, config: Config) -> list[str]:
        """
        List migrations of main and the configured databases that have not been applied; blocks.

        Returns:
            ``database/title`` of each.

        Raises:
            OperatorError: A file cannot be read, or does not fit the history.
            DatabaseError: A database cannot be read.
        """
        found: list[str] = []
        for name in ("main", *self.attached_files(config)):
            files = depot_migrations(self._depot / "migrations", name)
            own = system_migrations("main" if name == "main" else "attached")
            try:
                with closing(open_existing(self._data / f"{name}.db")) as connection:
                    todo = plan(read_applied(connection), [*own, *files])
            except apsw.Error as exc:
                raise translate_error(exc) from exc
            if todo.problems:
                raise OperatorError("\n".join(todo.problems))
            found += [f"{name}/{migration.title}" for migration in todo.pending]
        return found

    def read_catalog(self, config: Config) -> Catalog:
        """What main and the configured databases contain, through a connection of its own."""
        with closing(open_connection(self._files_of(config), "reader")) as connection:
            return read_catalog(lambda sql: connection.execute(sql).fetchall())

    def open_logs(self) -> LogStore:
        """Start the writer of the access log."""
        return LogStore(self._connect_logs)

    def read_logs(self) -> SideReader:
        """What administrators read the access log through; opened when first asked."""
        return SideReader(self._logs_files())

    def optimize_logs(self) -> None:
        """Refresh the statistics of the access log, in bounded time; blocks."""
        with closing(open_connection(self._logs_files(), "migrator")) as connection:
            connection.execute("PRAGMA optimize").fetchall()

    def _connect_logs(self) -> apsw.Connection:
        if not self.logs_path.exists():  # somebody has taken it away
            self._migrate(self._data, "logs", "logs", [])
        connection = open_connection(self._logs_files(), "migrator")
        try:
            slim_indexes(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _logs_files(self) -> DatabaseFiles:
        return self._files(
            self._data / "logs.db",
            prepare=self._plain_functions,
            synchronous="NORMAL",
            slow=self._slow,
        )

    def _files_of(self, config: Config) -> DatabaseFiles:
        attached = self.attached_files(config)
        return self._files(
            self._data / "main.db", attached, self._functions, self._synchronous, self._slow
        )

    def _migrate(self, folder: Path, name: str, kind: Kind, user: Sequence[Migration]) -> bool:
        has_schemas = kind in ("main", "attached")
        functions = self._functions if has_schemas else self._plain_functions
        files = self._files(folder / f"{name}.db", prepare=functions)
        try:
            with closing(open_connection(files, "migrator")) as connection:
                return migrate(connection, [*system_migrations(kind), *user], name).fresh
        except DatabaseError as exc:
            why = exc.detail or exc
            raise OperatorError(f'cannot use the database "{files.path}": {why}') from exc
