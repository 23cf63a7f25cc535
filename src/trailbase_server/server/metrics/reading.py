"""All numbers of a server at one moment, copied on the event loop: what threads may look at."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from trailbase_server.auth.events import AuthEvent
from trailbase_server.errors import AppError
from trailbase_server.jobs.job import JobStatus
from trailbase_server.mail.mailer import MailStatistics
from trailbase_server.mail.outbox import OutboxStatus
from trailbase_server.records.realtime.broker import Statistics as RealtimeStatistics
from trailbase_server.server.metrics.disk import Disk, look_at_disk
from trailbase_server.server.ready import Finding, Status
from trailbase_server.server.reload import Outcome
from trailbase_server.server.tls import TlsStatus
from trailbase_server.sqlite.meters import DatabaseStatistics
from trailbase_server.tally import Distribution

if TYPE_CHECKING:
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.tally import Tally
    from trailbase_server.web.dispatch import Dispatcher
    from trailbase_server.web.gate import Gate

ELSEWHERE = ""  # the route of what has none


class Answers(Struct, frozen=True):
    """
    How requests of one operation were answered.

    Attributes:
        route: Template of the path, ``ELSEWHERE`` for files and for what is not there.
        method: Of the operation: HEAD counts as GET where there is one.
        by_status: Times of the answers, and bytes of their bodies.
    """

    route: str
    method: str
    by_status: Mapping[int, tuple[Distribution, int]]


class Connections(Struct, frozen=True):
    """
    Attributes:
        open: At this moment.
        busy: Those with a request that is being answered.
        refused: So far.
        given_up: Requests refused before they were complete, by status.
    """

    open: int
    busy: int
    refused: int
    given_up: Mapping[int, int]


class Reading(Struct, frozen=True):
    """
    Everything at one moment.

    Attributes:
        answers: One entry an operation and listener.
        connections, auth, realtime, jobs: Those.
        databases: By the name of their main file.
        log_waiting: Entries of the access log that are not written yet.
        log_dropped: Entries that never were: for ``logs.db``, for the stream.
        mail: None if the outbox cannot be read.
        mail_counts: Since the start.
        reload: The last one; None before the first.
        config_since: Unix seconds from when the configuration runs.
        tls: None without TLS.
        status, findings: Of readiness.
        disk: Sizes, room, backups.
    """

    answers: list[Answers]
    connections: Connections
    auth: Mapping[AuthEvent, int]
    realtime: RealtimeStatistics
    databases: Mapping[str, DatabaseStatistics]
    jobs: list[JobStatus]
    log_waiting: int
    log_dropped: tuple[int, int]
    mail: OutboxStatus | None
    mail_counts: MailStatistics
    reload: Outcome | None
    config_since: float
    tls: TlsStatus | None
    status: Status
    findings: Mapping[str, Finding]
    disk: Disk


async def take_reading(
    depot: "OpenDepot", dispatchers: Iterable["Dispatcher"], config_since: float
) -> Reading:
    """
    Copy all numbers.

    Args:
        depot: Open.
        dispatchers: Of all listeners.
        config_since: See ``Reading``.
    """
    # What has to be waited for comes first: all the rest is of one moment.
    try:
        mail = await depot.mailer.status()
    except AppError:
        mail = None
    status, findings = await depot.readiness.look()
    databases = depot.every_database()
    data = depot.options.depot / "data"
    files = {name: path for database in databases for name, path in database.files.items()}
    files["logs"] = data / "logs.db"
    disk = await asyncio.to_thread(look_at_disk, files, data, depot.backups.newest)
    encryption = depot.encryption
    return Reading(
        answers=[answers for one in dispatchers for answers in _answers(one)],
        connections=_connections(depot.gate),
        auth=dict(depot.auth.events.counts),
        realtime=depot.records.broker.statistics,
        databases={next(iter(one.files)): one.statistics() for one in databases},
        jobs=list(depot.scheduler.statistics),
        log_waiting=depot.logs.waiting,
        log_dropped=depot.access_log.dropped,
        mail=mail,
        mail_counts=depot.mailer.statistics,
        reload=depot.reloader.last,
        config_since=config_since,
        tls=None if encryption is None else encryption.certificates.status(),
        status=status,
        findings=findings,
        disk=disk,
    )


def _connections(gate: "Gate") -> Connections:
    return Connections(gate.count, gate.busy, gate.refused, dict(gate.given_up))


def _answers(dispatcher: "Dispatcher") -> Iterable[Answers]:
    for bound in dispatcher.router.routes:
        if bound.tally:
            yield Answers(bound.route.path, bound.route.method, bound.tally.look())
    tally: Tally
    for method, tally in dispatcher.elsewhere.items():
        if tally:
            yield Answers(ELSEWHERE, method, tally.look())
