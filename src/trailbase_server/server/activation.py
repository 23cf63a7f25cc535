"""
Sockets that were open before us: socket activation as systemd does it.

A parent binds and listens, and starts us with the sockets as descriptors 3, 4 …. While no server
runs, or one takes over from another, connections wait in the parent's sockets: nobody is refused.
The protocol is three variables, ``LISTEN_PID``, ``LISTEN_FDS`` and ``LISTEN_FDNAMES``.
"""

import os
import socket
from collections.abc import MutableMapping
from dataclasses import replace

from trailbase_server.errors import OperatorError
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.sockets import UNIX

FIRST_DESCRIPTOR = 3
MAX_SOCKETS = 64  # more are a mistake in a variable
# Which option says the address of a listener that gets no socket.
LISTENERS = {
    "main": "address",
    "admin": "admin_address",
    "metrics": "metrics_address",
    "redirect": "http_redirect_address",
}
_MAIN = "main"

Inherited = dict[str, list[socket.socket]]
"""Sockets by the name of the listener."""


def inherited_sockets(environ: MutableMapping[str, str] = os.environ) -> Inherited:
    """
    Take over the sockets that were passed to this process, and the variables that say so.

    A single kind of socket is for the main listener, whatever it is called; several are told apart
    by ``FileDescriptorName=``.

    Raises:
        OperatorError: A name is unknown, or a descriptor is no listening stream socket.

    Spec:
        server/zero-downtime-operation-p2
    """
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not (count.isascii() and count.isdigit()):
        return {}
    number = int(count)
    if number > MAX_SOCKETS:
        raise OperatorError(f"LISTEN_FDS={count}: at most {MAX_SOCKETS} sockets can be passed")
    names = (names + [""] * number)[:number]
    if len(set(names)) == 1 and names[0] not in LISTENERS:
        names = [_MAIN] * number
    inherited: Inherited = {}
    for descriptor, name in enumerate(names, FIRST_DESCRIPTOR):
        if name not in LISTENERS:
            known = ", ".join(LISTENERS)
            raise OperatorError(f"socket {descriptor} is called '{name}': expected one of {known}")
        inherited.setdefault(name, []).append(_adopt(descriptor))
    return inherited


def apply_inherited(options: ServerOptions, inherited: Inherited) -> ServerOptions:
    """
    Have the options say where the sockets listen.

    Raises:
        OperatorError: There is a socket for a listener that is switched off.
    """
    if "admin" in inherited and options.no_admin:
        raise OperatorError("there is a socket for administration, which --no-admin switches off")
    for name, sockets in inherited.items():
        options = replace(options, **{LISTENERS[name]: describe_address(sockets[0])})  # type: ignore[arg-type]  # a test compares the names
    return options


def describe_address(listener: socket.socket) -> str:
    """Where a socket listens, in the words of our options."""
    if listener.family == socket.AF_UNIX:
        name = listener.getsockname()
        return UNIX + (name if isinstance(name, str) else name.decode(errors="replace"))
    host, port, *_ = listener.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _adopt(descriptor: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=descriptor)
        is_listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as exc:
        raise OperatorError(f"descriptor {descriptor} is no socket: {exc.strerror}") from exc
    if listener.type != socket.SOCK_STREAM or not is_listening:
        listener.detach()
        raise OperatorError(f"socket {descriptor} does not listen for connections")
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener
