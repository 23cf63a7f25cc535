"""
How long a client may keep us waiting: slow heads, bodies and readers, idle connections.

Theory of operation
-------------------
A connection is in one of four states, and each has its own patience:

.. code-block:: text

    idle      no request, or the last one is answered      timeout_keep_alive
    head      a request has begun, its head is incomplete  HEAD_S, then 408
    body      the head is complete, the body is not        MIN_BODY_BYTES in each BODY_S, then 408
    full      the client does not read what it asked for   MIN_READ_BYTES in each STALL_S, then cut

The parser's callbacks (``web.front_door``) say when a head and a body begin and end; the gate's
round (``web.gate``) asks once a second. So a request that comes in one piece, as nearly all do,
pays for two assignments, and nothing here runs for it.

What a client may make us keep is bounded too: a head by ``MAX_HEAD_BYTES`` and what one reading
from the socket brings; answers that are not read by the transport's own mark, because a full socket
stops the reading of more requests; requests behind one that is being answered by ``MAX_PIPELINED``.
"""

import asyncio
from time import perf_counter
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from trailbase_server.web.streaming import StreamingProtocol

HEAD_S = 15.0  # for method, target and headers: a few packets
BODY_S = 30.0  # time in which a body has to grow by MIN_BODY_BYTES: a tunnel on a train
MIN_BODY_BYTES = 4096  # slower than the slowest modem
STALL_S = 60.0  # time in which a client has to read MIN_READ_BYTES of an answer
MIN_READ_BYTES = 16 * 1024  # slower than the slowest modem
LINGER_S = 2.0  # after a refusal, for the client to read it before the connection is cut
# Method, target and headers that come in several pieces; proxies stop at 8 to 64 KiB themselves.
MAX_HEAD_BYTES = 64 * 1024
BULKY_BYTES = 2 * 1024  # of a piece; below, nothing of a head needs to be looked at for its size
MAX_TARGET_BYTES = 32 * 1024  # long filters are about 2 KiB
MAX_HEADERS = 256  # of one request; each is looked at
MAX_PIPELINED = 100  # requests behind one that is being answered; each takes about 3 KiB

BAD_REQUEST = 400
TIMED_OUT = 408
TARGET_TOO_LONG = 414
HEAD_TOO_LARGE = 431
FULL = 503
_REASONS = {
    BAD_REQUEST: b"Invalid HTTP request received.",
    TIMED_OUT: b"the request took too long",
    TARGET_TOO_LONG: b"the target is too long",
    HEAD_TOO_LARGE: b"the headers are too large",
    FULL: b"too many connections",
}


