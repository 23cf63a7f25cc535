"""
Ask Litestream how it is, through its control socket: HTTP of the simplest kind.

``GET /list`` tells for each database when it was last in step with its replica; while all is well
that is about a second ago, also where nothing has been written.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

ANSWER_S = 2.0  # it answers from memory
MAX_ANSWER_BYTES = 1024 * 1024  # of a few thousand databases
MAX_SOCKET_BYTES = 100  # of the path of a socket; the kernel takes 107

_REQUEST = b"GET /list HTTP/1.0\r\nHost: litestream\r\n\r\n"


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
    try:
        async with asyncio.timeout(ANSWER_S):
            answer = await _exchange(socket)
    except (OSError, TimeoutError) as exc:
        raise NoAnswerError(f"no answer from Litestream: {exc or 'time-out'}") from exc
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0] + b" ":
        raise NoAnswerError("Litestream refuses to answer")
    return parse_list(body)


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


async def _exchange(socket: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        writer.write(_REQUEST)
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
