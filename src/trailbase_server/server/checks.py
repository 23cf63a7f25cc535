"""
What readiness looks at in every server: databases, migrations, configuration, disk, files, mails,
backups.

Only main and session are vital: without them no request is answered as it should, so a balancer
had better send it elsewhere. A full disk is, too. All else is told and leaves the server in
service: a bucket or a mail server that is down would otherwise take every server down with it.
"""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.load import CONFIG_FILE
from trailbase_server.config.proto.config_pb2 import SystemJobId
from trailbase_server.config.schedule import parse_schedule
from trailbase_server.db.errors import DatabaseError
from trailbase_server.errors import NotFoundError, OperatorError
from trailbase_server.jobs.moments import next_moment
from trailbase_server.server.disk import Room, probe_directory
from trailbase_server.server.ready import Finding, Readiness, State
from trailbase_server.sqlite.probe import probe_database

if TYPE_CHECKING:
    from trailbase_server.server.databases import DepotDatabases
    from trailbase_server.server.opened import OpenDepot

SLOW_KEEP_S = 30.0  # findings that cost a request elsewhere, or reading all migrations
STUCK_MAIL_S = 3600  # a mail that waits for longer has seen seven attempts fail
LATE_BACKUPS = 2  # intervals without a backup after which somebody should look
LOG_FAILURE_S = 60.0  # how long a batch of the access log that failed is worth telling
# Never an object of ours: it is asked for to see whether the store answers.
NO_KEY = "00000000-0000-4000-8000-000000000000"


def build_readiness(depot: "OpenDepot", databases: "DepotDatabases") -> Readiness:
    """
    Make the readiness of a depot; others add their checks to it.

    Spec:
        server/liveness-vs-readiness-p2
    """
    checks = _Checks(depot, databases)
    readiness = Readiness()
    readiness.add("main", checks.main, is_vital=True)
    readiness.add("session", checks.session, is_vital=True)
    readiness.add("disk", checks.disk, is_vital=True)
    readiness.add("logs", checks.logs)
    readiness.add("config", checks.config)
    readiness.add("migrations", checks.migrations, keep_s=SLOW_KEEP_S)
    readiness.add("storage", checks.storage, keep_s=SLOW_KEEP_S)
    readiness.add("mail", checks.mail, keep_s=SLOW_KEEP_S)
    readiness.add("backups", checks.backups, keep_s=SLOW_KEEP_S)
    return readiness


class _Checks:
    """The checks of one depot."""

    def __init__(self, depot: "OpenDepot", databases: "DepotDatabases") -> None:
        self._depot = depot
        self._databases = databases

    async def main(self) -> Finding:
        """Main and the configured databases can be read and written."""
        files = self._databases.main_paths(self._depot.config.config)
        return await asyncio.to_thread(_probe_all, files)

    async def session(self) -> Finding:
        """Sessions and what accounts have besides can be read and written."""
        return await asyncio.to_thread(_probe_all, self._databases.session_paths())

    async def logs(self) -> Finding:
        """The access log is written; one that was taken away is begun anew."""
        path = self._databases.logs_path
        store = self._depot.logs
        if not path.exists():
            await self._depot.reopen_logs()
            return Finding("degraded", "the file was taken away and is begun anew")
        finding = await asyncio.to_thread(_probe_all, [path])
        failure = store.last_failure
        facts = {"waiting": store.waiting, "dropped": store.dropped}
        if finding.state == "ok" and failure is not None:
            at, message = failure
            if SYSTEM_CLOCK.monotonic() - at < LOG_FAILURE_S:
                return Finding("degraded", message, facts)
        return Finding(finding.state, finding.message, facts)

    async def config(self) -> Finding:
        """The last reload went well; has the file been edited since it was read?"""
        last = self._depot.reloader.last
        path = self._depot.options.depot / CONFIG_FILE
        digest = await asyncio.to_thread(_digest, path)
        facts = {
            "hash": self._depot.config.hash,
            "is_edited": digest != self._depot.config.loaded.digest,
        }
        if last is not None and last.error:
            return Finding("degraded", f"the last reload failed: {last.error}", facts)
        return Finding(facts=facts)

    async def migrations(self) -> Finding:
        """Every migration has been applied."""
        config = self._depot.config.config
        pending = await asyncio.to_thread(self._databases.find_pending, config)
        if not pending:
            return Finding()
        return Finding("degraded", "not applied yet: " + ", ".join(pending[:10]))

    async def storage(self) -> Finding:
        """The object store answers."""
        try:
            found = await self._depot.records.storage.open(NO_KEY)
        except NotFoundError:
            return Finding()
        await found.close()
        return Finding()

    async def disk(self) -> Finding:
        """Files can be made and there is room, where databases are and where uploads arrive."""
        root = self._depot.options.depot
        data, uploads = await asyncio.to_thread(
            lambda: (probe_directory(self._databases.locks), probe_directory(root / "uploads"))
        )
        facts = {
            name: {"free_bytes": room.free, "total_bytes": room.total}
            for name, room in (("data", data), ("uploads", uploads))
        }
        return Finding(*_judge(data, uploads), facts)

    async def mail(self) -> Finding:
        """No mail waits for long."""
        status = await self._depot.mailer.status()
        facts = {"waiting": status.waiting, "failed": status.failed}
        age_s = 0 if status.oldest is None else SYSTEM_CLOCK.now_s() - status.oldest
        if age_s <= STUCK_MAIL_S:
            return Finding(facts=facts)
        text = f"a mail has been waiting for {age_s} s: {status.last_error or 'no attempt yet'}"
        return Finding("degraded", text, facts)

    async def backups(self) -> Finding:
        """If there should be backups, the last one is not old."""
        newest = await asyncio.to_thread(self._depot.backups.newest)
        age_s = None if newest is None else max(0, SYSTEM_CLOCK.now_s() - newest)
        interval_s = self._backup_interval()
        facts = {"newest": newest, "age_s": age_s, "interval_s": interval_s}
        if interval_s is None:
            return Finding(facts=facts)
        since_s = SYSTEM_CLOCK.now_s() - self._depot.admin.started_at
        if (since_s if age_s is None else age_s) <= LATE_BACKUPS * interval_s:
            return Finding(facts=facts)
        return Finding("degraded", "the last backup is too old", facts)

    def _backup_interval(self) -> int | None:
        """Seconds between two runs of the job; None if it does not run by itself."""
        for job in self._depot.scheduler.statistics:
            if job.id == SystemJobId.BACKUP and job.enabled and job.next is not None:
                after = next_moment(parse_schedule(job.schedule), job.next)
                return None if after is None else after - job.next
        return None


def _probe_all(paths: list[Path]) -> Finding:
    for path in paths:
        try:
            probe_database(path)
        except DatabaseError as exc:
            return Finding("failed", f"{path.name}: {exc.detail or exc.public}")
    return Finding()


def _judge(*rooms: Room) -> tuple[State, str]:
    if any(room.is_full for room in rooms):
        return "failed", "there is no room left"
    if any(room.is_low for room in rooms):
        return "degraded", "there is little room left"
    return "ok", ""


def _digest(path: Path) -> bytes:
    try:
        return sha256(path.read_bytes()).digest()
    except OSError as exc:
        raise OperatorError(f"cannot read {path.name}: {exc.strerror}") from exc
