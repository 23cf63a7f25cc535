"""
What an open depot is: its configuration, its databases and the state of each package; how they
follow a new configuration or schema, and how they end.

``start`` opens one, and gives it what works on the whole of it: scheduler, backups, reloads and
readiness. They know an open depot; it knows of them only what they are.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from trailbase_server.admin.state import AdminState
from trailbase_server.audit.log import AuditLog
from trailbase_server.auth.authenticate import TokenAuthenticator
from trailbase_server.auth.keys import SigningKeys, load_keys
from trailbase_server.auth.state import AuthState
from trailbase_server.backups.service import Backups
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.load import LoadedConfig
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.jobs.scheduler import Scheduler
from trailbase_server.logs.store import LogStore
from trailbase_server.mail.mailer import Mailer
from trailbase_server.records.check import check_record_apis
from trailbase_server.records.state import RecordsState
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.access_log import AccessLog, build_log_pages
from trailbase_server.server.configuration import (
    body_limit,
    check_letters,
    check_schemas,
    schemas_of,
)
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.server.depot import KEYS
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.ready import Readiness
from trailbase_server.server.reload import Reloader
from trailbase_server.server.schedule import plan_system_jobs
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.storage.open import open_storage
from trailbase_server.storage.triggers import plan_file_triggers, run_statements
from trailbase_server.web.gate import open_gate

if TYPE_CHECKING:
    from trailbase_server.server.encryption import Encryption
    from trailbase_server.server.replication import Replication
    from trailbase_server.web.traced import Trace


class OpenDepot:
    """
    Everything that runs for one depot.

    Attributes:
        options: What the start was told.
        encryption: Certificates; None: plain HTTP.
        config: The configuration that runs.
        database: Main and the configured databases.
        session_database: Sessions and codes.
        jobs_database: Past runs of jobs.
        mailer: Writes mails; delivers them once it is started.
        audit: Who changed what about the server.
        backups: Of all of it.
        scheduler: The jobs; they run by themselves once it is started.
        logs: Access log.
        log_pages: State of those who read it.
        access_log: Where requests are logged.
        trace: Makes the spans of answers, None where nothing is traced.
        registry: Named JSON schemas.
        auth, records, admin: State of the packages.
        authenticator: Turns credentials into identities.
        gate: Counts the connections of all listeners.
        body_limit: Largest request body in bytes; read at start.
        readiness: Whether requests should be sent here; anybody may add checks.
        reloader: Reloads, and knows how the last one went.
        afterwards: Ends when all databases are closed.
        replication: Ships what is written; None where nothing does.

    What ``start`` gives it: ``backups``, ``scheduler``, ``readiness`` and ``reloader``.
    """

    backups: Backups
    scheduler: Scheduler
    readiness: Readiness
    reloader: Reloader

    def __init__(
        self,
        options: ServerOptions,
        config: ConfigHolder,
        databases: DepotDatabases,
        registry: SchemaRegistry,
        keys: SigningKeys,
        logs: LogStore,
    ) -> None:
        threads = options.runtime_threads or min(max(os.cpu_count() or 1, 2), 4)
        running = config.config
        self.options = options
        self.encryption: Encryption | None = None
        self.config = config
        self.registry = registry
        self.logs = logs
        self.access_log = AccessLog(logs, options)
        self.trace: Trace | None = None
        self.afterwards = AsyncExitStack()
        self.replication: Replication | None = None
        self._log_reader = databases.read_logs()
        self.log_pages = build_log_pages(
            config, logs, self._log_reader, databases.geoip, demo=options.demo
        )
        self._databases = databases
        storage = open_storage(running.server, options.depot / "uploads")
        self.database = SqliteDatabase(databases.main_files(running), threads)
        self.session_database = SqliteDatabase(databases.session_files(), 1)
        self._outbox_database = SqliteDatabase(databases.outbox_files(), 1)
        self._audit_database = SqliteDatabase(databases.audit_files(), 1)
        self.audit = AuditLog(self._audit_database)
        self.jobs_database = SqliteDatabase(databases.jobs_files(), 1)
        self.mailer = Mailer(self._outbox_database, options.depot, dev=options.dev)
        catalog = read_catalog(self.database.read)
        self.records = RecordsState(
            self.database, registry, keys.derive(b"cursors"), catalog, {}, storage
        )
        self.auth = AuthState(
            self.database,
            self.session_database,
            keys,
            dev=options.dev,
            demo=options.demo,
            has_public_dir=options.public_dir is not None,
            mailer=self.mailer,
        )
        self.auth.storage = storage
        self.auth.pages.is_enabled = not options.disable_auth_ui
        self.auth.pages.depot = options.depot
        self.auth.verified.on_forget = self.records.broker.close_user
        self.authenticator = TokenAuthenticator(self.auth)
        self.gate = open_gate(options.max_connections, options.max_connections_per_address)
        self.admin = AdminState(
            config,
            catalog=lambda: self.records.catalog,
            public_key_pem=keys.public_pem,
            started_at=SYSTEM_CLOCK.now_s(),
            threads=threads,
            demo=options.demo,
        )
        self.body_limit = body_limit(running.server)

    @property
    def has_transactions(self) -> bool:
        """Batches are offered."""
        return self.config.config.server.enable_record_transactions

    def check(self) -> None:
        """
        Check the configuration against the schema, from now on at every change too.

        Raises:
            OperatorError: All that is wrong.
        """
        self.config.add_validator(check_letters)
        self.config.add_validator(self._check_apis)
        self.config.check()

    async def follow(self, loaded: LoadedConfig) -> None:
        """Take over a configuration, or a schema that has changed: compile everything anew."""
        config = loaded.config
        attached = self._databases.attached_files(config)
        if attached != self._databases.attached:
            await asyncio.to_thread(self._databases.migrate_attached, config)
            await self.database.attach(attached)
            self._databases.attached = attached
        self.registry.replace(schemas_of(config))
        catalog = await self.database.on_pool(read_catalog, self.database.read)
        await self.adopt(config, catalog)

    async def adopt(self, config: Config, catalog: Catalog) -> None:
        """Compile a configuration for a schema, which gets the triggers that files need."""
        triggers = plan_file_triggers(catalog)
        if triggers:
            await self.database.write(run_statements, triggers)
            catalog = await self.database.on_pool(read_catalog, self.database.read)
        self.records.compile(config.record_apis, catalog)
        site_url = self.options.public_url or config.server.site_url
        self.mailer.configure(config, site_url)
        self.auth.configure(
            config.auth,
            site_url,
            config.server.auth_ip_rate_limit,
            config.server.application_name,
            config.server.site_url or self.options.public_url,
        )
        await self.auth.pages.reload()
        self.access_log.configure(config.server.access_log)
        plan_system_jobs(self.scheduler, config.jobs)

    async def reload(self) -> None:
        """
        Apply new migrations, read the configuration, the keys and the certificate again.

        Raises:
            OperatorError: A migration failed, the configuration or the certificate is wrong; what
                ran before runs on.

        Spec:
            server/sighup-unix-run-only
        """
        try:
            await self.reloader.apply()
        finally:
            self.readiness.forget()

    async def apply_migrations(self) -> None:
        """
        Apply migrations that are new, and take over what they have changed.

        Raises:
            OperatorError: One failed or does not fit the history.
        """
        await asyncio.to_thread(self._databases.migrate, self.config.config)
        await self.follow(self.config.loaded)

    async def reload_geoip(self) -> None:
        """
        Open the database of addresses again, if there was one at the start.

        Raises:
            OperatorError: It is gone or no database.
        """
        if self._databases.geoip is not None:
            self._databases.geoip.reload()

    async def reopen_logs(self) -> None:
        """Begin the access log anew: its file was taken away."""
        self.logs.reopen()
        await self._log_reader.reopen()

    async def reload_keys(self) -> None:
        """Take over the keys of ``trail keys rotate``."""
        keys = await asyncio.to_thread(load_keys, self.options.depot / KEYS)
        self.auth.keys.adopt(keys)
        self.auth.verified.clear()
        self.admin.public_key_pem = keys.public_pem

    def console_files(self, names: Sequence[str]) -> DatabaseFiles:
        """What SQL of administrators may use; KeyError for a database that is not configured."""
        return self._databases.console_files(self.config.config, names)

    def every_database(self) -> list[SqliteDatabase]:
        """All open databases but the access log."""
        return [
            self.database,
            self.session_database,
            self._outbox_database,
            self.jobs_database,
            self._audit_database,
        ]

    def optimize_logs(self) -> None:
        """Refresh what the query planner knows of the access log; blocks."""
        self._databases.optimize_logs()

    async def close(self) -> None:
        """End the streams, finish what is queued and close all files."""
        self.records.broker.close()
        await self.readiness.close()
        await self.auth.background.finish()
        self.auth.close()
        await self.mailer.stop()
        self._log_reader.close()
        await asyncio.to_thread(self.access_log.close)
        await self._outbox_database.close()
        await self.jobs_database.close()
        await self._audit_database.close()
        await self.session_database.close()
        await self.database.close()
        await self.records.storage.close()

    def _check_apis(self, config: Config) -> list[Problem]:
        problems = check_schemas(config)
        if problems:
            return problems
        catalog = self._catalog_for(config)
        return check_record_apis(
            config,
            catalog,
            lambda name: self.registry.schema(name) is not None,
            self.database.prepare_error,
        )

    def _catalog_for(self, config: Config) -> Catalog:
        """What the databases contain, with those that only a new configuration names."""
        if self._databases.attached_files(config) == self._databases.attached:
            return self.records.catalog
        self._databases.migrate_attached(config)
        return self._databases.read_catalog(config)
