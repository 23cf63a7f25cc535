"""
The listeners: which sockets, and which application answers there.

``main`` serves everything, or everything but administration once that has a listener of its own
(spec server/separate-admin-listener). Sockets come first, applications when the depot is open.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trailbase_server.server.acme.challenges import Challenges
from trailbase_server.server.activation import Inherited
from trailbase_server.server.app import (
    admin_routes,
    build_application,
    main_routes,
    metrics_routes,
)
from trailbase_server.server.edge import compile_proxies
from trailbase_server.server.metrics.page import MetricsPage
from trailbase_server.server.opened import OpenDepot
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.redirect import HTTPS_PORT, build_redirect
from trailbase_server.server.sockets import (
    UNIX,
    bound_address,
    close_sockets,
    open_sockets,
    start_listening,
)
from trailbase_server.web.asgi import TrailApplication
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.log_entry import LogEntry
from trailbase_server.web.router import Router

REDIRECT = "redirect"
METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Listener:
    """
    Sockets with what answers there.

    Attributes:
        name: ``main``, ``admin``, ``metrics``, ``redirect``.
        address: As the operator wrote it.
        sockets: Bound.
        application: Answers.
        tls: Certificates; None: clear text.
    """

    name: str
    address: str
    sockets: list[socket.socket]
    application: TrailApplication
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        """For the log and the operator's browser."""
        return f"{'https' if self.tls else 'http'}://{self.address}"


Bound = dict[str, tuple[str, list[socket.socket]]]
"""Address and sockets by the name of the listener."""


@contextmanager
def bound_sockets(options: ServerOptions, inherited: Inherited) -> Iterator[Bound]:
    """
    Bind everything that the options name until the end of the block.

    Args:
        options: With ``reuse_port``, ``listen_all`` has to follow.
        inherited: Sockets that are there already, for listeners that the options name.

    Raises:
        OperatorError: An address is wrong or taken.
    """
    bound: Bound = {}
    try:
        for name, address in _addresses(options).items():
            sockets = inherited.get(name) or open_sockets(address, shared=options.reuse_port)
            bound[name] = (address, sockets)
        yield bound
    finally:
        for name, (address, sockets) in bound.items():
            # The file of a socket that was passed to us is not ours.
            close_sockets("" if name in inherited else address, sockets)


def listen_all(options: ServerOptions, inherited: Inherited, bound: Bound) -> None:
    """
    Listen on what is bound and does not listen yet.

    Raises:
        OperatorError: Somebody else listens there.
    """
    if not options.reuse_port:
        return
    for name, (address, sockets) in bound.items():
        if name not in inherited:
            start_listening(address, sockets)


def build_listeners(depot: OpenDepot, bound: Bound) -> list[Listener]:
    """
    Give each listener its application.

    Raises:
        OperatorError: The options of one are wrong.
    """
    metrics = MetricsPage(depot)
    routes = {
        "main": lambda: main_routes(depot),
        "admin": lambda: admin_routes(depot, metrics),
        METRICS: lambda: metrics_routes(depot, metrics),
    }
    listeners = []
    for name, (address, sockets) in bound.items():
        listening = [bound_address(one) for one in sockets]
        if name == REDIRECT:
            listeners.append(Listener(name, address, sockets, _build_redirect(depot, listening)))
            continue
        application = build_application(
            depot, routes[name](), with_files=name == "main", listening=listening
        )
        if name == METRICS:  # one who asks four times a minute
            application.dispatcher.log = _log_nothing
        is_local = address.startswith(UNIX)  # a proxy on this machine
        tls = depot.encryption.certificates.context if depot.encryption and not is_local else None
        listeners.append(Listener(name, address, sockets, application, tls))
    metrics.dispatchers = [listener.application.dispatcher for listener in listeners]
    return listeners


def _log_nothing(_entry: LogEntry) -> None:
    """Leave the access log to those whom it is about."""


def _build_redirect(depot: OpenDepot, listening: list[str]) -> TrailApplication:
    """
    Send plain HTTP to where https is: as the site's URL says, else where we listen.

    Raises:
        OperatorError: See ``compile_proxies``.
    """
    site = depot.auth.site
    if site is not None and site[0] == "https":
        port = site[2]
    else:
        _, _, text = depot.options.address.rpartition(":")
        port = int(text) if text.isdigit() else HTTPS_PORT
    challenges = depot.encryption.challenges if depot.encryption else Challenges()
    dispatcher = Dispatcher(
        Router([]),
        depot.authenticator,
        Cors(()),
        depot.database.on_pool,
        depot.body_limit,
        depot.access_log.append,
        compile_proxies(depot.options, listening),
    )
    dispatcher.gate = depot.gate
    return TrailApplication(dispatcher, build_redirect(port, challenges))


def _addresses(options: ServerOptions) -> dict[str, str]:
    addresses = {"main": options.address}
    if options.has_admin_listener and options.admin_address is not None:
        addresses["admin"] = options.admin_address
    if options.metrics_address is not None:
        addresses[METRICS] = options.metrics_address
    if options.http_redirect_address is not None:
        addresses[REDIRECT] = options.http_redirect_address
    return addresses
