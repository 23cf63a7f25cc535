"""
WebSockets as handlers see them.

A route with a ``SocketEndpoint`` is also served over a WebSocket, when the handshake's query has
``ws=true``. The protocol itself (frames, pings, closing) is the HTTP server's; it is loaded when
the first handshake arrives. A handler may refuse before it accepts: errors become HTTP answers.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from trailbase_server.web.authenticator import Authenticator
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

Message = MutableMapping[str, Any]
MAX_MESSAGE_BYTES = 64 * 1024  # clients send tokens, nothing large
SWITCHING_PROTOCOLS = 101
INTERNAL_ERROR = 1011  # code of a closing frame (RFC 6455)
_WANTED = "ws=true"


class SocketClosedError(Exception):
    """The client has gone, or was told to."""


class WebSocket:
    """
    One WebSocket, server side.

    Args:
        receive, send: Of ASGI; the connection message has been received.
        authenticator: For tokens that come as messages.

    Attributes:
        is_accepted: The handshake has been answered with 101.
    """

    def __init__(
        self,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        authenticator: Authenticator,
    ) -> None:
        self._receive = receive
        self._send = send
        self._authenticator = authenticator
        self.is_accepted = False

    def authenticate(self, token: str) -> Identity | None:
        """Verify an auth token; None if it is not valid."""
        return self._authenticator.bearer(b"Bearer " + token.encode("utf-8", "replace"))

    async def accept(self) -> None:
        """Answer the handshake."""
        self.is_accepted = True
        await self._checked_send({"type": "websocket.accept"})

    async def refuse(self, response: Response) -> None:
        """Answer the handshake with something else."""
        headers = [*response.headers, (b"content-length", b"%d" % len(response.body))]
        start = {"status": response.status, "headers": headers}
        await self._send({"type": "websocket.http.response.start", **start})
        await self._send({"type": "websocket.http.response.body", "body": response.body})

    async def fail(self, response: Response) -> None:
        """End after an error: refuse, or close if it is too late for that."""
        if self.is_accepted:
            await self.close(INTERNAL_ERROR, "")
        else:
            await self.refuse(response)

    async def receive(self) -> str | bytes:
        """
        Wait for a message.

        Raises:
            SocketClosedError: There will be none.
        """
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise SocketClosedError
        text: str | None = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    async def send(self, text: str) -> None:
        """
        Send a text message, and wait until there is room for more.

        Raises:
            SocketClosedError: The client has gone.
        """
        await self._checked_send({"type": "websocket.send", "text": text})

    async def close(self, code: int, reason: str) -> None:
        """
        Close.

        Args:
            code: Of RFC 6455.
            reason: At most 123 bytes.

        Raises:
            SocketClosedError: The client was quicker.
        """
        await self._checked_send({"type": "websocket.close", "code": code, "reason": reason})

    async def _checked_send(self, message: Message) -> None:
        try:
            await self._send(message)
        except (OSError, RuntimeError) as exc:
            # Servers raise either when the connection is closed already.
            raise SocketClosedError from exc


class SocketEndpoint(Struct, frozen=True):
    """
    A route over a WebSocket.

    Attributes:
        check: Refuses by raising what can be refused before the upgrade. Such a handshake is then
            treated as the plain request that it also is.
        serve: Has the conversation.
    """

    check: Callable[[Any, Request], object]
    serve: Callable[[Any, Request, WebSocket], Awaitable[None]]


def is_socket_query(query: str) -> bool:
    """Does the query of a handshake ask for a WebSocket? Otherwise it is a plain request."""
    return _WANTED in query.split("&")


def is_foreign(request: Request) -> bool:
    """
    Was the handshake made by a page of another site, with the credentials of a cookie?

    Browsers send cookies with it and do not apply the rules of CORS: credentials that come by
    themselves do not count then.
    """
    identity = request.identity
    origin = request.header_text(b"origin")
    if origin is None or identity is None or not identity.from_cookie:
        return False
    return urlsplit(origin).netloc.lower() != (request.header_text(b"host") or "").lower()
