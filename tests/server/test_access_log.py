"""How the access log of a depot is put together."""

import json
import os
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest

from tests.serving import Server
from trailbase_server.config.defaults import LOGS_RETENTION_S
from trailbase_server.config.proto.config_pb2 import AccessLogConfig, Config
from trailbase_server.logs.keep import KEEP_ALL, Keep
from trailbase_server.server.access_log import AccessLog, build_log_pages
from trailbase_server.server.options import ServerOptions


@pytest.mark.parametrize(
    ("configured", "used"), [(None, LOGS_RETENTION_S), (0, LOGS_RETENTION_S), (3600, 3600)]
)
def test_statistics_cover_what_is_kept(configured, used):
    holder = SimpleNamespace(config=Config())
    if configured is not None:
        holder.config.server.logs_retention_sec = configured
    reader = SimpleNamespace(run=None)
    assert build_log_pages(holder, None, reader, None).retention_s() == used


@pytest.mark.parametrize(
    ("options", "has_lines"),
    [
        (ServerOptions(), False),
        (ServerOptions(stderr_logging=True), True),
        (ServerOptions(dev=True), True),
        (ServerOptions(dev=True, access_log="off"), False),
        (ServerOptions(access_log="stderr"), True),
    ],
)
def test_lines_are_written_where_they_are_wanted(options, has_lines, capfd):
    store = SimpleNamespace(append=lambda entry: None, dropped=0)
    log = AccessLog(store, options)
    assert (log.lines is not None) is has_lines
    # Without lines an entry goes the shortest way.
    assert (log.append is store.append) is not has_lines
    log.close()
    assert log.dropped == (0, 0)


def test_an_entry_goes_to_both(capfd):
    stored = []
    store = SimpleNamespace(append=stored.append, dropped=0)
    reading, writing = os.pipe()
    log = AccessLog(store, ServerOptions(access_log="stdout"))
    log.lines._descriptor = writing
    entry = (1.5, 200, "GET", "/a", 0.25, "", b"", b"", None, b"", "1.1", "", None)
    log.append(entry)
    log.close()
    assert stored == [entry]
    assert json.loads(os.read(reading, 65_536))["uri"] == "/a"
    os.close(reading)
    os.close(writing)


def test_the_configuration_says_what_is_logged():
    store = SimpleNamespace(append=None, keep=None)
    log = AccessLog(store, ServerOptions(access_log="stderr"))
    log.configure(AccessLogConfig())
    assert store.keep == KEEP_ALL
    log.configure(
        AccessLogConfig(
            disabled=True, exclude_paths=["/a"], sample_one_in=2, max_size_bytes=2_000_000
        )
    )
    assert store.keep == Keep(True, ("/a",), 0.5, 2_000_000)
    # What stands for the database does not hold for lines.
    assert log.lines.keep == Keep(False, ("/a",), 0.5, None)


def test_a_closed_output_is_no_reason_not_to_start(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert AccessLog(SimpleNamespace(append=None), ServerOptions(access_log="stdout")).lines is None


def test_everything_that_is_printed_is_json(tmp_path):
    options = ("--access-log", "stdout", "--log-format", "json")
    with Server(tmp_path / "depot", *options) as server:
        request = urllib.request.Request(
            f"{server.url}/api/records/v1/none/1", headers={"x-request-id": "one-of-mine"}
        )
        with pytest.raises(urllib.error.HTTPError) as failure:
            urllib.request.urlopen(request)
        assert failure.value.headers["x-request-id"] == "one-of-mine"
        failure.value.close()
        server.stop()
    lines = server.log.read_text().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    assert any(line.get("message", "").startswith("Listening on") for line in found)
    (entry,) = [line for line in found if line.get("request_id") == "one-of-mine"]
    assert (entry["method"], entry["status"], entry["user"]) == ("Get", 405, 0)
    assert entry["host"] == f"127.0.0.1:{server.port}"
