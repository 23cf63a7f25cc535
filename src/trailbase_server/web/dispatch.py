"""
From a matched route to a response: who is asking, may they, run the handler, render a refusal.

``Dispatcher`` holds what both ways into the server share. The ASGI path calls ``respond``; the
front door does the same steps itself, without a task, and comes back here only when a handler has
to move to the reader pool.
"""

from collections.abc import Callable, Coroutine
from inspect import isawaitable
from time import perf_counter, time
from typing import Any, TypeVar

from trailbase_server.crypto import is_same_secret
from trailbase_server.db.errors import OverBudgetError
from trailbase_server.errors import BadRequestError, ForbiddenError, UnavailableError
from trailbase_server.tally import Tally
from trailbase_server.web.audit import Auditor, noting
from trailbase_server.web.authenticator import Authenticator
from trailbase_server.web.cors import Cors
from trailbase_server.web.errors import error_response
from trailbase_server.web.gate import Gate
from trailbase_server.web.log_entry import LogEntry
from trailbase_server.web.multipart import is_multipart
from trailbase_server.web.proxies import NEAR, Proxies
from trailbase_server.web.rate_limit import (
    RateLimits,
    RateRule,
    Verdict,
    add_limits,
    check_rate,
    refusal,
)
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import BoundRoute
from trailbase_server.web.router import Router
from trailbase_server.web.shorten import shorten

R = TypeVar("R")
MAX_RUNNING = 1024  # handlers at once, of those that are no hot routes; some 100 KiB each

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_OTHER = "other"  # counts a method that a client has made up


