"""
Hostile clients at a server in a process of its own: thousands that never finish what they say, that
never read, or that come all at once. Others must not notice, and the server must not grow.
"""

import resource
import socket
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.serving import Server
from trailbase_server.web.patience import HEAD_S

SQL = """
CREATE TABLE notice (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 500)
INSERT INTO notice (text) SELECT printf('%.1000c', 'x') FROM n;
"""
CONFIG = """
server { application_name: "Hostile" }
record_apis: [{ name: "notice" table_name: "notice" acl_world: [READ, CREATE] }]
"""
RECORD = "/api/records/v1/notice/1"
LIST = "/api/records/v1/notice?limit=256"
HALF_HEAD = b"GET /api/healthcheck HTTP/1.1\r\nHost: h\r\nX-Slow: "
HALF_BODY = (
    b"POST /api/records/v1/notice HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100000\r\n\r\n{"
)
MAX_GROWTH_MIB = 100  # for what some thousand connections hold
MAX_WAIT_S = 1.0  # of an ordinary request beside them, on a busy machine


@pytest.fixture
def depot(tmp_path):
    root = tmp_path / "depot"
    (root / "migrations" / "main").mkdir(parents=True)
    (root / "migrations" / "main" / "U1790000001__notices.sql").write_text(SQL)
    (root / "config.textproto").write_text(CONFIG)
    return root


@pytest.fixture
def crowd():
    """Many sockets, closed in the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 8192)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(crowd, server, first=b"", receive_bytes=None):
    wire = crowd.enter_context(socket.socket())
    if receive_bytes:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    wire.settimeout(10)
    wire.connect(("127.0.0.1", server.port))
    if first:
        wire.sendall(first)
    return wire


def memory_mib(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def slowest(server, count=50):
    """Longest of some ordinary requests."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        with urllib.request.urlopen(server.url + RECORD, timeout=10) as answer:
            assert answer.status == 200
        times.append(time.perf_counter() - started)
    return max(times)


def answer_of(wire):
    received = b""
    try:
        while chunk := wire.recv(65536):
            received += chunk
    except OSError:
        pass
    return received


@pytest.mark.case("T-81")
@pytest.mark.timeout(120)
def test_slow_heads_and_bodies_hold_nobody_up_and_go_away(depot, crowd):
    with Server(depot) as server:
        slowest(server)
        before = memory_mib(server)
        heads = [connect(crowd, server, HALF_HEAD) for _ in range(2000)]
        bodies = [connect(crowd, server, HALF_BODY) for _ in range(1000)]
        began = time.monotonic()
        longest = 0.0
        while time.monotonic() - began < HEAD_S + 4:
            for wire in heads[:20]:  # one byte now and then does not help
                try:
                    wire.send(b"x")
                except OSError:
                    break
            longest = max(longest, slowest(server, 10))
            time.sleep(0.5)
        assert longest < MAX_WAIT_S
        assert memory_mib(server) - before < MAX_GROWTH_MIB
        answers = [answer_of(wire) for wire in heads[20:]]
        assert all(b" 408 " in answer for answer in answers)
        assert slowest(server) < MAX_WAIT_S
        for wire in bodies:  # or the server would wait for them in the end
            wire.close()


@pytest.mark.case("T-81")
@pytest.mark.timeout(60)
def test_clients_that_never_read_cost_little(depot, crowd):
    with Server(depot) as server:
        slowest(server)
        before = memory_mib(server)
        flood = f"GET {LIST} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 1000
        for _ in range(60):  # would be asked for 15 GiB
            wire = connect(crowd, server, receive_bytes=4096)
            wire.settimeout(0.05)
            with suppress(TimeoutError):
                wire.sendall(flood)
        time.sleep(1)
        assert slowest(server) < MAX_WAIT_S
        assert memory_mib(server) - before < MAX_GROWTH_MIB
        crowd.close()


@pytest.mark.case("T-85")
@pytest.mark.timeout(60)
def test_one_address_cannot_take_all_connections(depot, crowd):
    options = ("--trusted-proxies", "none", "--max-connections-per-address", "50")
    with Server(depot, *options) as server:
        held = [connect(crowd, server) for _ in range(50)]
        time.sleep(0.2)
        refused = answer_of(connect(crowd, server))
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 10" in refused
        for wire in held:
            wire.close()
        time.sleep(0.2)
        assert slowest(server, 5) < MAX_WAIT_S


@pytest.mark.case("T-85")
@pytest.mark.timeout(60)
def test_a_client_in_a_hurry_is_told_to_wait(depot):
    with Server(depot, "--rate-limit", "50/60:20") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
            wire.sendall(f"GET {RECORD} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 90)
            wire.shutdown(socket.SHUT_WR)
            answer = answer_of(wire)
        assert answer.count(b"HTTP/1.1 200") == 20
        assert answer.count(b"HTTP/1.1 429") == 70
        assert answer.count(b"retry-after: ") == 70
