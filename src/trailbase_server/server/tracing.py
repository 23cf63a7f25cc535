"""
Traces: a span for every answer, sent to a collector by OTLP over HTTP.

Configured by the standard ``OTEL_*`` variables and by nothing else; needs the extra ``otel``, which
is imported only then. Without an endpoint nothing of it exists. Spans carry the template of the
route, never the path's values, and no address or user: who wants those looks the request's id up in
the access log. Spec: server/process-log-opentelemetry.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from trailbase_server import __version__
from trailbase_server.web.request import Request
from trailbase_server.web.request_id import FIRST_ERROR, HEADER, ensure_request_id
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route

if TYPE_CHECKING:
    from trailbase_server.server.opened import OpenDepot

log = logging.getLogger(__name__)
SERVICE = "trailbase-server"  # unless OTEL_SERVICE_NAME says otherwise
FIRST_SERVER_ERROR = 500
_CONTEXT = (b"traceparent", b"tracestate")
_NANOSECONDS = 1e9


class Tracing:
    """
    Makes spans and sends them, in batches and in a thread of its own; the queue is bounded.

    Args:
        environ: Variables of the process.

    Raises:
        ImportError: The extra is not installed.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        # Imported when wanted: the extra may be missing, and it takes a fifth of a second.
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        attributes: dict[str, Any] = {"service.version": __version__}
        named = "service.name" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        if not named and not environ.get("OTEL_SERVICE_NAME"):
            attributes["service.name"] = SERVICE
        self._provider = TracerProvider(
            resource=Resource.create(attributes), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(SERVICE, __version__)
        self._context = TraceContextTextMapPropagator()
        self._kind = trace.SpanKind.SERVER
        self._failed = trace.Status(trace.StatusCode.ERROR)
        self._in_context = trace.set_span_in_context

    def trace(
        self, request: Request, response: Response, route: Route | None, started: float
    ) -> None:
        """See ``web.traced.Trace``; the answer gets a ``traceparent``."""
        now = time_ns()
        sent = {
            name.decode(): value.decode("latin-1")
            for name, value in request.headers
            if name in _CONTEXT
        }
        method = "HEAD" if request.head else request.method
        attributes: dict[str, Any] = {
            "http.request.method": method,
            "http.response.status_code": response.status,
        }
        if route is not None:
            attributes["http.route"] = route.path
        request_id = _request_id(request, response)
        if request_id:
            attributes["trailbase.request_id"] = request_id
        span = self._tracer.start_span(
            f"{method} {route.path}" if route is not None else method,
            self._context.extract(sent) if sent else None,
            self._kind,
            attributes,
            start_time=now - int((perf_counter() - started) * _NANOSECONDS),
        )
        if response.status >= FIRST_SERVER_ERROR:
            span.set_status(self._failed)
        span.end(now)
        told: dict[str, str] = {}
        self._context.inject(told, self._in_context(span))
        response.headers += [(name.encode(), value.encode()) for name, value in told.items()]

    async def close(self) -> None:
        """Send what is left."""
        await asyncio.to_thread(self._provider.shutdown)


def open_tracing(environ: Mapping[str, str]) -> Tracing | None:
    """
    Start what ``OTEL_*`` variables ask for.

    Returns:
        None where no endpoint is named, traces are switched off, or the extra is missing, which is
        told in one line.

    Spec:
        server/process-log-opentelemetry
    """
    get = environ.get
    endpoint = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint or get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if get("OTEL_TRACES_EXPORTER") not in (None, "", "otlp"):
        return None
    protocol = get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        log.warning("No traces: OTLP is spoken over http/protobuf here, not over %s", protocol)
        return None
    try:
        tracing = Tracing(environ)
    except ImportError:
        log.warning(
            "No traces, though OTEL_EXPORTER_OTLP_ENDPOINT is set: "
            "install the extra, pip install 'trailbase-server[otel]'"
        )
        return None
    log.info("Sending traces")
    return tracing


@asynccontextmanager
async def traced(depot: "OpenDepot", environ: Mapping[str, str]) -> AsyncIterator[None]:
    """
    Trace the requests of a depot until the end of the block, if that is wanted.

    Args:
        depot: Its listeners are built within the block.
        environ: Variables of the process.
    """
    tracing = open_tracing(environ)
    if tracing is None:
        yield
        return
    depot.trace = tracing.trace
    try:
        yield
    finally:
        depot.trace = None
        await tracing.close()


def _request_id(request: Request, response: Response) -> str:
    for name, value in response.headers:
        if name == HEADER:
            return value.decode("latin-1")
    return ensure_request_id(request) if response.status >= FIRST_ERROR else request.request_id
