"""
Listen, serve, reload, stop (spec server/shutdown, server/sighup-unix-run-only).

SIGTERM and SIGINT drain: stop accepting, finish what is running, flush the log, checkpoint. A
second SIGINT, or ``DRAIN_S`` seconds, ends it the hard way. SIGHUP reads the configuration again.
"""

import asyncio
import errno
import gc
import logging
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
import uvloop

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.errors import AppError, OperatorError
from trailbase_server.server.account_upkeep import account_upkeep
from trailbase_server.server.app import build_application
from trailbase_server.server.file_upkeep import file_upkeep
from trailbase_server.server.lock import lock_depot
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.start import OpenDepot, open_depot
from trailbase_server.web.front_door import front_door
from trailbase_server.web.websocket import MAX_MESSAGE_BYTES

log = logging.getLogger("trailbase_server")
DRAIN_S = 10  # time for requests in flight after SIGTERM
BACKLOG = 2048  # connections the kernel holds until we accept them
KEEP_ALIVE_S = 75  # idle time after which a connection is closed; proxies keep theirs for less
# Young objects die young here; a collection every 700 allocations would cost a twentieth of the
# throughput.
GC_THRESHOLD = (20_000, 50, 100)
_TAKEN = (errno.EADDRINUSE, errno.EACCES)  # not excused by another address of the same host name


class Server(uvicorn.Server):
    """
    uvicorn's server with our signals and our farewell.

    Args:
        config: uvicorn's.
        depot: Reloaded on SIGHUP.
    """

    def __init__(self, config: uvicorn.Config, depot: OpenDepot) -> None:
        super().__init__(config)
        self._depot = depot
        self._reloading: set[asyncio.Task[None]] = set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install handlers on the loop; unlike uvicorn's, they do not end the process."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._stop, "Received Ctrl+C.")
        loop.add_signal_handler(signal.SIGTERM, self._stop, "Received termination.")
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would last as long as their clients like."""
        self._depot.records.broker.close()
        await super().shutdown(sockets)

    def _stop(self, reason: str) -> None:
        if self.should_exit:
            self.force_exit = True
            _say("Got another Ctrl+C => force shutdown")
            return
        self.should_exit = True
        _say(f"{reason} Shutting down gracefully.")

    def _reload(self) -> None:
        task = asyncio.ensure_future(self._reload_now())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _reload_now(self) -> None:
        try:
            await self._depot.reload()
        except (OperatorError, AppError) as exc:
            log.error("Failed to reload config: %s", exc)  # noqa: TRY400  # the message says it all
        else:
            log.info("Reloaded the configuration")


def serve(options: ServerOptions) -> int:
    """
    Run the server until it is told to stop.

    Returns:
        Exit status: 0 after a graceful end, 1 after a forced one.

    Raises:
        OperatorError: The depot, the configuration or an address is unusable.
    """
    return uvloop.run(_serve(options))


async def _serve(options: ServerOptions) -> int:
    log.info("Initializing server version: %s (wire %s)", __version__, WIRE_VERSION)
    _raise_file_limit()
    sockets = open_sockets(options.address)
    try:
        with lock_depot(options.depot):
            async with (
                open_depot(options) as depot,
                file_upkeep(depot.records),
                account_upkeep(depot.auth),
            ):
                depot.mailer.start()
                application = build_application(depot)
                server = Server(
                    uvicorn.Config(
                        application,
                        http=front_door(application.dispatcher),
                        lifespan="off",
                        log_config=None,
                        access_log=False,
                        server_header=False,
                        proxy_headers=False,
                        ws="none",  # the front door loads them when first asked for
                        ws_max_size=MAX_MESSAGE_BYTES,
                        ws_per_message_deflate=False,  # events are small and rendered once for all
                        timeout_keep_alive=KEEP_ALIVE_S,
                        timeout_graceful_shutdown=DRAIN_S,
                        backlog=BACKLOG,
                    ),
                    depot,
                )
                log.info("Listening on http://%s 🚀", options.address)
                # What start-up made stays: the collector need not look at it again.
                gc.collect()
                gc.freeze()
                gc.set_threshold(*GC_THRESHOLD)
                await server.serve(sockets)
                forced = server.force_exit
    finally:
        for listener in sockets:
            listener.close()
    if not forced:
        _say("Shut down gracefully 👋")
    return 1 if forced else 0


def _say(message: str) -> None:
    # Whoever read our output may have gone; that must not keep us.
    with suppress(OSError):
        print(message, flush=True)  # noqa: T201


def open_sockets(address: str) -> list[socket.socket]:
    """
    Bind all addresses of ``host:port``.

    Args:
        address: ``localhost:4000``, ``0.0.0.0:80``, ``[::1]:4000``.

    Raises:
        OperatorError: Not an address, or not one can be bound.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:  # the largest port
        raise OperatorError(f"invalid address '{address}': expected host:port")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError as exc:
        raise OperatorError(f"Failed to listen on: {address}: {exc.strerror}") from exc
    listeners: list[socket.socket] = []
    failure: OSError | None = None
    for family, *_, place in dict.fromkeys(found):
        try:
            listeners.append(_listen(family, place))
        except OSError as exc:
            # A host name may stand for an address family that this machine lacks.
            failure = exc
            if exc.errno in _TAKEN:
                break
    if failure is not None and (not listeners or failure.errno in _TAKEN):
        for listener in listeners:
            listener.close()
        raise OperatorError(f"Failed to listen on: {address}: {failure.strerror}") from failure
    return listeners


def _listen(family: int, place: Any) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _raise_file_limit() -> None:
    """Many subscribers are many sockets: use what the operator allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
