"""
``GET /metrics``: who may ask, and the text.

Numbers are copied on the event loop, rendering is done in a thread: thousands of lines take
milliseconds. One scrape at a time; of those that wait, more than ``MAX_WAITING`` are refused.
"""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.config.load import LoadedConfig
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import OperatorError, UnauthorizedError, UnavailableError
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from trailbase_server.server.metrics.reading import Reading
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.web.dispatch import Dispatcher

log = logging.getLogger(__name__)
MAX_WAITING = 4  # scrapes behind one that is being answered; two Prometheus are a pair
MIN_TOKEN_CHARS = 16  # fewer can be guessed
MAX_TOKEN_CHARS = 4096  # a header of a request has to hold it
_SCHEME = "Bearer "


class MetricsPage:
    """
    The page of a server.

    Args:
        depot: Open.
        clock: Tells since when a configuration runs.

    Attributes:
        dispatchers: Of all listeners; to be set when there are some.

    Raises:
        OperatorError: The file with the token cannot be used.
    """

    def __init__(self, depot: "OpenDepot", clock: Clock = SYSTEM_CLOCK) -> None:
        self.dispatchers: list[Dispatcher] = []
        self._depot = depot
        self._clock = clock
        self._config_since = clock.now()
        self._token_file = depot.options.metrics_token_file
        self._token = None if self._token_file is None else load_token(self._token_file)
        self._turn = asyncio.Lock()
        self._waiting = 0
        depot.config.subscribe(self._follow)

    @property
    def has_token(self) -> bool:
        """Only who has it may look."""
        return self._token is not None

    def _follow(self, _loaded: LoadedConfig) -> None:
        self._config_since = self._clock.now()
        if self._token_file is not None:
            try:
                self._token = load_token(self._token_file)
            except OperatorError as exc:
                log.warning("%s; the token before goes on", exc)

    def check(self, request: Request) -> None:
        """
        Let pass who may look.

        Raises:
            UnauthorizedError: No token, or a wrong one.
        """
        if self._token is None:
            return
        given = request.header_text(b"authorization") or ""
        if not given.startswith(_SCHEME) or not is_same_secret(
            given.removeprefix(_SCHEME).encode(), self._token.encode()
        ):
            raise UnauthorizedError

    async def render(self, accept: str) -> tuple[bytes, str]:
        """
        Render the page.

        Args:
            accept: Formats that are wanted, as in HTTP.

        Returns:
            Text and content type.

        Raises:
            UnavailableError: Too many are asking.
        """
        # Imported when first needed: start-up time.
        from trailbase_server.server.metrics.reading import take_reading  # noqa: PLC0415

        if self._waiting > MAX_WAITING:
            raise UnavailableError("too many scrapes at once")
        self._waiting += 1
        try:
            async with self._turn:
                reading = await take_reading(self._depot, self.dispatchers, self._config_since)
                return await asyncio.to_thread(render_reading, reading, accept)
        finally:
            self._waiting -= 1


async def get_metrics(page: MetricsPage, request: Request) -> Response:
    """
    Answer with all metrics, in the format that is asked for.

    Raises:
        UnauthorizedError: See ``MetricsPage.check``.
        UnavailableError: See ``MetricsPage.render``.

    Spec:
        server/introspection-and-metrics-p2-docs-call-the-present-state-minimal
    """
    try:
        page.check(request)
    except UnauthorizedError as exc:
        response = error_response(exc, request)
        response.headers.append((b"www-authenticate", b"Bearer"))
        return response
    text, content_type = await page.render(request.header_text(b"accept") or "")
    return Response(200, text, [(b"content-type", content_type.encode())])


class _Collector:
    """A reading as the library wants it."""

    def __init__(self, reading: "Reading") -> None:
        self._reading = reading

    def collect(self) -> "Iterator[Metric]":
        # Imported when first needed: start-up time.
        from prometheus_client import GCCollector, ProcessCollector  # noqa: PLC0415
        from prometheus_client.registry import CollectorRegistry  # noqa: PLC0415

        from trailbase_server.server.metrics.databases import describe_databases  # noqa: PLC0415
        from trailbase_server.server.metrics.requests import describe_requests  # noqa: PLC0415
        from trailbase_server.server.metrics.work import describe_work  # noqa: PLC0415

        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        yield from registry.collect()
        yield from describe_work(self._reading)
        yield from describe_databases(self._reading)
        yield from describe_requests(self._reading)


def render_reading(reading: "Reading", accept: str) -> tuple[bytes, str]:
    """
    Render numbers as text; blocks.

    Returns:
        Text and content type.
    """
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415  # start-up time

    encode, content_type = choose_encoder(accept)
    return encode(_Collector(reading)), content_type


def load_token(path: Path) -> str:
    """
    Read the token of scrapers from a file.

    Raises:
        OperatorError: The file cannot be read, or has no good token.
    """
    try:
        with path.open(encoding="ascii") as file:
            token = file.read(MAX_TOKEN_CHARS + 2).strip()
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not ASCII"
        raise OperatorError(f'cannot use the token in "{path}": {reason}') from exc
    if not MIN_TOKEN_CHARS <= len(token) <= MAX_TOKEN_CHARS or not token.isprintable():
        raise OperatorError(
            f'cannot use the token in "{path}": it needs {MIN_TOKEN_CHARS} to {MAX_TOKEN_CHARS} '
            "printable characters"
        )
    return token


METRICS_ROUTES = (
    Route(
        "GET",
        "/metrics",
        get_metrics,
        audience="nobody",
        operation="get_metrics",
        summary="What the server counts, for Prometheus.",
        errors=(UnauthorizedError, UnavailableError),
        tag="server",
        is_limited=False,
    ),
)  # on a listener of its own, and, with a token, on the one of administration
