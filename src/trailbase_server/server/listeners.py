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

from trailbase_server.server.app import admin_routes, build_application, main_routes
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.sockets import bound_address, close_sockets, open_sockets
from trailbase_server.server.start import OpenDepot
from trailbase_server.web.asgi import TrailApplication


@dataclass(frozen=True, slots=True)
class Listener:
    """
    Sockets with what answers there.

    Attributes:
        name: ``main``, ``admin`` ….
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
def bound_sockets(options: ServerOptions) -> Iterator[Bound]:
    """
    Bind everything that the options name until the end of the block.

    Raises:
        OperatorError: An address is wrong or taken.
    """
    bound: Bound = {}
    try:
        for name, address in _addresses(options).items():
            bound[name] = (address, open_sockets(address))
        yield bound
    finally:
        for address, sockets in bound.values():
            close_sockets(address, sockets)


def build_listeners(depot: OpenDepot, bound: Bound) -> list[Listener]:
    """Give each listener its application."""
    routes = {"main": main_routes, "admin": admin_routes}
    return [
        Listener(
            name,
            address,
            sockets,
            build_application(
                depot,
                routes[name](depot),
                with_files=name == "main",
                listening=[bound_address(one) for one in sockets],
            ),
        )
        for name, (address, sockets) in bound.items()
    ]


def _addresses(options: ServerOptions) -> dict[str, str]:
    addresses = {"main": options.address}
    if options.has_admin_listener and options.admin_address is not None:
        addresses["admin"] = options.admin_address
    return addresses
