"""
Backups of an open depot: which databases it has, how its writers stand still, and what is built
anew when a backup has been put back under it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.backups.errors import UnsuitableBackupError
from trailbase_server.backups.settings import BackupSettings, compile_backups
from trailbase_server.backups.sources import find_sources, kind_of, known_migrations
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.db.errors import DatabaseError
from trailbase_server.errors import OperatorError
from trailbase_server.migrations.runner import migrate
from trailbase_server.records.check import check_record_apis
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.errors import compile_error
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.geoip import GeoIp
from trailbase_server.sqlite.open import DatabaseFiles, Prepare, open_connection
from trailbase_server.storage.local import LocalStorage

if TYPE_CHECKING:
    from trailbase_server.backups.create import Order
    from trailbase_server.backups.verify import PrepareFor
    from trailbase_server.server.opened import OpenDepot


class BackupFunctions:
    """
    The SQL functions that databases may use, for those who open copies of them.

    Args:
        registry: JSON schemas, for main and the configured databases.
        geoip: Database of addresses, if there is one.
    """

    def __init__(self, registry: SchemaRegistry, geoip: GeoIp | None = None) -> None:
        self._registry = registry
        self._geoip = geoip

    def __call__(self, home: str) -> Prepare:
        """Functions of a database, by its place below ``data/``."""
        has_schemas = kind_of(home) in ("main", "attached")
        registry = self._registry if has_schemas else None
        return lambda connection: register_functions(
            connection, registry=registry, geoip=self._geoip
        )


class DepotHost:
    """
    An open depot as backups see it (``backups.service.Host``).

    Args:
        depot: Is being opened.
        prepare_for: Functions of its databases.
    """

    def __init__(self, depot: "OpenDepot", prepare_for: "PrepareFor") -> None:
        self._open = depot
        self.depot = depot.options.depot
        self.prepare_for = prepare_for

    def settings(self) -> BackupSettings:
        """See ``Host.settings``."""
        return compile_backups(self._open.config.config, self.depot)

    async def order(self, settings: BackupSettings) -> "Order":
        """See ``Host.order``."""
        # Imported when first needed: start-up time.
        from trailbase_server.backups.create import Order  # noqa: PLC0415

        names = [one.name for one in self._open.config.config.databases]
        sources = find_sources(self.depot / "data", names, with_logs=settings.with_logs)
        storage = self._open.records.storage
        keys = None
        if settings.with_uploads and not isinstance(storage, LocalStorage):
            keys = [key async for key in storage.list()]
        return Order(self.depot, sources, settings, keys)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """See ``Host.still``."""
        async with AsyncExitStack() as stack:
            for database in self._open.every_database():
                await stack.enter_async_context(database.held())
            yield

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """See ``Host.keeping``. Objects of a bucket are only listed: nobody has to wait."""
        storage = self._open.records.storage
        if isinstance(storage, LocalStorage):
            async with storage.keeping():
                yield
        else:
            yield

    async def prepare_staged(self, staging: Path, homes: list[str]) -> None:
        """See ``Host.prepare_staged``."""
        config = self._open.config.config
        problems = await asyncio.to_thread(self._prepare, staging, homes, config)
        if problems:
            raise UnsuitableBackupError(problems)

    async def replaced(self) -> None:
        """See ``Host.replaced``."""
        depot = self._open
        catalog = await depot.database.on_pool(read_catalog, depot.database.read)
        depot.records.compile(depot.config.config.record_apis, catalog)

    async def resumed(self) -> None:
        """See ``Host.resumed``."""
        depot = self._open
        await depot.follow(depot.config.loaded)
        depot.records.broker.end_all()
        depot.auth.verified.clear()

    def _prepare(self, staging: Path, homes: list[str], config: Config) -> list[str]:
        try:
            for home in homes:
                self._migrate(staging, home)
        except (OperatorError, DatabaseError) as exc:
            return [f"its migrations fail: {exc}"]
        return self._check(staging, homes, config)

    def _migrate(self, staging: Path, home: str) -> None:
        files = DatabaseFiles(staging / home, prepare=self.prepare_for(home))
        with closing(open_connection(files, "migrator")) as connection:
            migrate(connection, known_migrations(self.depot, home), Path(home).stem)

    def _check(self, staging: Path, homes: list[str], config: Config) -> list[str]:
        """Does the configuration fit what the databases are going to be?"""

        def path_of(home: str) -> Path:
            return (staging if home in homes else self.depot / "data") / home

        attached = {one.name: path_of(f"{one.name}.db") for one in config.databases}
        files = DatabaseFiles(path_of("main.db"), attached, self.prepare_for("main.db"))
        with closing(open_connection(files, "reader")) as connection:
            catalog = read_catalog(lambda sql: connection.execute(sql).fetchall())
            problems = check_record_apis(
                config,
                catalog,
                lambda name: self._open.registry.schema(name) is not None,
                lambda sql: compile_error(connection, sql),
            )
        return [f"{problem.path}: {problem.message}" for problem in problems]
