"""
The ASGI application: everything that the front door does not serve straight from the socket.

Order: body limit, route, CORS preflight, dispatch. Paths of no route go to ``fallback`` (static
files, mounted applications), else 404 with an empty body.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from time import perf_counter
from typing import Any

from trailbase_server.errors import BadRequestError, TooLargeError
from trailbase_server.tally import BYTES
from trailbase_server.web.client_ip import client_address, client_origin
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.errors import error_response
from trailbase_server.web.multipart import is_multipart
from trailbase_server.web.proxies import Proxies
from trailbase_server.web.request import Request
from trailbase_server.web.request_id import mark_answer, sent_request_id
from trailbase_server.web.response import Response
from trailbase_server.web.router import Match
from trailbase_server.web.sse import Feed
from trailbase_server.web.websocket import (
    SWITCHING_PROTOCOLS,
    SocketClosedError,
    WebSocket,
    is_foreign,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

_CLOSE = (b"connection", b"close")
_WITHOUT_BODY = (204, 304)  # a length would be that of what is not sent


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


class TrailApplication:
    """
    The server as an ASGI application.

    Args:
        dispatcher: Routes and what their handlers need.
        fallback: Serves paths of no route; None answers 404.
    """

    def __init__(self, dispatcher: Dispatcher, fallback: AsgiApplication | None = None) -> None:
        self.dispatcher = dispatcher
        self.fallback = fallback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        dispatcher = self.dispatcher
        request = _request({"method": "GET", **scope}, dispatcher.proxies)
        socket = WebSocket(receive, send, dispatcher.authenticator)
        await receive()  # the handshake
        found = dispatcher.router.match("GET", _raw_path(scope))
        endpoint = found[0].route.socket if isinstance(found, tuple) else None
        if not isinstance(found, tuple) or endpoint is None:
            await socket.refuse(Response(404))
            return
        bound, request.params = found
        response = Response(SWITCHING_PROTOCOLS)
        try:
            await dispatcher.identify(request)
            if is_foreign(request):
                request.identity = None
            if dispatcher.rate_limits is not None:
                dispatcher.rate_limits.demand(bound, request)
            endpoint.check(bound.state, request)
            await endpoint.serve(bound.state, request, socket)
        except SocketClosedError:
            pass
        except Exception as exc:  # noqa: BLE001  # the edge: errors become answers
            response = error_response(exc, request)
            mark_answer(request, response)
            with suppress(SocketClosedError):
                await socket.fail(response)
        dispatcher.record(request, response, started, _version(scope), bound)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        dispatcher = self.dispatcher
        request = _request(scope, dispatcher.proxies)
        if _is_too_large(request, dispatcher.limit_of(request)):
            # Refused before anything else looks at it, the access log and CORS included.
            response = _refuse_large()
            tally = dispatcher.tally(request, None)
            tally.add(response.status, perf_counter() - started, len(response.body))
            await _send(send, response, request)
            return
        found = dispatcher.router.match(request.method, _raw_path(scope))
        if request.method == "OPTIONS":
            response = dispatcher.cors.preflight(request)
            if isinstance(found, list):
                response.headers.append(_allow(found))
        elif found is None and (refused := dispatcher.refuse_elsewhere(request)) is not None:
            response = refused
        elif found is None and self.fallback is not None:
            await self._fall_back(self.fallback, scope, receive, send, request)
            return
        elif found is None:
            response = Response(404)
        elif isinstance(found, list):
            response = Response(405, headers=[_allow(found)])
        else:
            try:
                response = await self._handle(found, request, receive)
            except ClientGoneError:
                return
        if request.method != "OPTIONS":
            response.headers += dispatcher.cors.headers(request.header(b"origin"))
            response.headers += dispatcher.extra_headers(request)
        bound = found[0] if isinstance(found, tuple) else None
        mark_answer(request, response)
        dispatcher.record(request, response, started, _version(scope), bound)
        if response.feed is not None:
            await _send_feed(send, receive, response, response.feed)
        elif response.stream is not None and not request.head:
            sent = dispatcher.tally(request, bound)[response.status]
            await _send_stream(send, receive, response, response.stream, sent)
        else:
            await _send(send, response, request)

    async def _handle(self, found: Match, request: Request, receive: Receive) -> Response:
        bound, request.params = found
        if request.method == "HEAD":
            request.method = "GET"
            request.head = True
        limit = self.dispatcher.limit_of(request)
        if bound.route.streams_forms and is_multipart(request.header(b"content-type")):
            request.stream = stream = _BodyStream(receive, limit)
            response = await self.dispatcher.respond(bound, request)
            if stream.has_gone:
                raise ClientGoneError
            if stream.is_over_limit:
                response.headers.append(_CLOSE)
            return response
        try:
            request.body = await _read_body(receive, limit)
        except TooLargeError:
            return _refuse_large()
        return await self.dispatcher.respond(bound, request)

    async def _fall_back(
        self,
        fallback: AsgiApplication,
        scope: Scope,
        receive: Receive,
        send: Send,
        request: Request,
    ) -> None:
        started = perf_counter()
        cors = self.dispatcher.cors.headers(request.header(b"origin"))
        cors += self.dispatcher.extra_headers(request)
        tally = self.dispatcher.tally(request, None)
        status = 0

        async def send_logged(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                answer = Response(message["status"], headers=[*message.get("headers", ()), *cors])
                mark_answer(request, answer)
                message["headers"] = answer.headers
                status = answer.status
                self.dispatcher.record(request, answer, started, _version(scope))
            await send(message)
            tally[status][BYTES] += len(message.get("body", b""))

        await fallback(scope, receive, send_logged)


def _request(scope: Scope, proxies: Proxies) -> Request:
    request = Request(
        scope["method"], scope["path"], scope["query_string"].decode("latin-1"), scope["headers"]
    )
    peer = scope["client"][0] if scope.get("client") else ""
    host = request.header_text(b"host") or ""
    if proxies.trusts(peer):
        request.request_id = sent_request_id(request.headers)
        request.client_ip = client_address(peer, request.headers, proxies)
        request.origin = client_origin(scope["scheme"], host, request.headers, proxies)
    else:
        request.client_ip = peer
        request.origin = f"{scope['scheme']}://{host}"
    return request


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1")


def _version(scope: Scope) -> str:
    version: str = scope.get("http_version", "1.1")
    return version


def _allow(methods: list[str]) -> tuple[bytes, bytes]:
    return b"allow", ",".join(methods).encode()


def _is_too_large(request: Request, limit: int) -> bool:
    length = request.header(b"content-length")
    return length is not None and length.isdigit() and int(length) > limit


def _refuse_large() -> Response:
    response = error_response(TooLargeError("length limit exceeded"))
    response.headers.append(_CLOSE)
    return response


class _BodyStream:
    """
    A body piece by piece, within the limit.

    Attributes:
        is_over_limit: It was longer: the rest is not read, so the connection cannot go on.
        has_gone: The client went away in the middle of it.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._more = True
        self.is_over_limit = False
        self.has_gone = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._more:
            raise StopAsyncIteration
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._more = False
            self.has_gone = True
            raise BadRequestError("the body is cut short")
        chunk: bytes = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._left -= len(chunk)
        if self._left < 0:
            self._more = False
            self.is_over_limit = True
            raise TooLargeError("length limit exceeded")
        return chunk


