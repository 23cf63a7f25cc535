"""
Where entries of the audit log come from: requests, log-ins of administrators, commands, reloads.

Requests without an identity are not recorded, nor are refusals of users who are no administrators:
anybody could fill the disk with them. The access log has them.
"""

import os
import pwd
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from trailbase_server.audit.entry import Actor, Entry, Outcome, Values
from trailbase_server.audit.log import AuditLog
from trailbase_server.config.changes import list_changes
from trailbase_server.errors import AppError, OperatorError
from trailbase_server.web.audit import AuditNote, Auditor
from trailbase_server.web.request import Request
from trailbase_server.web.request_id import ensure_request_id
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route

if TYPE_CHECKING:
    from trailbase_server.server.opened import OpenDepot

R = TypeVar("R")
RETENTION_S = 400 * 24 * 3600  # more than a year: last year's deeds can be compared
SIGN_IN = "session.open"
_FIRST_REFUSAL, _FIRST_FAILURE = 400, 500  # statuses


def audit_requests(log: AuditLog) -> Auditor:
    """
    Make what records requests of routes with an ``audit`` action.

    Args:
        log: Takes the entries.

    Spec:
        server/audit-log-p2
    """

    async def record(route: Route, request: Request, response: Response, note: AuditNote) -> None:
        actor = _actor_of(request, response, note, is_sign_in=route.audit == SIGN_IN)
        if actor is None:
            return
        is_refusal = response.status >= _FIRST_REFUSAL
        await log.record(
            Entry(
                actor,
                route.audit,
                note.object,
                note.before,
                note.after,
                _outcome(response.status),
                response.status,
                response.body.decode("utf-8", "replace") if is_refusal else "",
                request.client_ip,
                ensure_request_id(request),
            )
        )

    return record


def watch_sign_ins(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Have log-ins of administrators recorded, whichever of these routes they use."""
    return tuple(route if route.hot else replace(route, audit=SIGN_IN) for route in routes)


def _actor_of(
    request: Request, response: Response, note: AuditNote, *, is_sign_in: bool
) -> Actor | None:
    if note.actor is not None:
        user_id, name = note.actor
        return Actor("user", name, user_id)
    identity = request.identity
    if is_sign_in or identity is None:
        return None
    if response.status >= _FIRST_REFUSAL and not identity.admin:
        return None
    return Actor("user", identity.email or identity.username or "", identity.user_id)


def _outcome(status: int) -> Outcome:
    if status >= _FIRST_FAILURE:
        return "failed"
    return "refused" if status >= _FIRST_REFUSAL else "done"


# Commands


class Deed(Struct):
    """
    What a command is about to do; more may become known while it does.

    Attributes:
        action, object, before, after: As in ``Entry``.
    """

    action: str
    object: str = ""
    before: Values | None = None
    after: Values | None = None


def command_actor() -> Actor:
    """Whose shell runs this process."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:  # as in containers
        name = f"uid {user}"
    behind = os.environ.get("SUDO_USER")
    return Actor("command", f"{name} (sudo by {behind})" if behind else name)


async def record_deed(log: AuditLog, deed: Deed, work: Awaitable[R], actor: Actor) -> R:
    """
    Wait for work and record what became of it.

    Raises:
        OperatorError, AppError: As the work does; recorded too.
    """
    outcome: Outcome = "done"
    message = ""
    try:
        return await work
    except (OperatorError, AppError) as exc:
        is_failure = isinstance(exc, AppError) and exc.status >= _FIRST_FAILURE
        outcome, message = "failed" if is_failure else "refused", str(exc)
        raise
    except BaseException as exc:
        outcome, message = "failed", type(exc).__name__
        raise
    finally:
        await log.record(
            Entry(
                actor,
                deed.action,
                deed.object,
                deed.before,
                deed.after,
                outcome,
                message=message,
            )
        )


# The server itself


async def reload_depot(depot: "OpenDepot") -> None:
    """
    Reload a depot and record what has changed.

    Raises:
        OperatorError, AppError: As of ``OpenDepot.reload``.
    """
    before = depot.config.config
    deed = Deed("config.reload")

    async def work() -> None:
        try:
            await depot.reload()
        finally:
            deed.before, deed.after = list_changes(before, depot.config.config)

    await record_deed(depot.audit, deed, work(), Actor("server", "SIGHUP"))


async def forget_old_entries(depot: "OpenDepot") -> None:
    """Let entries go that are older than configured; 0 keeps all for ever."""
    server = depot.config.config.server
    has_retention = server.HasField("audit_retention_sec")
    retention_s = server.audit_retention_sec if has_retention else RETENTION_S
    if retention_s > 0:
        await depot.audit.delete_before(depot.auth.clock.now() - retention_s)
