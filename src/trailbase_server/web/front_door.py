"""
The front door: hot routes answered straight from the socket.

Theory of operation
-------------------
uvicorn's ``httptools`` protocol parses requests and runs an ASGI application for each, in a task.
For the routes marked ``hot`` that machinery costs more than the work. This subclass looks at a
request when its headers are complete: if a hot route matches and nothing unusual is asked for, it
collects the body, calls the handler, steps its coroutine by hand when it waits for a write, and
writes head and body in one piece. Everything else (other routes, HEAD, cookies, ``Expect``,
upgrades, HTTP/1.0, bodies over the limit, pipelined requests behind one that is still being
answered) goes the ASGI way *before* the body is read, so that it behaves exactly as in uvicorn.

A request in flight stands in ``self.cycle`` like uvicorn's own, so its pipelining and its graceful
shutdown see it. Instead of arming a timer after every answer, each connection has one that looks
when the last answer was.
"""

from functools import partial
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from trailbase_server.db.errors import OverBudgetError
from trailbase_server.errors import TooLargeError
from trailbase_server.web.client_ip import PROXY_HEADERS, client_address, is_near
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import BoundRoute

if TYPE_CHECKING:
    import asyncio

_HOT_METHODS = frozenset((b"GET", b"POST", b"PATCH", b"DELETE"))


class HotCycle:
    """
    A request in flight, in the shape that uvicorn's protocol expects of its own cycles.

    Attributes:
        body, more_body, response_complete, disconnected, keep_alive, message_event: As there.
        bound: The route.
        request: What the handler gets.
        started: Monotonic seconds when its headers were complete.
        origin, referer, agent: Headers that were met on the way.
    """

    __slots__ = (
        "agent",
        "body",
        "bound",
        "disconnected",
        "keep_alive",
        "message_event",
        "more_body",
        "origin",
        "referer",
        "request",
        "response_complete",
        "started",
    )

    def __init__(self, bound: BoundRoute, request: Request, *, keep_alive: bool) -> None:
        self.bound = bound
        self.request = request
        self.keep_alive = keep_alive
        self.body = b""
        self.more_body = True
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NO_EVENT
        self.started = perf_counter()
        self.origin: bytes | None = None
        self.referer = b""
        self.agent = b""


class _NoEvent:
    """Nobody waits for the body of a hot request."""

    def set(self) -> None:
        """Nothing to wake."""


_NO_EVENT = _NoEvent()


