"""
``trail health``: ask the server on this machine how it is, as probes of containers do.

Runs every few seconds beside a busy server, where neither curl nor a shell need be: so it speaks
the little HTTP it needs by itself and loads nothing else.
"""

import socket
from dataclasses import dataclass

import click

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.errors import OperatorError
from trailbase_server.server.options import DEFAULT_ADDRESS
from trailbase_server.server.sockets import MAX_PORT, UNIX

ALIVE = "/api/healthcheck"
READY = "/api/readyz"
TIMEOUT_S = 3.0  # as long as the checks of readiness may take
MAX_TIMEOUT_S = 300  # who waits longer does not want to know
MAX_ANSWER_BYTES = 65536  # of readiness with all details; the rest is not read
OK = 200
HTTP_PORT, HTTPS_PORT = 80, 443
# Who listens on every address listens on this one.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104  # not bound here


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where to ask.

    Attributes:
        place: Host and port, or the path of a Unix socket.
        name: For the ``Host`` header and for messages.
        is_tls: None: not known.
        is_verified: The certificate has to be good for the host.
    """

    place: tuple[str, int] | str
    name: str
    is_tls: bool | None = None
    is_verified: bool = False


@click.command()
@click.option(
    "-a",
    "--address",
    envvar="ADDRESS",
    default=DEFAULT_ADDRESS,
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT|unix:PATH",
    help="Where the server on this machine listens; with TLS or without is found out.",
)
@click.option("--url", metavar="URL", help="Ask there instead; certificates of https are verified.")
@click.option("--ready", is_flag=True, help="Ask whether it is ready, not whether it is alive.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, MAX_TIMEOUT_S, min_open=True),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long it may take.",
)
def health(address: str, url: str | None, timeout: float, *, ready: bool) -> None:
    """Tell by the exit status whether the server is well: 0 yes, 1 no."""
    target = parse_url(url) if url is not None else parse_address(address)
    deadline = SYSTEM_CLOCK.monotonic() + timeout
    try:
        status, body = ask(target, READY if ready else ALIVE, deadline)
    except TimeoutError as exc:
        raise OperatorError(f"{target.name}: no answer within {timeout:g} s") from exc
    except (OSError, UnicodeError) as exc:  # the latter: no host name can be like this
        raise OperatorError(f"{target.name}: {getattr(exc, 'strerror', None) or exc}") from exc
    said = describe_readiness(body) if ready else body.decode(errors="replace").strip()
    if status != OK:
        raise OperatorError(f"{target.name}: status {status}" + (f": {said}" if ready else ""))
    click.echo(said)


def parse_address(text: str) -> Target:
    """
    Read an address as ``trail run --address`` takes it.

    Raises:
        OperatorError: It is none.
    """
    if text.startswith(UNIX):
        return Target(text.removeprefix(UNIX), text)
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdigit()) or int(port[:6]) > MAX_PORT:
        raise OperatorError(f"invalid address '{text}': expected host:port or unix:/path")
    return Target((ANY_ADDRESS.get(host, host), int(port)), text)


def parse_url(text: str) -> Target:
    """
    Read an http or https URL; its path is not looked at.

    Raises:
        OperatorError: It is none.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise OperatorError(f"'{text}' is not a URL: {exc}") from exc
    if parts.scheme not in ("http", "https") or not host:
        raise OperatorError(f"'{text}' is not an absolute http or https URL")
    is_tls = parts.scheme == "https"
    place = (host, port or (HTTPS_PORT if is_tls else HTTP_PORT))
    return Target(place, parts.netloc.rpartition("@")[2], is_tls, is_verified=is_tls)


def ask(target: Target, path: str, deadline: float) -> tuple[int, bytes]:
    """
    Get a page.

    Args:
        target: See ``Target``. Where it is not known whether TLS is spoken, clear text is tried
            first: whoever expects TLS hangs up on it.
        path: Of the page.
        deadline: Of the monotonic clock.

    Returns:
        Status and body.

    Raises:
        TimeoutError: It took too long.
        OSError: Nobody is there, or who is does not speak HTTP.
    """
    ways = (False, True) if target.is_tls is None else (target.is_tls,)
    for is_tls in ways:
        answer = _exchange(target, path, deadline, is_tls=is_tls)
        status = parse_status(answer)
        if status is not None:
            return status, answer.partition(b"\r\n\r\n")[2]
    raise OSError("what answers there does not speak HTTP")


def parse_status(answer: bytes) -> int | None:
    """The status in the first line of an answer; None if that is not HTTP."""
    line = answer.partition(b"\r\n")[0].split(b" ")
    if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or not line[1].isdigit():
        return None
    return int(line[1])


def describe_readiness(body: bytes) -> str:
    """Say in a line what a readiness answer tells: the status, and which checks are not ok."""
    import json

    try:
        answer = json.loads(body)
        checks = answer["checks"].items()
        found = [f"{name} {state}" for name, state in checks if state != "ok"]
        return ": ".join([str(answer["status"]), *([", ".join(found)] if found else [])])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "an answer that tells nothing"


def _exchange(target: Target, path: str, deadline: float, *, is_tls: bool) -> bytes:
    """Send the request and read to the end; empty if the other side hangs up."""
    connection = _connect(target.place, deadline)
    with _encrypt(connection, target) if is_tls else connection as channel:
        head = f"GET {path} HTTP/1.1\r\nHost: {_host(target)}\r\nConnection: close\r\n\r\n"
        answer = b""
        try:
            channel.sendall(head.encode())
            while len(answer) < MAX_ANSWER_BYTES:
                channel.settimeout(_left(deadline))
                part = channel.recv(MAX_ANSWER_BYTES)
                if not part:
                    break
                answer += part
        except ConnectionError:
            if is_tls or answer:
                raise
        return answer


def _connect(place: tuple[str, int] | str, deadline: float) -> socket.socket:
    if isinstance(place, tuple):
        return socket.create_connection(place, _left(deadline))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_left(deadline))
        connection.connect(place)
    except OSError:
        connection.close()
        raise
    return connection


def _encrypt(connection: socket.socket, target: Target) -> socket.socket:
    import ssl

    context = ssl.create_default_context()
    if not target.is_verified:
        # Nobody stands between us and our own machine; certificates are not made for its address.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    host = target.place[0] if isinstance(target.place, tuple) else None
    with connection:  # the wrapped one is another object, and this one stays open if that fails
        return context.wrap_socket(connection, server_hostname=host)


def _host(target: Target) -> str:
    return target.name if isinstance(target.place, tuple) else "localhost"


def _left(deadline: float) -> float:
    left = deadline - SYSTEM_CLOCK.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
