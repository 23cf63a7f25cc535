"""
Listening with TLS: connections are counted before their handshake.

A handshake costs memory and a file descriptor for as long as the client likes, so whoever is in the
middle of one is counted at the gate like everybody else, and has ``HANDSHAKE_S`` seconds. The event
loop's own servers tell of connections only when the handshake is complete: a few thousand that
never say a word would then take all descriptors away from the database. So we accept ourselves.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from trailbase_server.web.gate import Gate
from trailbase_server.web.proxies import Proxies

log = logging.getLogger(__name__)
HANDSHAKE_S = 10  # longest handshake: four messages, of which the client sends two
FAREWELL_S = 2  # for a client to say goodbye in turn; few do
ACCEPT_AT_ONCE = 64  # connections taken in one turn of the loop; others want a turn, too
PAUSE_S = 1.0  # without accepting, when there are no descriptors left
# Of accept(): the connection is gone already, or there is none.
_NOTHING = (errno.EAGAIN, errno.ECONNABORTED, errno.EINTR)

Factory = Callable[[], asyncio.Protocol]


class EncryptedServer:
    """
    A listening socket whose connections are encrypted; has what we use of ``asyncio.Server``.

    Args:
        listener: Listens; closed at the end.
        context: Certificates.
        factory: Makes the protocol of a connection once that is encrypted.
        gate: Counts all connections.
        proxies: Peers that bring the connections of many.

    Attributes:
        pending: Connections that are not encrypted yet.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        factory: Factory,
        gate: Gate,
        proxies: Proxies,
    ) -> None:
        self.gate = gate
        self.factory = factory
        self.pending: set[asyncio.Task[None]] = set()
        self._listener = listener
        self._context = context
        self._proxies = proxies
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._is_open = True
        self._resume()

    def close(self) -> None:
        """Accept no more."""
        if self._is_open:
            self._is_open = False
            if self._pause is not None:
                self._pause.cancel()
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()

    def give_up(self) -> None:
        """Close what is not encrypted yet."""
        for task in tuple(self.pending):
            task.cancel()

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPT_AT_ONCE):
            try:
                connection, peer = self._listener.accept()
            except OSError as exc:
                if exc.errno not in _NOTHING:
                    # Asking again at once would be a busy loop.
                    log.warning("Cannot accept: %s (is `ulimit -n` too low?)", exc.strerror)
                    self._loop.remove_reader(self._listener.fileno())
                    self._pause = self._loop.call_later(PAUSE_S, self._resume)
                return
            self._admit(connection, peer[0])

    def _admit(self, connection: socket.socket, peer: str) -> None:
        address = None if self._proxies.trusts(peer) else peer
        if not self.gate.enter(address):
            connection.close()  # to say why would take a handshake
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        entrance = _Entrance(self, address)
        task = self._loop.create_task(self._shake_hands(connection, entrance))
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)

    async def _shake_hands(self, connection: socket.socket, entrance: "_Entrance") -> None:
        try:
            # What fails here is the client's doing, and nothing that anybody could mend.
            with suppress(OSError):
                await self._loop.connect_accepted_socket(
                    lambda: entrance,
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=HANDSHAKE_S,
                    ssl_shutdown_timeout=FAREWELL_S,
                )
        finally:
            entrance.leave()


class _Entrance(asyncio.Protocol):
    """
    Counted until the connection is encrypted; then the real protocol, which counts itself, takes
    over.
    """

    def __init__(self, server: EncryptedServer, address: str | None) -> None:
        self._server = server
        self._address = address
        self._is_inside = True

    def leave(self) -> None:
        """Count no longer."""
        if self._is_inside:
            self._is_inside = False
            self._server.gate.leave(self._address)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a stream
        """The handshake is complete."""
        self.leave()
        protocol = self._server.factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
