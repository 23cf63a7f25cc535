"""
Connections that stay open: what the front door adds to uvicorn's protocol for event streams and
WebSockets.

An event stream is written straight to the transport, without a task: a hundred streams that get the
same event are a hundred calls of ``write`` with the same bytes. The transport's flow control is
passed on to the feed, so nothing piles up here. The request stays in flight until the stream ends:
nothing pipelined behind it is answered, and no keep-alive timer closes it.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trailbase_server.errors import AppError
from trailbase_server.web.cycle import HotCycle
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.request import Request
from trailbase_server.web.sse import LAST_CHUNK, Feed
from trailbase_server.web.websocket import is_socket_query

CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LOCAL_PACKET_BYTES = 32 * 1024  # what a socket that is no TCP socket passes on at once
LAST_WORDS_S = 10.0  # for a client with a full socket to read the end of its stream


class StreamingProtocol(HttpToolsProtocol):
    """
    uvicorn's protocol with feeds, and with WebSockets where a route offers them.

    Class attributes:
        dispatcher: Shared with the ASGI application.
    """

    # Python keeps attributes of up to 30 names where each connection finds them at the same place.
    # uvicorn's are 28: with ours among them, each access would be a search, at a tenth of the
    # throughput. So ours have places of their own, here and in the classes below.
    __slots__ = ("_feed", "on_socket_lost")
    dispatcher: Dispatcher

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._feed: Feed | None = None  # what is being answered with events
        # Told of the end of a WebSocket.
        self.on_socket_lost: Callable[[], None] | None = None

    # Event streams

    def begin_feed(self, cycle: HotCycle, feed: Feed) -> None:
        """
        Answer with events until they end or the client goes; the head has been written.

        Args:
            cycle: The request.
            feed: Has the events.
        """
        cycle.response_complete = False
        self._feed = feed
        feed.attach(SocketOutlet(self.transport, cycle))

    def pause_writing(self) -> None:
        """The socket is full."""
        super().pause_writing()
        if self._feed is not None:
            self._feed.pause()

    def resume_writing(self) -> None:
        """The socket has room again."""
        super().resume_writing()
        if self._feed is not None:
            self._feed.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        super().connection_lost(exc)
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.detach()

    # WebSockets

    def _should_upgrade_to_ws(self) -> bool:
        # uvicorn is told that there are no WebSockets, so that it does not load the library.
        if self.ws_protocol_class is None and self._is_handshake():
            self.ws_protocol_class = _web_socket_protocol()
        return self.ws_protocol_class is not None

    def _is_handshake(self) -> bool:
        url = httptools.parse_url(self.url)
        query = url.query.decode("latin-1") if url.query else ""
        if not is_socket_query(query):
            return False
        path = url.path.decode("latin-1")
        found = self.dispatcher.router.match("GET", path)
        endpoint = found[0].route.socket if isinstance(found, tuple) else None
        if not isinstance(found, tuple) or endpoint is None:
            return False
        bound, params = found
        try:
            endpoint.check(bound.state, Request("GET", path, query, self.headers, b"", params))
        except AppError:
            return False
        return True

    def handle_websocket_upgrade(self) -> None:
        """The connection is somebody else's from now on."""
        if self.on_socket_lost is not None:
            made = cast("Any", self.ws_protocol_class)
            self.ws_protocol_class = cast("Any", partial(made, on_lost=self.on_socket_lost))
        super().handle_websocket_upgrade()


class SocketOutlet:
    """
    Events straight to the socket (``web.sse.Outlet``).

    Args:
        transport: Of the connection.
        cycle: The request that is being answered.
    """

    __slots__ = ("_cycle", "_transport", "write")

    def __init__(self, transport: asyncio.Transport, cycle: HotCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self.write = transport.write

    def end(self) -> None:
        """See ``web.sse.Outlet.end``."""
        transport = self._transport
        self._cycle.response_complete = True
        if transport.is_closing():
            return
        transport.write(LAST_CHUNK)
        transport.close()
        if transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(LAST_WORDS_S, transport.abort)

    def packet_bytes(self) -> int:
        """See ``web.sse.Outlet.packet_bytes``."""
        connection = self._transport.get_extra_info("socket")
        try:
            return int(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))
        except (OSError, AttributeError):  # a local socket, or a transport without one
            return LOCAL_PACKET_BYTES

    def abort(self) -> None:
        """See ``web.sse.Outlet.abort``."""
        self._transport.abort()


def _web_socket_protocol() -> Any:
    # Imported when first needed: start-up time.
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415
        WebSocketsSansIOProtocol,
    )

    class ToldProtocol(WebSocketsSansIOProtocol):
        """uvicorn's protocol that tells when its connection has ended."""

        def __init__(self, on_lost: Callable[[], None], **given: Any) -> None:
            super().__init__(**given)
            self._on_lost = on_lost

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._on_lost()

    return ToldProtocol