class PatientProtocol(StreamingProtocol):
    """
    A connection whose client may be slow or hostile.

    Attributes:
        in_head, in_body: What of a request is incomplete.
        is_deaf: Nothing more is taken from this client.
    """

    __slots__ = (
        "_active_at",
        "_answering",
        "_body_bytes",
        "_full_since",
        "_head_bytes",
        "_is_bulky",
        "_is_inside",
        "_peer",
        "_refusal",
        "_seen",
        "_seen_at",
        "_seen_bytes",
        "_speaks_for_others",
        "_unread",
        "in_body",
        "in_head",
        "is_deaf",
    )

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.in_head = False
        self.in_body = False
        self.is_deaf = False
        self._answering: RequestResponseCycle | None = None  # of those that went the ASGI way
        self._is_inside = False  # the gate counts it
        self._is_bulky = False  # has sent a head in pieces, or more at once than nearly all heads
        self._refusal = BAD_REQUEST  # for what the parser does not take
        self._head_bytes = 0
        self._body_bytes = 0  # of bodies in several pieces, so far
        self._full_since: float | None = None
        self._unread = 0  # bytes at that time
        self._active_at = 0.0
        # What the last rounds have seen: the headers of a request, and since when.
        self._seen: list[tuple[bytes, bytes]] | None = None
        self._seen_at = 0.0
        self._seen_bytes = -1  # of its body; -1 while that is its head
        self._peer = ""
        self._speaks_for_others = False  # a trusted proxy

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See uvicorn."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._speaks_for_others = self.dispatcher.proxies.trusts(self._peer)
        self._active_at = perf_counter()
        self._is_inside = self.dispatcher.gate.enter(self._counted_address())
        if self._is_inside:
            self.dispatcher.gate.watch(self)
        else:
            self.is_deaf = True
            transport.write(self._render_refusal(FULL))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all requests, not only the newest one: an endless answer would go on for ever."""
        super().connection_lost(exc)
        for cycle in (self._answering, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        self._leave()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        """It counts on, but has rules of its own from now on."""
        self.dispatcher.gate.unwatch(self)
        self.on_socket_lost = self._leave
        super().handle_websocket_upgrade()

    def _leave(self) -> None:
        self.dispatcher.gate.unwatch(self)
        if self._is_inside:
            self._is_inside = False
            self.dispatcher.gate.leave(self._counted_address())

    def _counted_address(self) -> str | None:
        return None if self._speaks_for_others else self._peer

    def _unset_keepalive_if_required(self) -> None:
        """Called by uvicorn for every piece of data: there are no timers here."""

    # Data

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which keeps a head of any size: this does not."""
        if self.is_deaf:
            return
        was_in_head = self.in_head
        if was_in_head or len(data) > BULKY_BYTES:
            self._is_bulky = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.refuse(self._refusal)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
        if self.in_body:
            self._body_bytes += len(data)
        elif was_in_head and self.in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.refuse(HEAD_TOO_LARGE)

    def weigh_head(self) -> None:
        """
        Look at the size of a complete head.

        Raises:
            ValueError: It is too large; the parser hands that to ``data_received``.
        """
        if len(self.headers) > MAX_HEADERS:
            self._refusal = HEAD_TOO_LARGE
        elif self._is_bulky and len(self.url) > MAX_TARGET_BYTES:
            self._refusal = TARGET_TOO_LONG
        elif self._is_bulky and sum(map(_size, self.headers)) > MAX_HEAD_BYTES:
            self._refusal = HEAD_TOO_LARGE
        else:
            return
        raise ValueError("a head that is too large")

    def has_heard_enough(self) -> bool:
        """
        Is nothing more to be taken from this client?

        Not behind a request that ends the connection, nor behind too many that wait: those are
        answered, then the connection is closed.
        """
        if self.is_deaf:
            return True
        if self.cycle is not None and not self.cycle.keep_alive:
            self.is_deaf = True
        elif len(self.pipeline) >= MAX_PIPELINED:
            self.is_deaf = True
            self.pipeline[0][0].keep_alive = False
        return self.is_deaf

    def refuse(self, status: int) -> None:
        """Answer what is no request, and end the connection."""
        if self.is_deaf or self.transport.is_closing():
            return
        self.is_deaf = True
        self.dispatcher.gate.given_up[status] += 1
        if self._is_answering():
            self.transport.abort()
            return
        self.transport.write(self._render_refusal(status))
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        # Closing with unread data would reset the connection, and the refusal would be lost.
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def _is_answering(self) -> bool:
        """Would a refusal get into an answer, or behind one that was enough?"""
        cycle: Any = self.cycle
        if cycle is None:
            return False
        if not self.in_body:
            return not cycle.response_complete
        return bool(
            self.pipeline or cycle.response_complete or getattr(cycle, "response_started", False)
        )

    def _render_refusal(self, status: int) -> bytes:
        reason = _REASONS[status]
        again = b"retry-after: 10\r\n" if status == FULL else b""
        return (
            b"%bcontent-type: text/plain; charset=utf-8\r\n%bconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (STATUS_LINE[status], again, len(reason), reason)
        )

    # Flow

    def pause_writing(self) -> None:
        """The socket is full: what asks for more has to wait."""
        super().pause_writing()
        self._full_since = perf_counter()
        self._unread = self.transport.get_write_buffer_size()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """The socket has room again."""
        super().resume_writing()
        self._full_since = None
        if not self.pipeline:
            self.flow.resume_reading()

    # Patience

    @property
    def is_busy(self) -> bool:
        """See ``web.gate.Watched``."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and self._feed is None

    def check_patience(self, now: float) -> None:
        """See ``web.gate.Watched``."""
        if self._full_since is not None:
            # Closing would wait for the client to take what is left.
            if now - self._full_since > STALL_S:
                unread = self.transport.get_write_buffer_size()
                if self._unread - unread < MIN_READ_BYTES:
                    self.transport.abort()
                self._full_since, self._unread = now, unread
        elif self.is_deaf or self.transport.is_closing():
            return
        elif self.in_head:
            if self._since(now, -1) > HEAD_S:
                self.refuse(TIMED_OUT)
        elif self.in_body:
            self._check_body(now)
        elif now - self._active_at > self.timeout_keep_alive and (
            self.cycle is None or self.cycle.response_complete
        ):
            self.transport.close()

    def _check_body(self, now: float) -> None:
        if self.flow.read_paused or getattr(self.cycle, "waiting_for_100_continue", False):
            self._seen = None  # we keep the client waiting
        elif self._since(now, self._body_bytes) > BODY_S:
            if self._body_bytes - self._seen_bytes < MIN_BODY_BYTES:
                self.refuse(TIMED_OUT)
            self._seen = None

    def _since(self, now: float, size: int) -> float:
        """Seconds for which this part of this request has been seen."""
        if self._seen is not self.headers or (self._seen_bytes < 0) is not (size < 0):
            self._seen, self._seen_at, self._seen_bytes = self.headers, now, size
        return now - self._seen_at


def _size(header: tuple[bytes, bytes]) -> int:
    return len(header[0]) + len(header[1])
