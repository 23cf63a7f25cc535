"""
Backups, as administrators make, see, check, delete and put them back.

Besides what the reference answers, lists tell size and databases, a backup can be checked, and a
restore can leave databases out (``exclude``).
"""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from trailbase_server.backups.errors import BackupError
from trailbase_server.backups.restore import Scope
from trailbase_server.backups.service import Backups, Listed
from trailbase_server.errors import PreconditionError, UnprocessableError
from trailbase_server.web.audit import annotate
from trailbase_server.web.body import decode_json_object
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, json_value, text

log = logging.getLogger(__name__)
MAX_TIMESTAMPS = 10_000  # of one request; more backups nobody keeps
_INT64 = 1 << 63
Handler = Callable[[Backups, Request], Awaitable[Response]]


def tells_failures(handler: Handler) -> Handler:
    """Answer with the reason of a failure: administrators may see what others may not."""

    @wraps(handler)
    async def handle(state: Backups, request: Request) -> Response:
        try:
            return await handler(state, request)
        except BackupError as exc:
            log.error("%s", exc.public, exc_info=exc.__cause__)  # noqa: TRY400  # its cause is it
            return text(exc.public, exc.status)

    return handle


@tells_failures
async def list_backups(state: Backups, _request: Request) -> Response:
    """
    Answer with all backups, oldest first.

    Raises:
        BackupError: Their directory cannot be read.

    Spec:
        admin-api/backups
    """
    return await _render(state)


@tells_failures
async def trigger_backup(state: Backups, _request: Request) -> Response:
    """
    Make a backup, and answer with all of them.

    Raises:
        DisabledBackupsError: The configuration wants none.
        BusyShelfError: One is being made.
        BackupError: It failed.

    Spec:
        admin-api/backups
    """
    backup = await state.run()
    annotate(object=str(backup.timestamp))
    return await _render(state)


@tells_failures
async def delete_backups(state: Backups, request: Request) -> Response:
    """
    Delete backups in the order given, up to the first that cannot be.

    Raises:
        UnprocessableError: ``timestamps`` is no list of numbers.
        PreconditionError: One of them is out of range.
        UnknownBackupError: There is no such backup.
        BackupError: It cannot be deleted.

    Spec:
        admin-api/backups
    """
    body = decode_json_object(request)
    timestamps = body.get("timestamps")
    if not isinstance(timestamps, list) or len(timestamps) > MAX_TIMESTAMPS:
        raise UnprocessableError("timestamps: expected a list of numbers")
    chosen = [_check_timestamp(one) for one in timestamps]
    annotate(object=" ".join(map(str, chosen)))
    await state.delete(chosen)
    return empty()


@tells_failures
async def restore_backup(state: Backups, request: Request) -> Response:
    """
    Put a backup back under the running server; a backup of the present state is made first.

    Raises:
        UnprocessableError: ``timestamp`` is no number, or ``exclude`` no list of names.
        UnknownBackupError: There is no such backup.
        UnsuitableBackupError: It is broken, newer, or does not fit; nothing has changed.
        BackupError: It failed.

    Spec:
        admin-api/backups
        server/restore
    """
    body = decode_json_object(request)
    timestamp = _check_timestamp(body.get("timestamp"))
    excluded = _read_names(body.get("exclude"))
    annotate(object=str(timestamp))
    report = await state.restore(timestamp, Scope(frozenset(excluded)))
    annotate(after={"databases": report.databases, "safety": report.safety})
    return empty()


@tells_failures
async def verify_backup(state: Backups, request: Request) -> Response:
    """
    Check a backup from its first byte to its last.

    Raises:
        UnprocessableError: ``timestamp`` is no number.
        UnknownBackupError: There is no such backup.

    Spec:
        server/backups-pitr-dr-p1-p2-roadmap-names-point-in-time-recovery
    """
    report = await state.verify(_check_timestamp(decode_json_object(request).get("timestamp")))
    return json_value(
        {
            "timestamp": report.timestamp,
            "ok": not report.problems,
            "problems": report.problems,
            "remarks": report.remarks,
            "databases": report.databases,
        }
    )


def render_backup(backup: Listed) -> dict[str, Any]:
    """A backup as lists show it; what it does not say is left out."""
    shown: dict[str, Any] = {"timestamp": backup.timestamp}
    if backup.size is not None:
        shown |= {"size": backup.size, "databases": backup.databases}
    if backup.problem is not None:
        shown["problem"] = backup.problem
    return shown


async def _render(state: Backups) -> Response:
    answer = {"backups": [render_backup(one) for one in await state.list()]}
    before = await state.list_before_restore()
    if before:
        answer["before_restore"] = [render_backup(one) for one in before]
    return json_value(answer)


def _check_timestamp(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnprocessableError("timestamp: expected a number")
    if not -_INT64 <= value < _INT64:
        raise PreconditionError("precondition failed: invalid timestamp")
    return value


def _read_names(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnprocessableError("exclude: expected a list of names")
    names = [one for one in value if isinstance(one, str)]
    if len(names) != len(value):
        raise UnprocessableError("exclude: expected a list of names")
    return names
