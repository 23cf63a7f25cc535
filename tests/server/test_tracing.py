"""Traces, received by a collector of our own that speaks OTLP."""

import gzip
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving import Server
from trailbase_server.server.tracing import open_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
WAIT_S = 10


class Collector(ThreadingHTTPServer):
    """Takes spans."""

    def __init__(self):
        self.spans = []
        self.resources = []
        super().__init__(("127.0.0.1", 0), Handler)

    def wait(self, name):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            found = [span for span in list(self.spans) if span.name == name]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no span {name!r} among {[span.name for span in self.spans]}")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        message = ExportTraceServiceRequest.FromString(body)
        for group in message.resource_spans:
            self.server.resources.append(attributes(group.resource))
            for scope in group.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def attributes(holder):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}


@pytest.fixture
def collector():
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    yield collector
    collector.shutdown()
    thread.join()
    collector.server_close()


def ask(server, path, headers=None):
    request = urllib.request.Request(f"{server.url}{path}", headers=headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as exc:
        exc.close()
        return exc.code, exc.headers


def test_every_answer_is_a_span_at_the_collector(tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    with Server(tmp_path / "depot") as server:
        _, headers = ask(server, "/api/healthcheck?token=secret", {"traceparent": PARENT})
        _, trace_id, span_id, flags = headers["traceparent"].split("-")
        assert (trace_id, flags) == (PARENT.split("-")[1], "01")
        end = time.monotonic() + WAIT_S
        while not (mine := [s for s in collector.spans if s.span_id.hex() == span_id]):
            assert time.monotonic() < end
            time.sleep(0.02)
        (span,) = mine
        assert span.name == "GET /api/healthcheck"
        assert span.parent_span_id.hex() == PARENT.split("-")[2]
        assert attributes(span) == {
            "http.request.method": "GET",
            "http.route": "/api/healthcheck",
            "http.response.status_code": 200,
        }
        assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 5e9

        # The front door's way, and a path of no route.
        status, headers = ask(server, "/api/records/v1/none/AAAA")
        span = collector.wait("GET /api/records/v1/{api}/{record}")
        found = attributes(span)
        assert found["http.response.status_code"] == status
        assert found["trailbase.request_id"] == headers["x-request-id"]
        assert ask(server, "/secret/path")[0] == 404
        assert "http.route" not in attributes(collector.wait("GET"))
        server.stop()
    assert "secret" not in str(collector.spans)
    assert collector.resources[0]["service.name"] == "trailbase-server"


def test_spans_are_sent_before_the_end(tmp_path, collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    with Server(tmp_path / "depot") as server:
        ask(server, "/api/healthcheck")
        server.stop()
    assert collector.wait("GET /api/healthcheck")
    assert collector.resources[0]["service.name"] == "mine"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_traced_unless_it_is_asked_for(environ, caplog):
    assert open_tracing(environ) is None
    assert caplog.records == []


def test_another_protocol_is_refused_in_one_line(caplog):
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert open_tracing(environ) is None
    assert len(caplog.records) == 1


def test_without_the_extra_one_line_says_how_to_get_it(caplog, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("opentelemetry.sdk")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert open_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}) is None
    (record,) = caplog.records
    assert "pip install 'trailbase-server[otel]'" in record.getMessage()
