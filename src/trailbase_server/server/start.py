"""
Start-up in its order. What is open then, and follows changes, is in ``opened``.

1. paths named by options exist; 2. an existing configuration parses and is sound in itself: so far
nothing has been changed; 3. directories; 4. missing files; 5. databases of logs and sessions;
6. main and the configured databases with their migrations; 7. the configuration against the schema;
8. keys; 9. first administrator; 10. the state of each package.

What fails is an ``OperatorError`` with one line a problem. Spec: server/start-up-order.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from trailbase_server import WIRE_VERSION
from trailbase_server.auth.keys import load_keys
from trailbase_server.backups.service import Backups
from trailbase_server.backups.sources import STAGING
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.load import CONFIG_FILE, LoadedConfig, load_config
from trailbase_server.errors import OperatorError
from trailbase_server.jobs.locks import JobLocks
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.backups import BackupFunctions, DepotHost
from trailbase_server.server.bootstrap import announce
from trailbase_server.server.checks import build_readiness
from trailbase_server.server.configuration import check_configuration, schemas_of
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.server.depot import KEYS, prepare_depot, remember_version
from trailbase_server.server.encryption import Encryption
from trailbase_server.server.jobs import build_scheduler
from trailbase_server.server.opened import OpenDepot
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.reload import Part, Reloader
from trailbase_server.sqlite.geoip import open_geoip
from trailbase_server.sqlite.slow import SlowQueries

DEFAULT_GEOIP_FILE = "GeoLite2-Country.mmdb"


@asynccontextmanager
async def open_depot(
    options: ServerOptions, encryption: Encryption | None = None
) -> AsyncIterator[OpenDepot]:
    """
    Open a depot as every command that needs its accounts or APIs does.

    Args:
        options: Which depot, and how.
        encryption: For a server that is to speak TLS.

    Raises:
        OperatorError: Whatever the operator has to mend.

    Spec:
        server/start-up-order
    """
    _check_paths(options)
    async with AsyncExitStack() as afterwards, AsyncExitStack() as stack:
        depot = await _open(options, stack)
        depot.afterwards = afterwards
        depot.encryption = encryption
        depot.auth.is_encrypted = encryption is not None
        yield depot


async def _open(options: ServerOptions, stack: AsyncExitStack) -> OpenDepot:
    path = options.depot
    loaded: LoadedConfig | None = None
    if (path / CONFIG_FILE).exists():
        loaded = check_configuration(options)
    prepare_depot(path)
    if (path / "data" / STAGING).is_dir():
        _finish_restore(path)
    loaded = loaded or load_config(path, os.environ)
    holder = ConfigHolder(loaded, os.environ, readonly=options.config_readonly)
    registry = SchemaRegistry(schemas_of(holder.config))
    geoip = open_geoip(options.geoip_db_path or path / DEFAULT_GEOIP_FILE)
    slow = SlowQueries(options.slow_query_ms / 1000) if options.slow_query_ms else None
    databases = DepotDatabases(
        path,
        registry,
        geoip,
        options.synchronous,
        slow,
        keeps_log=options.replicate is not None,
    )
    databases.migrate(holder.config)
    keys = load_keys(path / KEYS)
    logs = databases.open_logs()
    stack.callback(logs.close)
    depot = OpenDepot(options, holder, databases, registry, keys, logs)
    depot.backups = Backups(DepotHost(depot, BackupFunctions(registry, geoip)))
    locks = JobLocks(databases.locks)
    depot.scheduler = build_scheduler(depot, depot.jobs_database, locks, depot.backups.run_job)
    depot.reloader = Reloader(_reload_parts(depot))
    depot.readiness = build_readiness(depot, databases)
    stack.push_async_callback(depot.close)
    depot.check()
    await depot.adopt(holder.config, depot.records.catalog)
    holder.subscribe(depot.follow)
    credentials = databases.bootstrap()
    if credentials is not None:
        announce(credentials)
    remember_version(path, WIRE_VERSION)
    return depot


def _reload_parts(depot: OpenDepot) -> list[Part]:
    """List what a depot can reload, in order."""

    async def check() -> None:
        await asyncio.to_thread(check_configuration, depot.options)

    async def reload_certificate() -> None:
        if depot.encryption is not None:
            depot.encryption.certificates.reload()

    return [
        Part("check", check, is_needed=True),
        Part("migrations", depot.apply_migrations, is_needed=True),
        Part("configuration", depot.config.reload),
        Part("keys", depot.reload_keys),
        Part("certificate", reload_certificate),
        Part("addresses", depot.reload_geoip),
    ]


def _finish_restore(path: Path) -> None:
    # Imported when first needed: start-up time.
    from trailbase_server.backups.restore import finish_interrupted  # noqa: PLC0415
    from trailbase_server.replication.render import forget_state  # noqa: PLC0415

    if finish_interrupted(path) is not None:
        forget_state(path / "data")


def _check_paths(options: ServerOptions) -> None:
    for path in (options.public_dir, options.geoip_db_path):
        if path is not None and not path.exists():
            raise OperatorError(f'Path not found: "{path}"')
