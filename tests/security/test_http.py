"""Bytes that are no proper requests, at a server in its own process."""

import gzip
import json
import re
import socket
import threading
import time
import urllib.request
import zlib

import pytest

from tests.security.conftest import make_depot
from tests.serving import Server

LOG_IN = json.dumps({"username": "nora", "password": "NORA-pass-77"}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("http") / "depot"
    make_depot(root)
    with Server(root) as server:
        yield server
        log = server.log.read_text()
    assert "Traceback" not in log
    assert "internal error" not in log


def exchange(server, data, *, patience_s=3.0):
    """Send bytes; everything that comes back until the other side ends or is silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience_s) as wire:
        wire.sendall(data)
        received = b""
        try:
            while chunk := wire.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    return received


def statuses(received):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def head(*lines, method="GET", path="/api/healthcheck"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: h", *lines, "", ""]).encode("latin-1")


SMUGGLED = b"GET /api/_admin/info HTTP/1.1\r\nHost: h\r\n\r\n"
LOG_IN_HEAD = "POST /api/auth/v1/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"


@pytest.mark.case("T-82")
@pytest.mark.parametrize(
    "request_bytes",
    [
        (LOG_IN_HEAD + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n").encode()
        + b"{}xx"
        + SMUGGLED,
        (LOG_IN_HEAD + "Content-Length: 4, 5\r\n\r\n").encode() + b"{}xx" + SMUGGLED,
        (LOG_IN_HEAD + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        + b"0\r\n\r\n"
        + SMUGGLED,
        (LOG_IN_HEAD + "Transfer-Encoding: chunked, identity\r\n\r\n").encode()
        + b"0\r\n\r\n"
        + SMUGGLED,
        (LOG_IN_HEAD + "Transfer-Encoding : chunked\r\n\r\n").encode() + b"0\r\n\r\n" + SMUGGLED,
        (LOG_IN_HEAD + "Content-Length: -1\r\n\r\n").encode() + SMUGGLED,
        (LOG_IN_HEAD + "Content-Length: +2\r\n\r\n").encode() + b"{}" + SMUGGLED,
        (LOG_IN_HEAD + "Content-Length: 0x2\r\n\r\n").encode() + b"{}" + SMUGGLED,
        (LOG_IN_HEAD + "Content-Length: 99999999999999999999999\r\n\r\n").encode() + SMUGGLED,
        (LOG_IN_HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"zz\r\n{}\r\n" + SMUGGLED,
        (LOG_IN_HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"-1\r\n{}\r\n" + SMUGGLED,
        b"GET /api/healthcheck HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n" + SMUGGLED,
        b"GET /api/health check HTTP/1.1\r\nHost: h\r\n\r\n" + SMUGGLED,
        b"GET\0/ HTTP/1.1\r\nHost: h\r\n\r\n" + SMUGGLED,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"GET / HTTP/9.9\r\nHost: h\r\n\r\n" + SMUGGLED,
        bytes(range(256)) * 4,
    ],
    ids=range(17),
)
def test_what_two_servers_could_read_differently_ends_the_connection(server, request_bytes):
    received = exchange(server, request_bytes)
    answered = statuses(received)
    assert len(answered) <= 1, received
    assert all(400 <= status < 500 for status in answered), received


@pytest.mark.case("T-82")
@pytest.mark.parametrize(
    "request_bytes",
    [
        head(path="/" + "a" * 1_000_000),
        head("X: " + "a" * 1_000_000),
        head(*(f"X-{number}: y" for number in range(10_000))),
        head(f"Cookie: auth_token={'a' * 500_000}"),
    ],
    ids=["target", "header", "headers", "cookie"],
)
def test_endless_heads_are_refused(server, request_bytes):
    try:
        answered = statuses(exchange(server, request_bytes))
    except (BrokenPipeError, ConnectionResetError):
        answered = []  # it has closed in the middle
    assert answered in ([], [400], [404], [413], [414], [431]), answered
    assert_serves(server)


@pytest.mark.case("T-83")
def test_http_2_is_not_spoken(server):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    resets = (b"\0\0\x04\x03\0\0\0\0\x01" + b"\0\0\0\x08") * 10_000
    try:
        answered = statuses(exchange(server, preface + resets))
    except (BrokenPipeError, ConnectionResetError):
        answered = []
    assert answered in ([], [400], [505])
    upgrade = head(
        "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"
    )
    assert b"101 " not in exchange(server, upgrade, patience_s=1).split(b"\r\n")[0]
    assert_serves(server)


@pytest.mark.case("T-84")
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", bytes),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("zstd", bytes),
    ],
)
def test_packed_bodies_are_not_unpacked(server, encoding, pack):
    for body in (LOG_IN, b'{"a":"' + b"0" * 5_000_000 + b'"}'):
        packed = pack(body)
        lines = (f"Content-Encoding: {encoding}", f"Content-Length: {len(packed)}")
        request = (LOG_IN_HEAD + "\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode()
        answered = statuses(exchange(server, request + packed))
        assert answered[0] in (400, 415), (encoding, answered)


@pytest.mark.case("T-81")
def test_clients_that_dawdle_are_not_in_the_way(server):
    wires = []
    try:
        for number in range(100):
            wire = socket.create_connection(("127.0.0.1", server.port), timeout=5)
            wire.sendall(
                head()[:-2] if number % 2 else LOG_IN_HEAD.encode() + b"Content-Length: 9\r\n"
            )
            wires.append(wire)
        started = time.perf_counter()
        for _ in range(10):
            assert_serves(server)
        assert time.perf_counter() - started < 5
    finally:
        for wire in wires:
            wire.close()


@pytest.mark.case("T-85")
def test_health_checks_are_cheap(server):
    failures = []

    def hammer():
        data = head() * 100
        received = exchange(server, data + head("Connection: close"), patience_s=10)
        if statuses(received) != [200] * 101:
            failures.append(statuses(received))

    threads = [threading.Thread(target=hammer) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def assert_serves(server):
    with urllib.request.urlopen(f"{server.url}/api/healthcheck", timeout=5) as answer:
        assert answer.status == 200
