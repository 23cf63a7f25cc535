"""
The front door: hot routes answered straight from the socket.

Theory of operation
-------------------
uvicorn's ``httptools`` protocol parses requests and runs an ASGI application for each, in a task.
For the routes marked ``hot`` that machinery costs more than the work. This subclass looks at a
request when its headers are complete: if a hot route matches and nothing unusual is asked for, it
collects the body, calls the handler, steps its coroutine by hand when it waits for a write, and
writes head and body in one piece. Everything else (other routes, HEAD, cookies, ``Expect``,
upgrades, HTTP/1.0, large bodies, multipart forms, pipelined requests behind one that is still being
answered) goes the ASGI way *before* the body is read, so that it behaves exactly as in uvicorn.

A request in flight stands in ``self.cycle`` like uvicorn's own, so its pipelining and its graceful
shutdown see it. How long a client may take for all that is the matter of ``web.patience``.
"""

from bisect import bisect_left
from functools import partial
from time import perf_counter, time
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from trailbase_server.db.errors import OverBudgetError
from trailbase_server.errors import TooLargeError
from trailbase_server.tally import BYTES, DURATION_BOUNDS_S, SECONDS
from trailbase_server.web.client_ip import PROXY_HEADERS, client_address
from trailbase_server.web.cycle import NOTHING, HotCycle
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.errors import error_response
from trailbase_server.web.patience import MAX_HEADERS, PatientProtocol
from trailbase_server.web.rate_limit import address_key, count, refusal
from trailbase_server.web.request import Request
from trailbase_server.web.request_id import FIRST_ERROR, HEADER, mark_answer, sent_request_id
from trailbase_server.web.response import Response
from trailbase_server.web.shorten import shorten
from trailbase_server.web.streaming import CHUNKED

MAX_HOT_BODY_BYTES = 256 * 1024  # a piece is 64 KiB: beyond a few, appending costs more than a task
CLOSE_HEADER = (b"connection", b"close")
_TOLD_BY_PROXIES = PROXY_HEADERS | {HEADER}
_BODY_HEADERS = (b"content-length", b"content-type")
_REDIRECT = "redirect_uri="
_HOT_METHODS = {b"GET": "GET", b"POST": "POST", b"PATCH": "PATCH", b"DELETE": "DELETE"}


