"""
Ask Litestream how it is, through its control socket: HTTP of the simplest kind.

``GET /list`` tells for each database when it was last in step with its replica; while all is well
that is about a second ago, also where nothing has been written. ``POST /sync`` ships what is there
now, and answers when it has arrived.
"""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

ANSWER_S = 2.0  # it answers from memory
MAX_ANSWER_BYTES = 1024 * 1024  # of a few thousand databases
MAX_SOCKET_BYTES = 100  # of the path of a socket; the kernel takes 107
SOCKET = "control.sock"  # in the directory of what Litestream keeps

_LIST = b"GET /list HTTP/1.0\r\nHost: litestream\r\n\r\n"


class NoAnswerError(Exception):
    """Litestream does not run, or does not say what was asked."""


async def ask_databases(socket: Path) -> Mapping[str, float | None]:
    """
    Ask when each database was last in step with its replica.

    Args:
        socket: Of Litestream.

    Returns:
        Unix seconds by the path of the database; None: not since Litestream runs.

    Raises:
        NoAnswerError: There is no answer, or it makes no sense.
    """
    return parse_list(await _ask(socket, _LIST, ANSWER_S))


async def ship_now(socket: Path, database: Path, limit_s: float) -> None:
    """
    Ship what a database has now, and wait until it has arrived.

    Args:
        socket: Of Litestream.
        database: Its path.
        limit_s: Longest wait.

    Raises:
        NoAnswerError: It has not arrived, as far as anybody knows.
    """
    wanted = {"path": str(database), "wait": True, "timeout": max(1, round(limit_s))}
    body = json.dumps(wanted).encode()
    head = f"POST /sync HTTP/1.0\r\nHost: litestream\r\nContent-Length: {len(body)}\r\n\r\n"
    await _ask(socket, head.encode() + body, limit_s)


def parse_list(body: bytes) -> dict[str, float | None]:
    """
    Read an answer to ``/list``.

    Raises:
        NoAnswerError: It makes no sense.
    """
    try:
        found: dict[str, float | None] = {}
        for entry in json.loads(body)["databases"]:
            at = entry.get("last_sync_at")
            found[str(entry["path"])] = datetime.fromisoformat(at).timestamp() if at else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise NoAnswerError("Litestream says something that makes no sense") from exc
    return found


async def _ask(socket: Path, request: bytes, limit_s: float) -> bytes:
    """Body of a successful answer."""
    try:
        async with asyncio.timeout(limit_s):
            answer = await _exchange(socket, request)
    except (OSError, TimeoutError) as exc:
        raise NoAnswerError(f"no answer from Litestream: {str(exc) or 'time-out'}") from exc
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0] + b" ":
        raise NoAnswerError("Litestream refuses to answer")
    return body


async def _exchange(socket: Path, request: bytes) -> bytes:
    with _short(socket) as path:
        reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(request)
        await writer.drain()
        answer = bytearray()
        while len(answer) < MAX_ANSWER_BYTES:
            piece = await reader.read(65_536)
            if not piece:
                break
            answer += piece
        return bytes(answer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def fits(socket: Path) -> bool:
    """The kernel takes the path as it is."""
    return len(os.fsencode(socket)) <= MAX_SOCKET_BYTES


@contextmanager
def _short(socket: Path) -> Iterator[str]:
    """Another path of the same socket, if its own is too long: by way of its open directory."""
    if fits(socket):
        yield str(socket)
        return
    handle = os.open(socket.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{socket.name}"
    finally:
        os.close(handle)
