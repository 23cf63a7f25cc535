"""
Readiness: is it worth sending requests here?

Parts of the server add checks; ``GET /api/readyz`` answers with what they found. A check is run
when somebody asks and its last finding has become old, once at a time, whoever and how many ask: so
probes cannot be used to load a server, and a check that hangs hangs once.

.. code-block:: text

    ready         200  all is well
    degraded      200  requests are answered, and somebody should look
    unavailable   503  a check that matters to every request has failed
    draining      503  the server is about to stop

Everybody sees the names of the checks and their states; what exactly was found is for
administrators, and for whoever reaches the listener of administration.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, Literal

from msgspec import Struct, field

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.errors import AppError, OperatorError
from trailbase_server.web.authenticator import Authenticator
from trailbase_server.web.errors import RETRY_AFTER
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value
from trailbase_server.web.route import Route

log = logging.getLogger(__name__)
KEEP_S = 1.0  # how long a finding is good: probes of many balancers cost as much as those of one
ANSWER_S = 3.0  # longest wait for a check; probes usually wait for at least as long
MAX_CHECKS = 64  # more are a loop that adds checks
UNAVAILABLE = 503

State = Literal["ok", "degraded", "failed"]
Status = Literal["ready", "degraded", "unavailable", "draining"]


class Finding(Struct, frozen=True):
    """
    What a check has found.

    Attributes:
        state: ``degraded``: somebody should look. ``failed``: it does not work.
        message: For whoever looks; empty if there is nothing to say.
        facts: Numbers and names, JSON values.
    """

    state: State = "ok"
    message: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[], Finding | Awaitable[Finding]]
"""Finds out how something is. Must not block the event loop; what it raises is a failure."""


class Readiness:
    """
    All checks of a server.

    Args:
        clock: Measures the age of findings.

    Attributes:
        is_draining: The server is about to stop.

    Spec:
        server/liveness-vs-readiness-p2
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.is_draining = False
        self._clock = clock
        self._watches: dict[str, _Watch] = {}

    def add(
        self, name: str, check: Check, *, keep_s: float = KEEP_S, is_vital: bool = False
    ) -> None:
        """
        Add a check, or replace the one of that name.

        Args:
            name: Seen by everybody.
            check: See ``Check``.
            keep_s: How long its finding is good.
            is_vital: Without it no request can be answered as it should: a failure is 503.
        """
        if name not in self._watches and len(self._watches) >= MAX_CHECKS:
            raise ValueError("too many checks")
        self._watches[name] = _Watch(name, check, keep_s, self._clock, is_vital=is_vital)

    def drain(self) -> None:
        """Say from now on that the server is about to stop."""
        self.is_draining = True

    def forget(self) -> None:
        """Let every check look anew: something has changed."""
        for watch in self._watches.values():
            watch.forget()

    async def look(self) -> tuple[Status, dict[str, Finding]]:
        """Tell how everything is, from findings that are not old."""
        watches = list(self._watches.values())
        found = await asyncio.gather(*(watch.look() for watch in watches))
        status: Status = "ready"
        if self.is_draining:
            status = "draining"
        elif any(w.is_vital and f.state == "failed" for w, f in zip(watches, found, strict=True)):
            status = "unavailable"
        elif any(finding.state != "ok" for finding in found):
            status = "degraded"
        return status, dict(zip((watch.name for watch in watches), found, strict=True))

    async def close(self) -> None:
        """Give up what is still being looked at. Idempotent."""
        running = [watch.task for watch in self._watches.values() if watch.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class _Watch:
    """A check with its last finding."""

    def __init__(
        self, name: str, check: Check, keep_s: float, clock: Clock, *, is_vital: bool
    ) -> None:
        self.name = name
        self.is_vital = is_vital
        self.finding: Finding | None = None
        self.task: asyncio.Task[Finding] | None = None
        self._check = check
        self._keep_s = keep_s
        self._clock = clock
        self._looked_at = 0.0

    def forget(self) -> None:
        """Look anew when next asked; a look that is under way saw what was before."""
        self.finding = self.task = None

    async def look(self) -> Finding:
        """The last finding, or a new one where that is old."""
        finding = self.finding
        if finding is not None and self._clock.monotonic() - self._looked_at < self._keep_s:
            return finding
        if self.task is None:
            self.task = asyncio.ensure_future(self._run())
        task = self.task
        # Whoever stops waiting must not take it from the others.
        await asyncio.wait({task}, timeout=ANSWER_S)
        if not task.done():
            return Finding("failed", f"no answer within {ANSWER_S:g} s")
        return task.result()

    async def _run(self) -> Finding:
        task = asyncio.current_task()
        try:
            result = self._check()
            finding = await result if isawaitable(result) else result
        except (AppError, OperatorError, OSError) as exc:
            detail = exc.detail if isinstance(exc, AppError) else ""
            finding = Finding("failed", detail or str(exc) or type(exc).__name__)
        except Exception as exc:  # the edge: one check must not keep the others
            log.exception("the check %s failed", self.name)
            finding = Finding("failed", type(exc).__name__)
        if self.task is task:
            self.task = None
            self.finding, self._looked_at = finding, self._clock.monotonic()
        return finding


class ReadyPage(Struct, frozen=True):
    """
    State of the route on one listener.

    Attributes:
        readiness: The checks.
        authenticator: Knows administrators.
        tells_all: Whoever reaches the listener may know everything.
    """

    readiness: Readiness
    authenticator: Authenticator
    tells_all: bool = False


async def check_readiness(state: ReadyPage, request: Request) -> Response:
    """
    Answer whether requests should be sent here, and which checks say so.

    Spec:
        server/liveness-vs-readiness-p2
    """
    status, found = await state.readiness.look()
    answer: dict[str, Any] = {
        "status": status,
        "checks": {name: finding.state for name, finding in found.items()},
    }
    if state.tells_all or await _is_admin(state.authenticator, request):
        answer["details"] = {name: _render(finding) for name, finding in found.items()}
    is_ready = status in ("ready", "degraded")
    response = json_value(answer, 200 if is_ready else UNAVAILABLE)
    response.headers.append((b"cache-control", b"no-store"))
    if not is_ready:
        response.headers.append(RETRY_AFTER)
    return response


async def _is_admin(authenticator: Authenticator, request: Request) -> bool:
    try:
        return request.identity is not None and await authenticator.is_admin(request.identity)
    except AppError:  # whoever cannot be looked up is nobody; the checks tell why
        return False


def _render(finding: Finding) -> dict[str, Any]:
    message = {"message": finding.message} if finding.message else {}
    return {"state": finding.state, **message, **finding.facts}


READY_ROUTES = (
    Route(
        "GET",
        "/api/readyz",
        check_readiness,
        audience="anyone",
        operation="readiness_handler",
        summary="Should requests be sent here? 503 if not, with what was found.",
        tag="server",
        is_limited=False,
    ),
)
"""Bound to a ``ReadyPage`` for each listener."""
