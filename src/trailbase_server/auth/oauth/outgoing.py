"""
Requests to services: bounded in time, size and number, and no redirects followed.

What a service answers is as hostile as what a browser sends. Whatever goes wrong out there is one
error, 424, whose cause is for the log.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from trailbase_server.errors import DependencyError, UnavailableError

if TYPE_CHECKING:
    import ssl

    import httpx

log = logging.getLogger(__name__)

STEP_TIMEOUT_S = 5.0  # to connect, and between two pieces
TOTAL_TIMEOUT_S = 15.0  # all requests of one log-in; people wait for them
MAX_ANSWER_BYTES = 256 * 1024  # descriptions have a few KiB
MAX_RUNNING = 64  # log-ins that wait for services; more are told to come again (503)
_HEADERS = {
    "Accept": "application/json",
    # Nothing is unpacked: a small answer cannot become a large one.
    "Accept-Encoding": "identity",
    "User-Agent": "TrailBase",
}


class Conversation:
    """
    The requests of one log-in.

    Args:
        client: Without redirects, with time-outs.
    """

    def __init__(self, client: "httpx.AsyncClient") -> None:
        self._client = client

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """
        Fetch JSON.

        Raises:
            DependencyError: Anything but a good answer of moderate size.
        """
        return await self._ask("GET", url, headers=headers)

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Any:
        """
        Send a form, get JSON.

        Raises:
            DependencyError: Anything but a good answer of moderate size.
        """
        return await self._ask("POST", url, headers=headers, form=form)

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        import httpx  # noqa: PLC0415  # imported when first needed: start-up time

        sent = {**_HEADERS, **(headers or {})}
        try:
            async with self._client.stream(method, url, headers=sent, data=form) as response:
                body = await _read(response)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as exc:
            # Neither the query nor the text, which may repeat it, is for the log.
            host = url.partition("?")[0]
            raise DependencyError(detail=f"{method} {host}: {type(exc).__name__}") from exc
        host = str(response.url.copy_with(query=None))
        if response.status_code != HTTPStatus.OK:
            raise DependencyError(detail=f"{method} {host}: {response.status_code}{_reason(body)}")
        try:
            return orjson.loads(body)
        except ValueError as exc:
            raise DependencyError(detail=f"{method} {host}: no JSON") from exc


async def _read(response: "httpx.Response") -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise DependencyError(detail=f"{response.url.host}: the answer is too large")
    return bytes(body)


def _reason(body: bytes) -> str:
    """The error code of an OAuth answer, for the log."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    return f" {error[:100]!r}" if isinstance(error, str) else ""


class Outgoing:
    """Opens conversations. Certificates are loaded once, with the first of them."""

    def __init__(self) -> None:
        self._running = 0
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Conversation]:
        """
        Open a conversation.

        Raises:
            UnavailableError: Too many are going on.
            DependencyError: It took too long; also what its requests raise.
        """
        if self._running >= MAX_RUNNING:
            raise UnavailableError("too many log-ins at once")
        self._running += 1
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S), await self._client() as client:
                yield Conversation(client)
        except TimeoutError as exc:
            raise DependencyError(detail="the service took too long") from exc
        finally:
            self._running -= 1

    async def _client(self) -> "httpx.AsyncClient":
        if self._tls is None:
            # Importing and reading certificates takes 100 ms that the event loop has not got.
            self._tls = await asyncio.to_thread(_load)
        import httpx  # noqa: PLC0415  # as above

        return httpx.AsyncClient(
            verify=self._tls, timeout=STEP_TIMEOUT_S, follow_redirects=False, http2=False
        )


def _load() -> "ssl.SSLContext":
    import httpx  # noqa: PLC0415  # imported when first needed: start-up time

    # Each request would be a line of httpx's, with codes and tokens in its URL.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.create_ssl_context()
