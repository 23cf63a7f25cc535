"""
Open the sockets that the server listens on: TCP addresses and paths of Unix sockets.

They are bound before anything in the depot is touched: a second start on the same address fails
while it still costs nothing.
"""

import errno
import logging
import os
import socket
import stat
import struct
from array import array
from contextlib import suppress
from pathlib import Path
from typing import Any

from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)
UNIX = "unix:"
BACKLOG = 2048  # connections the kernel holds until we accept them
UNIX_MODE = 0o660  # whoever may connect is decided by the owner and the group of the directory
MAX_PORT = 65535  # of TCP: sixteen bits
_SO_ATTACH_REUSEPORT_CBPF = 51  # Linux; not among Python's constants
_RETURN_CONSTANT = 0x06  # BPF_RET | BPF_K
_TAKEN = (errno.EADDRINUSE, errno.EACCES)  # not excused by another address of the same host name


def open_sockets(address: str, *, shared: bool = False) -> list[socket.socket]:
    """
    Bind an address and, unless it is shared, listen.

    Args:
        address: ``localhost:4000`` (all addresses of the name), ``0.0.0.0:80``, ``[::1]:4000``, or
            ``unix:/run/trail/admin.sock``.
        shared: Another server may be there or come; ``start_listening`` has to follow.

    Raises:
        OperatorError: Not an address, or not one can be bound.
    """
    if address.startswith(UNIX):
        return [_bind_unix(Path(address.removeprefix(UNIX)), shared=shared)]
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > MAX_PORT:
        raise OperatorError(f"invalid address '{address}': expected host:port or unix:/path")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError as exc:
        raise OperatorError(f"Failed to listen on: {address}: {exc.strerror}") from exc
    listeners: list[socket.socket] = []
    failure: OSError | None = None
    for family, *_, place in dict.fromkeys(found):
        try:
            listeners.append(_bind(family, place, shared=shared))
        except OSError as exc:
            # A host name may stand for an address family that this machine lacks.
            failure = exc
            if exc.errno in _TAKEN:
                break
    if failure is not None and (not listeners or failure.errno in _TAKEN):
        close_sockets(address, listeners)
        raise OperatorError(f"Failed to listen on: {address}: {failure.strerror}") from failure
    return listeners


def start_listening(address: str, listeners: list[socket.socket]) -> None:
    """
    Listen on a shared address, and take all new connections from whoever did before.

    Raises:
        OperatorError: Somebody listens there who does not share.
    """
    try:
        for listener in listeners:
            listener.listen(BACKLOG)
            if listener.family == socket.AF_UNIX:
                path = Path(address.removeprefix(UNIX))
                Path(listener.getsockname()).rename(path)
            else:
                steer(listener)
    except OSError as exc:
        raise OperatorError(f"Failed to listen on: {address}: {exc.strerror}") from exc


def steer(listener: socket.socket) -> None:
    """
    Have the kernel give new connections to the last that listens on an address.

    By itself it spreads them over all, also over one that is about to close, which resets what it
    has not accepted. The filter says "the second": while there is only one, the kernel takes that.
    """
    instruction = array("B", struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, 1))
    program = struct.pack("@HP", 1, instruction.buffer_info()[0])
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)
    except OSError as exc:
        log.warning("Connections may be lost in a hand-over: %s", exc.strerror)


def bound_address(listener: socket.socket) -> str:
    """The IP address of a listening socket; empty for a Unix socket."""
    return "" if listener.family == socket.AF_UNIX else str(listener.getsockname()[0])


def close_sockets(address: str, listeners: list[socket.socket]) -> None:
    """Close them; the file of a Unix socket goes too, unless another server answers there."""
    for listener in listeners:
        if listener.family == socket.AF_UNIX:  # one that has never listened
            Path(f"{address.removeprefix(UNIX)}.{os.getpid()}").unlink(missing_ok=True)
        listener.close()
    if address.startswith(UNIX):
        with suppress(OSError):
            _remove_abandoned(Path(address.removeprefix(UNIX)))


def _bind(family: int, place: Any, *, shared: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(place)
        if not shared:
            listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _bind_unix(path: Path, *, shared: bool) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A shared one gets its name when it listens: until then that is the other server's.
    place = path.with_name(f"{path.name}.{os.getpid()}") if shared else path
    try:
        _remove_abandoned(place)
        listener.bind(str(place))
        place.chmod(UNIX_MODE)
        if not shared:
            listener.listen(BACKLOG)
    except OSError as exc:
        listener.close()
        reason = exc.strerror or str(exc)
        raise OperatorError(f"Failed to listen on: {UNIX}{path}: {reason}") from exc
    listener.setblocking(False)
    return listener


def _remove_abandoned(path: Path) -> None:
    """Remove the file of a server that has gone; nobody answers there."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
