"""
Server-sent events: how they are written, and the seam between whoever has events and whoever has
a socket.

A ``Feed`` has events. The front door gives it an ``Outlet``, which writes straight to the socket,
and tells it when the socket is full (``pause``) and has room again (``resume``). The ASGI path
cannot do that; it pulls instead (``batches``). Either way ``detach`` says that the client has gone.

Bytes are rendered once for all streams that get the same events under the same numbers. So the
framing of HTTP (a chunk around each write) belongs to the rendering, not to the outlet.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from trailbase_server.web.request import Headers

EVENT_STREAM: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # a proxy that collects a page first would never pass it on
]
GREETING = b": ping\n\n"
HEARTBEAT = b":\n\n"
LAST_CHUNK = b"0\r\n\r\n"


class Outlet(Protocol):
    """A socket with room. Whoever writes stops when told to pause."""

    def write(self, data: bytes) -> None:
        """Send HTTP chunks."""
        ...

    def end(self) -> None:
        """Finish the answer; the connection is closed when everything has been sent."""
        ...

    def packet_bytes(self) -> int:
        """How much is certain to arrive in one piece when it is all that is sent."""
        ...

    def abort(self) -> None:
        """Cut the connection: the client does not read."""
        ...


class Feed(Protocol):
    """Events for one client."""

    def attach(self, outlet: Outlet) -> None:
        """Begin to write; once, and not together with ``batches``."""
        ...

    def pause(self) -> None:
        """The socket is full: nothing more may be written."""
        ...

    def resume(self) -> None:
        """There is room again."""
        ...

    def detach(self) -> None:
        """The client has gone. Idempotent; also right before ``attach``."""
        ...

    def batches(self) -> AsyncIterator[Sequence[bytes]]:
        """Messages in order, those that are ready together; ends with the stream."""
        ...


def frame_chunk(data: bytes) -> bytes:
    """Wrap bytes as one chunk of an HTTP/1.1 body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