class FrontDoor(HttpToolsProtocol):
    """
    A connection. ``front_door`` makes the class that uvicorn instantiates.

    Class attributes:
        dispatcher: Shared with the ASGI application.
    """

    dispatcher: Dispatcher
    _hot: HotCycle | None = None  # the request whose body is being read
    _peer = ""
    _near = False
    _head = b""
    _head_of: Any = None

    # Connection

    def connection_made(self, transport: "asyncio.Transport") -> None:  # type: ignore[override]
        """See uvicorn."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._near = is_near(self._peer)
        self._active_at = self.loop.time()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self._close_when_idle
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()

    def _unset_keepalive_if_required(self) -> None:
        """Called by uvicorn for every piece of data: the timer looks at the clock instead."""

    def _close_when_idle(self) -> None:
        if self.transport.is_closing():
            return
        idle = self.cycle is None or self.cycle.response_complete
        left = self._active_at + self.timeout_keep_alive - self.loop.time()
        if idle and left <= 0:
            self.transport.close()
            return
        self.timeout_keep_alive_task = self.loop.call_later(
            left if left > 0 else self.timeout_keep_alive, self._close_when_idle
        )

    def on_response_complete(self) -> None:
        """An answer was written in full: go on with what was pipelined behind it."""
        self.server_state.total_requests += 1
        self._active_at = self.loop.time()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)

    # Parser callbacks

    def on_message_begin(self) -> None:
        """A request starts; uvicorn's scope is made only if it is needed."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Decide which way the request goes."""
        cycle = self._hot_cycle()
        if cycle is not None:
            self._hot = cycle
            self.cycle = cycle  # type: ignore[assignment]  # the shape uvicorn uses
            return
        self._hot = None
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        cycle = self._hot
        if cycle is None:
            super().on_body(body)
        elif not cycle.response_complete:
            if len(cycle.body) + len(body) > self.dispatcher.body_limit:
                cycle.keep_alive = False
                self._answer(cycle, error_response(TooLargeError("length limit exceeded")))
            else:
                cycle.body = cycle.body + body if cycle.body else body

    def on_message_complete(self) -> None:
        """The request is complete."""
        cycle = self._hot
        if cycle is None:
            super().on_message_complete()
        elif not cycle.response_complete:
            self._run(cycle)

    def _hot_cycle(self) -> HotCycle | None:
        """The request as a hot one, or None when it has to go the ASGI way."""
        busy = self.cycle is not None and not self.cycle.response_complete
        method = self.parser.get_method()
        if busy or self.expect_100_continue or method not in _HOT_METHODS:
            return None
        url = httptools.parse_url(self.url)
        found = self.dispatcher.router.match(method.decode(), url.path.decode("latin-1"))
        if type(found) is not tuple or not found[0].route.hot:
            return None
        if self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return None
        bound, params = found
        path = url.path.decode("latin-1")
        query = url.query.decode("latin-1") if url.query else ""
        request = Request(method.decode(), path, query, self.headers, b"", params)
        cycle = HotCycle(bound, request, keep_alive=self.parser.should_keep_alive())
        return cycle if self._read_headers(cycle) else None

    def _read_headers(self, cycle: HotCycle) -> bool:
        """Take in what matters of the headers; False if one of them asks for the ASGI way."""
        request = cycle.request
        authorization: bytes | None = None
        has_cookie = False
        proxied = False
        for name, value in self.headers:
            if name == b"authorization":
                authorization = authorization or value
            elif name == b"cookie":
                has_cookie = True
            elif name == b"origin":
                cycle.origin = value
            elif name == b"user-agent":
                cycle.agent = value
            elif name == b"referer":
                cycle.referer = value
            elif name == b"content-length":
                if int(value) > self.dispatcher.body_limit:
                    return False
            elif name in PROXY_HEADERS:
                proxied = True
        request.client_ip = (
            client_address(self._peer, self.headers) if proxied and self._near else self._peer
        )
        if authorization is not None and authorization.startswith(b"Bearer "):
            request.identity = self.dispatcher.authenticator.bearer(authorization)
        elif has_cookie:
            return False
        return True

    # Running a handler

    def _run(self, cycle: HotCycle) -> None:
        request = cycle.request
        request.body = cycle.body
        try:
            result = cycle.bound.route.handler(cycle.bound.state, request)
        except OverBudgetError:
            handler = cycle.bound.route.handler
            self._step(cycle, self.dispatcher.on_pool(handler, cycle.bound.state, request))
        except Exception as exc:  # noqa: BLE001  # the edge: errors become answers
            self._answer(cycle, error_response(exc))
        else:
            if type(result) is Response:
                self._answer(cycle, result)
            else:
                self._step(cycle, result)

    def _step(self, cycle: HotCycle, coroutine: Any, _done: object = None) -> None:
        """Let a handler go on until it waits or ends; a task would cost more than the work."""
        try:
            waits_for = coroutine.send(None)
        except StopIteration as finished:
            self._answer(cycle, finished.value)
        except Exception as exc:  # noqa: BLE001  # the edge: errors become answers
            self._answer(cycle, error_response(exc))
        else:
            if waits_for is None:  # a bare yield, such as sleep(0)
                self.loop.call_soon(self._step, cycle, coroutine)
                return
            # What a task does with the future that a coroutine yields.
            waits_for._asyncio_future_blocking = False  # noqa: SLF001
            waits_for.add_done_callback(partial(self._step, cycle, coroutine))

    def _answer(self, cycle: HotCycle, response: Response) -> None:
        """Write head and body in one piece, log, and be ready for the next request."""
        cycle.response_complete = True
        dispatcher = self.dispatcher
        if not cycle.disconnected:
            headers = response.headers
            headers += dispatcher.cors.headers(cycle.origin)
            defaults = self.server_state.default_headers
            if defaults is not FrontDoor._head_of:
                # uvicorn replaces the list once a second, when the date has changed.
                FrontDoor._head_of = defaults
                FrontDoor._head = b"".join(b"%b: %b\r\n" % pair for pair in defaults)
            pieces = [STATUS_LINE[response.status], FrontDoor._head]
            for name, value in headers:
                pieces += (name, b": ", value, b"\r\n")
            if not cycle.keep_alive:
                pieces.append(b"connection: close\r\n")
            body = response.body
            pieces += (b"content-length: %d\r\n\r\n" % len(body), body)
            self.transport.write(b"".join(pieces))
            if not cycle.keep_alive:
                self.transport.close()
        request = cycle.request
        identity = request.identity
        dispatcher.log(
            (
                time(),
                response.status,
                request.method,
                f"{request.path}?{request.query}" if request.query else request.path,
                (perf_counter() - cycle.started) * 1000,
                request.client_ip,
                cycle.referer.decode("latin-1"),
                cycle.agent.decode("latin-1"),
                identity.user_id if identity is not None else None,
            )
        )
        self.on_response_complete()


def front_door(dispatcher: Dispatcher) -> type[FrontDoor]:
    """
    Make the protocol class of one server.

    Raises:
        ValueError: A hot route wants credentials checked in a way that the front door does not.
    """
    for bound in dispatcher.router.routes:
        if bound.route.hot and bound.route.audience != "anyone":
            raise ValueError(f"{bound.route.path} cannot be hot: its audience is not 'anyone'")
    return type("FrontDoor", (FrontDoor,), {"dispatcher": dispatcher})