class FrontDoor(PatientProtocol):
    """A connection. ``front_door`` makes the class that uvicorn instantiates."""

    __slots__ = ("_hot",)
    _head = b""  # of all answers: lines, and uvicorn's list that they were made of
    _head_of: Any = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._hot: HotCycle | None = None  # the request whose body is being read

    def on_response_complete(self) -> None:
        """An answer was written in full: go on with what was pipelined behind it."""
        self.server_state.total_requests += 1
        self._active_at = perf_counter()
        if self.transport.is_closing():
            return
        if self._full_since is None:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)

    def is_lively(self, quiet_s: float) -> bool:
        """Is a request likely to come, or to become complete, at this moment?"""
        if self.cycle is not None and not self.cycle.response_complete:
            return False  # it is here: the drain waits for its answer
        return self.in_head or perf_counter() - self._active_at < quiet_s

    def shutdown(self) -> None:
        """Called once nothing is accepted any more: close, or part after the answer under way."""
        self._part_after_answer()
        super().shutdown()

    def _part_after_answer(self) -> None:
        """End the connection with the answer that is due, and say so in it."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete or not cycle.keep_alive:
            return
        cycle.keep_alive = False
        if isinstance(cycle, RequestResponseCycle) and not cycle.response_started:
            cycle.default_headers = [*cycle.default_headers, CLOSE_HEADER]

    # Parser callbacks

    def on_message_begin(self) -> None:
        """A request starts; uvicorn's scope is made only if it is needed."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self.in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those behind a body are dropped."""
        if not self.in_head:
            return
        name = name.lower()
        self.headers.append((name, value))
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Decide which way the request goes."""
        self.in_head, self.in_body, self._head_bytes = False, True, 0
        if self._is_bulky or len(self.headers) > MAX_HEADERS:
            self.weigh_head()
        last = self.cycle
        if last is not None and (not last.keep_alive or self.pipeline) and self.has_heard_enough():
            self._hot = NOTHING
            return
        cycle = self._hot = self._hot_cycle()
        if cycle is not None:
            self.cycle = cycle  # type: ignore[assignment]  # the shape uvicorn uses
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()
        if self.dispatcher.gate.is_draining:
            self._part_after_answer()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        cycle = self._hot
        if cycle is None:
            super().on_body(body)
        elif not cycle.response_complete:
            request = cycle.request
            if len(request.body) + len(body) > self.dispatcher.body_limit:
                cycle.keep_alive = False
                self._answer(cycle, error_response(TooLargeError("length limit exceeded")))
            else:
                request.body = request.body + body if request.body else body

    def on_message_complete(self) -> None:
        """The request is complete."""
        self.in_body = False
        cycle = self._hot
        if cycle is None:
            super().on_message_complete()
        elif not cycle.response_complete:
            self._run(cycle)

    def _hot_cycle(self) -> HotCycle | None:
        """The request as a hot one, or None when it has to go the ASGI way."""
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        if self._full_since is not None:
            return None  # answers wait for the socket there
        parser = self.parser
        method = _HOT_METHODS.get(parser.get_method())
        url = self.url
        # Other forms of a target than /path?query, and raw bytes in it, are not for here.
        if method is None or not url.startswith(b"/") or b"#" in url or not url.isascii():
            return None
        target = url.decode("ascii")
        path, _, query = target.partition("?")
        if _REDIRECT in query:  # where to depends on the origin, which is worked out elsewhere
            return None
        found = self.dispatcher.router.match(method, path)
        if type(found) is not tuple or not found[0].route.hot:
            return None
        if (
            parser.get_http_version() != "1.1"
            or self.expect_100_continue
            or parser.should_upgrade()
        ):
            return None
        bound, params = found
        request = Request(method, path, query, self.headers, b"", params)
        keep_alive = parser.should_keep_alive() and not self.dispatcher.gate.is_draining
        cycle = HotCycle(bound, request, target, perf_counter(), keep_alive=keep_alive)
        return cycle if self._read_headers(cycle) else None

    def _read_headers(self, cycle: HotCycle) -> bool:  # noqa: C901  # a call a header costs more
        """Take in what matters of the headers; False if one of them asks for the ASGI way."""
        request = cycle.request
        authorization: bytes | None = None
        has_cookie = False
        proxied = False
        for name, value in self.headers:
            if name == b"host":
                cycle.host = value
            elif name == b"authorization":
                authorization = authorization or value
            elif name == b"user-agent":
                cycle.agent = value
            elif name in _BODY_HEADERS:
                if self._is_large_or_form(name, value):
                    return False
            elif name == b"origin":
                cycle.origin = value
            elif name == b"cookie":
                has_cookie = True
            elif name == b"referer":
                cycle.referer = value
            elif name in _TOLD_BY_PROXIES:
                proxied = True
        if proxied and self._speaks_for_others:
            request.client_ip = client_address(self._peer, self.headers, self.dispatcher.proxies)
            request.request_id = sent_request_id(self.headers)
        else:
            request.client_ip = self._peer
        if authorization is not None and authorization.startswith(b"Bearer "):
            request.identity = self.dispatcher.authenticator.bearer(authorization)
        elif has_cookie:
            return False
        return True

    def _is_large_or_form(self, name: bytes, value: bytes) -> bool:
        """Is it a body that the ASGI way receives better: piece by piece?"""
        if name == b"content-type":
            return value[:10].lower() == b"multipart/"
        return int(value) > min(self.dispatcher.body_limit, MAX_HOT_BODY_BYTES)

    # Running a handler

    def _run(self, cycle: HotCycle) -> None:
        bound, request = cycle.bound, cycle.request
        handler = bound.route.handler
        limits = self.dispatcher.rate_limits
        if limits is not None:
            pace = limits.plain.get(bound)
            if pace is not None:
                address = request.client_ip
                key = address_key(address) if ":" in address else address  # mostly without a call
                # ``started`` is of the clock that limits have, too: one look at it a request.
                left = pace.take(key, cycle.started)
            else:
                pace, left = count(limits.checks[bound], request, cycle.started)
            # No ``Verdict`` of what may pass: that would cost as much as counting.
            if pace is not None and left < pace.near:
                if left < 0:
                    self._answer(cycle, refusal(pace.verdict(left)))
                    return
                cycle.limits = b"%b%d\r\n" % (pace.lines, int(left))
        try:
            result = handler(bound.state, request)
        except OverBudgetError:
            self._step(cycle, self.dispatcher.on_pool(handler, bound.state, request))
        except Exception as exc:  # noqa: BLE001  # the edge: errors become answers
            self._answer(cycle, error_response(exc, cycle.request))
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
            self._answer(cycle, error_response(exc, cycle.request))
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
        request = cycle.request
        if response.status >= FIRST_ERROR or request.request_id:
            mark_answer(request, response)
        if not cycle.disconnected:
            self.transport.write(self._render(cycle, response))
            if response.feed is not None:
                self.begin_feed(cycle, response.feed)
            elif not cycle.keep_alive:
                self.transport.close()
        elif response.feed is not None:
            response.feed.detach()
        seconds = perf_counter() - cycle.started
        row = cycle.bound.tally[response.status]  # without a call: see ``Tally``
        row[bisect_left(DURATION_BOUNDS_S, seconds)] += 1
        row[SECONDS] += seconds
        row[BYTES] += len(response.body)
        identity = request.identity
        entry = (
            time(),
            response.status,
            request.method,
            cycle.target,
            seconds * 1000,
            request.client_ip,
            cycle.referer,
            cycle.agent,
            None if identity is None else identity.user_id,
            cycle.host,
            "1.1",
            request.request_id,
            cycle.bound.route,
        )
        self.dispatcher.log(shorten(entry) if self._is_bulky else entry)
        if cycle.response_complete:  # not so with a feed
            self.on_response_complete()

    def _render(self, cycle: HotCycle, response: Response) -> bytes:
        defaults = self.server_state.default_headers
        if defaults is not FrontDoor._head_of:
            # uvicorn replaces the list once a second, when the date has changed.
            FrontDoor._head_of = defaults
            FrontDoor._head = b"".join(b"%b: %b\r\n" % pair for pair in defaults)
        cors = self.dispatcher.cors
        headers = response.headers
        if cycle.origin is None:
            lines = cors.plain_lines
        else:
            lines = b"".join(b"%b: %b\r\n" % pair for pair in cors.headers(cycle.origin))
        for pair in headers:
            lines += b"%b: %b\r\n" % pair
        if cycle.limits:
            lines += cycle.limits
        if response.feed is not None:
            return b"%b%b%b%b" % (STATUS_LINE[response.status], FrontDoor._head, lines, CHUNKED)
        if not cycle.keep_alive:
            lines += b"connection: close\r\n"
        body = response.body
        return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (
            STATUS_LINE[response.status],
            FrontDoor._head,
            lines,
            len(body),
            body,
        )


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
