"""
Replication of an open depot: which databases, when it begins and ends, and what readiness says.

Litestream starts when the databases are open and migrated. It ends after they are closed, so it
ships the last commit of a graceful stop as well, and before the lock of the depot is given back.
Checkpoints are its business while it runs. When it is down for long they are ours again: a log
that nobody copies back would fill the disk.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.backups.sources import find_sources
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.files import OWNER_ONLY, make_private_directory, replace_file
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.replication.control import SOCKET, NoAnswerError, ship_now
from trailbase_server.replication.lag import LATE_S, Lag
from trailbase_server.replication.lines import LogLines
from trailbase_server.replication.program import (
    build_environment,
    find_program,
    find_secrets,
    leashed,
)
from trailbase_server.replication.render import CONFIG_FILE, STATE, render_config
from trailbase_server.replication.settings import (
    SIDECAR,
    ReplicationSettings,
    compile_replication,
)
from trailbase_server.replication.supervisor import Supervisor
from trailbase_server.server.ready import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailbase_server.sqlite.database import SqliteDatabase

log = logging.getLogger(__name__)
WATCH_S = 2.0  # between two looks at which databases there are, and whether Litestream runs
REST_S = 8.0  # for what is left when the server stops
REST_STEP_S = 0.05  # between two attempts: Litestream may be just starting
DOWN_S = 60.0  # without Litestream until checkpoints are ours again
LOCK = "lock"


class Replication:
    """
    What is shipped, and how far.

    Args:
        depot: Its directory.
        config: The configuration that runs.
        databases: All that are open.
        settings: Where to; None: a sidecar knows.

    Attributes:
        lag_s: Seconds of writes that the replica lacks, when it was last looked at.
    """

    def __init__(
        self,
        depot: Path,
        config: "Callable[[], Config]",
        databases: "Callable[[], list[SqliteDatabase]]",
        settings: ReplicationSettings | None,
    ) -> None:
        self.lag_s = 0.0
        self._depot = depot
        self._config = config
        self._databases = databases
        self._settings = settings
        self._data = data_of(depot)
        self._socket = control_socket(depot)
        self._lag = Lag(self._socket)
        self._homes: list[str] = []
        self._supervisor: Supervisor | None = None
        self._lines: LogLines | None = None
        if settings is not None:
            environment = build_environment(settings.target, os.environ)
            self._lines = LogLines(find_secrets(environment))
            lock = self._data / STATE / LOCK
            self._supervisor = Supervisor(self._prepare, environment, lock, self._lines)

    @property
    def is_running(self) -> bool:
        """Litestream runs; a sidecar is taken to."""
        return self._supervisor is None or self._supervisor.is_running

    @property
    def restarts(self) -> int:
        """How often Litestream has ended by itself."""
        return 0 if self._supervisor is None else self._supervisor.restarts

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ship until the end of the block, and then the last writes."""
        self._leave_checkpoints(is_left=True)
        self._homes = self._find_homes()
        if self._supervisor is not None:
            self._supervisor.start()
        watching = asyncio.ensure_future(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            if self._supervisor is not None:
                if await self._ship_rest():
                    log.info("The last writes are in the replica")
                else:
                    log.warning("The replica may lack the last writes: %s", self._reason())
                await self._supervisor.stop()

    async def check(self) -> Finding:
        """See how far behind the replica is."""
        lags = await self._lag.ask(self._data / home for home in self._homes)
        self.lag_s = max(lags.values(), default=0.0)
        facts = {
            "lag_s": round(self.lag_s, 1),
            "databases": len(self._homes),
            "restarts": self.restarts,
        }
        if self._supervisor is not None and not self._supervisor.is_running:
            return Finding("degraded", self._supervisor.problem, facts)
        if self.lag_s <= LATE_S:
            return Finding(facts=facts)
        reason = self._reason()
        told = f"nothing has reached the replica for {self.lag_s:.0f} s"
        return Finding("degraded", f"{told}: {reason}" if reason else told, facts)

    def _reason(self) -> str:
        """Why the replica is late, as far as anybody has said."""
        if self._supervisor is not None and self._supervisor.problem:
            return self._supervisor.problem
        return (self._lines.last_problem if self._lines else "") or self._lag.problem

    async def _ship_rest(self) -> bool:
        """Ship what every database has; one that has only just started gets the time it needs."""
        supervisor = self._supervisor
        if supervisor is None or self.lag_s > LATE_S:
            return False
        end = SYSTEM_CLOCK.monotonic() + REST_S

        async def ship(home: str) -> bool:
            while (left_s := end - SYSTEM_CLOCK.monotonic()) > 0:
                try:
                    await ship_now(self._socket, self._data / home, left_s)
                except NoAnswerError:
                    if supervisor.restarts and not supervisor.is_running:
                        return False
                    await asyncio.sleep(REST_STEP_S)
                else:
                    return True
            return False

        return all(await asyncio.gather(*(ship(home) for home in self._homes)))

    def _prepare(self) -> list[str]:
        if self._settings is None:  # a sidecar has no supervisor
            return []
        program = find_program()
        text = render_config(self._settings, self._data, self._homes, Path(SOCKET))
        path = self._data / STATE / CONFIG_FILE
        replace_file(path, text.encode(), OWNER_ONLY)
        return leashed(program, ["replicate", "-no-expand-env", "-config", str(path)])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            # Whether anybody asks or not: a stop has to know if there is hope.
            await self.check()
            homes = self._find_homes()
            if homes != self._homes:
                self._homes = homes
                if self._supervisor is not None:
                    self._supervisor.renew()
            since = None if self._supervisor is None else self._supervisor.down_since
            is_down = since is not None and SYSTEM_CLOCK.monotonic() - since > DOWN_S
            self._leave_checkpoints(is_left=not is_down)

    def _find_homes(self) -> list[str]:
        return find_homes(self._depot, self._config())

    def _leave_checkpoints(self, *, is_left: bool) -> None:
        for database in self._databases():
            database.leave_checkpoints(is_left=is_left)


def prepare_replication(
    depot: Path,
    config: "Callable[[], Config]",
    databases: "Callable[[], list[SqliteDatabase]]",
    wanted: str,
) -> Replication:
    """
    Find out what to ship where.

    Args:
        depot, config, databases: As of ``Replication``.
        wanted: See ``ServerOptions.replicate``.

    Raises:
        OperatorError: The options or the configuration name no place.

    Spec:
        server/dr
    """
    settings = None
    if wanted != SIDECAR:
        settings = compile_replication(wanted, config(), depot.absolute(), os.environ)
        log.info("Replicating to %s", settings.target)
    make_private_directory(data_of(depot) / STATE)
    return Replication(depot, config, databases, settings)


def data_of(depot: Path) -> Path:
    """The directory of the databases, by its full path."""
    return (depot / "data").absolute()


def control_socket(depot: Path) -> Path:
    """Where the Litestream of a depot can be asked."""
    return data_of(depot) / STATE / SOCKET


def find_homes(depot: Path, config: Config) -> list[str]:
    """Databases that are replicated and there, by their place below ``data/``."""
    names = [one.name for one in config.databases]
    found = find_sources(depot / "data", names, with_logs=config.replication.include_logs)
    return [source.home for source in found]