class Dispatcher:
    """
    What is needed to answer requests.

    Args:
        router: The table of routes.
        authenticator: Turns credentials into identities.
        cors: Policy for browsers.
        on_pool: ``Database.on_pool`` of the main database.
        body_limit: Largest request body in bytes.
        log: Takes one access-log entry per answer; must be quick.
        proxies: Whose forwarding headers are believed.
        auditor: Writes deeds down before they are answered.

    Attributes:
        gate: Counts connections; those of several listeners together if they share it.
        most_running: Handlers at once; what comes beyond them is told to come again.
        upload_limit: Largest multipart form in bytes.
        rules, rate_limits: About the rate of requests, and what counts them; none without rules.
            Replaced when the configuration changes, like
        over_tls: Headers for whoever came over TLS.
        elsewhere: Answers of no route by method: files, refusals, and nothing. Those of routes are
            counted with their ``BoundRoute``.
    """

    def __init__(
        self,
        router: Router,
        authenticator: Authenticator,
        cors: Cors,
        on_pool: Callable[..., Coroutine[Any, Any, Any]],
        body_limit: int,
        log: Callable[[LogEntry], None],
        proxies: Proxies = NEAR,
        auditor: Auditor | None = None,
    ) -> None:
        self.router = router
        self.authenticator = authenticator
        self.cors = cors
        self.on_pool = on_pool
        self.body_limit = body_limit
        self.log = log
        self.proxies = proxies
        self.gate = Gate()
        self.auditor = auditor
        self.most_running = MAX_RUNNING
        self._running = 0
        self.upload_limit = body_limit
        self.rules: list[RateRule] = []
        self.rate_limits: RateLimits | None = None
        self.over_tls: Headers = []
        self.elsewhere = {method: Tally() for method in (*METHODS, _OTHER)}

    async def respond(self, bound: BoundRoute, request: Request) -> Response:
        """Answer a request whose route is known. Never raises."""
        if self.auditor is None or not bound.route.audit:
            return await self._respond(bound, request)
        with noting() as note:
            response = await self._respond(bound, request)
        await self.auditor(bound.route, request, response, note)
        return response

    async def _respond(self, bound: BoundRoute, request: Request) -> Response:
        cookies: Headers = []
        verdict: Verdict | None = None
        try:
            if bound.route.audience != "nobody":
                cookies = await self.identify(request)
            if self.rate_limits is not None:
                verdict = self.rate_limits.take(bound, request)
                check_rate(verdict)
            await self._admit(bound, request)
            response = await self.run(bound, request)
        except Exception as exc:  # noqa: BLE001  # the edge: errors become answers
            response = error_response(exc, request)
        if verdict is not None and verdict.is_near:
            add_limits(response, verdict)
        # In front: what the handler says of the same cookies comes later and counts.
        response.headers[:0] = cookies
        return response

    def limit_of(self, request: Request) -> int:
        """Largest body that this request may have, in bytes."""
        kind = request.header(b"content-type")
        return self.upload_limit if is_multipart(kind) else self.body_limit

    def extra_headers(self, request: Request) -> Headers:
        """Headers that an answer gets for the way it was asked for."""
        return self.over_tls if request.origin.startswith("https:") else []

    def refuse_elsewhere(self, request: Request) -> Response | None:
        """Count a request of no route; an answer if it came too early."""
        if self.rate_limits is None:
            return None
        verdict = self.rate_limits.take_elsewhere(request)
        return refusal(verdict) if verdict is not None and verdict.wait_s else None

    async def run(self, bound: BoundRoute, request: Request) -> Response:
        """Run the handler; a plain function over its budget runs again on a reader thread."""
        handler = bound.route.handler
        # Who is still sending a form works as slowly as it likes: that would keep others out.
        if self._running >= self.most_running and request.stream is None:
            raise UnavailableError("too many requests at once")
        counts = request.stream is None
        self._running += counts
        try:
            result = handler(bound.state, request)
            return await result if isawaitable(result) else result
        except OverBudgetError:
            moved: Response = await self.on_pool(handler, bound.state, request)
            return moved
        finally:
            self._running -= counts

    async def identify(self, request: Request) -> Headers:
        """
        Set the request's identity.

        Returns:
            Headers for the answer.
        """
        authorization = request.header(b"authorization")
        if authorization is not None and authorization.startswith(b"Bearer "):
            request.identity = self.authenticator.bearer(authorization)
            return []
        if request.header(b"cookie") is None:
            return []
        request.identity, headers = await self.authenticator.cookies(request)
        return headers

    async def _admit(self, bound: BoundRoute, request: Request) -> None:
        audience = bound.route.audience
        if audience in ("nobody", "anyone"):
            return
        identity = request.identity
        if identity is None:
            raise self.authenticator.refusal(request)
        if audience == "admin":
            if not await self.authenticator.is_admin(identity):
                raise ForbiddenError
            token = request.header_text(b"csrf-token")
            if token is None or not token.isascii():
                raise BadRequestError("admin APIs require csrf header")
            if not is_same_secret(token, identity.csrf_token):
                raise BadRequestError("invalid CSRF token")

    def record(
        self,
        request: Request,
        response: Response,
        started: float,
        version: str = "1.1",
        bound: BoundRoute | None = None,
    ) -> None:
        """Count an answer and write one access-log entry."""
        seconds, status = perf_counter() - started, response.status
        size = 0 if request.head or request.method == "HEAD" else len(response.body)
        self.tally(request, bound).add(status, seconds, size)
        url = f"{request.path}?{request.query}" if request.query else request.path
        identity = request.identity
        entry = (
            time(),
            status,
            "HEAD" if request.head else request.method,
            url,
            seconds * 1000,
            request.client_ip,
            request.header(b"referer") or b"",
            request.header(b"user-agent") or b"",
            identity.user_id if identity is not None else None,
            request.header(b"host") or b"",
            version,
            request.request_id,
            None if bound is None else bound.route,
        )
        self.log(shorten(entry))

    def tally(self, request: Request, bound: BoundRoute | None) -> Tally:
        """Where answers to a request are counted."""
        if bound is not None:
            return bound.tally
        return self.elsewhere.get(request.method, self.elsewhere[_OTHER])
