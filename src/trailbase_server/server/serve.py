"""
Listen, serve, reload, stop (spec server/shutdown, server/sighup-unix-run-only).

SIGTERM and SIGINT drain: stop accepting, finish what is running, flush the log, checkpoint. A
second SIGINT, or ``DRAIN_S`` seconds, ends it the hard way. SIGHUP reads the configuration again.
"""

import asyncio
import gc
import logging
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn
import uvloop

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.errors import AppError, OperatorError
from trailbase_server.server.activation import apply_inherited, inherited_sockets
from trailbase_server.server.audit import reload_depot
from trailbase_server.server.configuration import check_configuration
from trailbase_server.server.drain import begin_drain, drain, linger
from trailbase_server.server.encryption import prepare_encryption
from trailbase_server.server.handover import held_depot
from trailbase_server.server.handshake import EncryptedServer
from trailbase_server.server.listeners import (
    Listener,
    bound_sockets,
    build_listeners,
    listen_all,
)
from trailbase_server.server.lock import FileLock
from trailbase_server.server.notify import notify, notify_reloading
from trailbase_server.server.opened import OpenDepot
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.running import background_work
from trailbase_server.server.sockets import BACKLOG
from trailbase_server.server.start import open_depot
from trailbase_server.web.traced import Trace, traced_application, traced_front_door
from trailbase_server.web.websocket import MAX_MESSAGE_BYTES

log = logging.getLogger("trailbase_server")
DRAIN_S = 10  # time for requests in flight after SIGTERM
KEEP_ALIVE_S = 75  # idle time after which a connection is closed; proxies keep theirs for less
# Young objects die young here; a collection every 700 allocations would cost a twentieth of the
# throughput.
GC_THRESHOLD = (20_000, 50, 100)


class Server(uvicorn.Server):
    """
    uvicorn's server with our listeners, our signals and our farewell.

    Args:
        listeners: Where to listen; their connections are drained together.
        depot: Reloaded on SIGHUP.
        lock: Of the depot; whoever waits for it reads there that we are about to stop.
    """

    def __init__(self, listeners: list[Listener], depot: OpenDepot, lock: FileLock) -> None:
        self._configs = [_configure(listener, depot.trace) for listener in listeners]
        super().__init__(self._configs[0])
        self._listeners = listeners
        self._depot = depot
        self._lock = lock
        self._draining: asyncio.Task[None] | None = None
        self._reloading: set[asyncio.Task[None]] = set()
        self._encrypted: list[EncryptedServer] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        """Accept connections on every listener; ``sockets`` is uvicorn's and not used."""
        loop = asyncio.get_running_loop()
        self.servers = []
        for listener, config in zip(self._listeners, self._configs, strict=True):
            if not config.loaded:  # uvicorn has loaded the first
                config.load()
            protocol = partial(
                traced_front_door(listener.application.dispatcher, self._depot.trace),
                config=config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )
            for one in listener.sockets:
                if listener.tls is not None:
                    proxies = listener.application.dispatcher.proxies
                    gate = self._depot.gate
                    encrypted = EncryptedServer(one, listener.tls, protocol, gate, proxies)
                    self._encrypted.append(encrypted)
                    continue
                is_unix = one.family == socket.AF_UNIX
                create = loop.create_unix_server if is_unix else loop.create_server
                self.servers.append(await create(protocol, sock=one, backlog=BACKLOG))
        self.started = True
        notify("READY=1", f"STATUS=Listening on {', '.join(one.url for one in self._listeners)}")

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
        for server in self.servers:
            server.close()
        for encrypted in self._encrypted:
            encrypted.close()
        self._depot.records.broker.close()
        if not self.force_exit:
            pending = [encrypted.pending for encrypted in self._encrypted]
            await linger(self.server_state.connections, pending)
        for encrypted in self._encrypted:
            encrypted.give_up()
        await super().shutdown(sockets)

    def _stop(self, reason: str) -> None:
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            _say("Got another Ctrl+C => force shutdown")
            return
        _say(f"{reason} Shutting down gracefully.")
        begin_drain(self._depot)
        self._draining = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        try:
            await drain(self._depot, self._lock)
        finally:
            self.should_exit = True

    def _reload(self) -> None:
        task = asyncio.ensure_future(self._reload_now())
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _reload_now(self) -> None:
        notify_reloading()
        try:
            await self._depot.reloader.run(partial(reload_depot, self._depot))
        except (OperatorError, AppError) as exc:
            log.error("Failed to reload config: %s", exc)  # noqa: TRY400  # the message says it all
        else:
            log.info("Reloaded the configuration")
        finally:
            notify("READY=1")


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
    inherited = inherited_sockets()
    options = apply_inherited(options, inherited)
    encryption = prepare_encryption(options)
    if options.wait_for_lock:
        check_configuration(options)
    with bound_sockets(options, inherited) as bound:
        listen = partial(listen_all, options, inherited, bound)
        async with (
            held_depot(options.depot, options.wait_for_lock, listen) as lock,
            open_depot(options, encryption) as depot,
            background_work(depot),
        ):
            listeners = build_listeners(depot, bound)
            server = Server(listeners, depot, lock)
            for listener in listeners:
                log.info("Listening on %s (%s) 🚀", listener.url, listener.name)
            # What start-up made stays: the collector need not look at it, now or ever. The little
            # that is garbage (0.4 MB) stays, too: finding it costs more than a tenth of the start.
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLD)
            gc.enable()
            await server.serve()
            forced = server.force_exit
    if not forced:
        _say("Shut down gracefully 👋")
    return 1 if forced else 0


def _configure(listener: Listener, trace: Trace | None) -> uvicorn.Config:
    return uvicorn.Config(
        traced_application(listener.application, trace),
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
    )


def _say(message: str) -> None:
    # Whoever read our output may have gone; that must not keep us.
    with suppress(OSError):
        print(message, flush=True)  # noqa: T201


def _raise_file_limit() -> None:
    """Many subscribers are many sockets: use what the operator allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