async def _read_body(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLargeError("length limit exceeded")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(send: Send, response: Response, request: Request) -> None:
    headers = response.headers
    if response.stream is None and response.status not in _WITHOUT_BODY:
        headers = [*headers, (b"content-length", b"%d" % len(response.body))]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if request.head else response.body
    await send({"type": "http.response.body", "body": body})


async def _send_stream(
    send: Send,
    receive: Receive,
    response: Response,
    stream: AsyncIterator[bytes],
    sent: list[float],
) -> None:
    """Send chunks until there are no more or the client goes; ``sent`` is a row of a tally."""
    gone = asyncio.ensure_future(_wait_until_gone(receive))
    try:
        start = {"status": response.status, "headers": response.headers}
        await send({"type": "http.response.start", **start})
        async for chunk in stream:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            sent[BYTES] += len(chunk)
            # Neither a file in memory nor a client that keeps up ever waits: others want a turn.
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()  # now, not when the collector comes by: it may hold a file


async def _send_feed(send: Send, receive: Receive, response: Response, feed: Feed) -> None:
    """Send events until there are no more or the client goes."""
    watching = asyncio.ensure_future(_detach_when_gone(receive, feed))
    try:
        start = {"status": response.status, "headers": response.headers}
        await send({"type": "http.response.start", **start})
        async for batch in feed.batches():
            await send({"type": "http.response.body", "body": b"".join(batch), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        feed.detach()
        watching.cancel()


async def _detach_when_gone(receive: Receive, feed: Feed) -> None:
    await _wait_until_gone(receive)
    feed.detach()


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
