import asyncio
import http.client
import signal
import socket
import threading
import time

from tests.serving import Server
from trailbase_server.server import drain
from trailbase_server.server.drain import begin_drain, linger

HOT, COLD = "/api/records/v1/boat", "/api/healthcheck"


def ask(connection, path, method="GET"):
    connection.request(method, path)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_a_server_that_drains_says_so_goes_on_and_sends_clients_away(pier):
    with Server(pier.root, "--drain-delay", "600") as server:
        kept = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(2)]
        for connection, path in zip(kept, (HOT, COLD), strict=True):
            assert ask(connection, path).headers["connection"] is None
        server.process.send_signal(signal.SIGTERM)
        until(lambda: status(server, "/api/readyz") == 503)
        for connection, path in zip(kept, (HOT, COLD), strict=True):
            answer = ask(connection, path)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert status(server, HOT) == 200
        # Somebody has lost patience.
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 1
    assert "force shutdown" in server.log.read_text()


def test_the_delay_ends_and_so_does_the_server(pier):
    with Server(pier.root, "--drain-delay", "0.5") as server:
        server.process.send_signal(signal.SIGTERM)
        assert status(server, HOT) == 200
        assert server.process.wait(20) == 0


def test_a_request_that_is_being_sent_is_answered_to_the_end(pier):
    with Server(pier.root) as server:
        halves = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        body = b'{"name":"' + b"x" * 100 + b'"}'
        head = (
            b"POST /api/records/v1/boat HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        )
        head += b"content-length: %d\r\n\r\n" % len(body)
        # In the body; in the head; about to begin.
        parts = [head + body[:10], head[:30], b""]
        for connection, sent in zip(halves, parts, strict=True):
            connection.sendall(sent)
        until(lambda: status(server, COLD) == 200)
        server.process.send_signal(signal.SIGTERM)
        for connection, sent in zip(halves, parts, strict=True):
            connection.sendall((head + body)[len(sent) :])
        for connection in halves:
            connection.settimeout(20)
            answer = b"".join(iter(lambda it=connection: it.recv(4096), b""))
            assert answer.startswith(b"HTTP/1.1 200")
            connection.close()
        assert server.process.wait(20) == 0


def test_streams_end_cleanly(pier):
    pier.edit(
        "acl_world: [CREATE, READ] }", "acl_world: [CREATE, READ] enable_subscriptions: true }"
    )
    with Server(pier.root) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/api/records/v1/boat/subscribe/*")
        stream = connection.getresponse()
        assert stream.status == 200
        ended = threading.Event()
        threading.Thread(target=lambda: (stream.read(), ended.set()), daemon=True).start()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert ended.wait(20)
        stream.close()
        connection.close()


async def test_only_connections_of_servers_can_be_lively(pier, monkeypatch):
    monkeypatch.setattr(drain, "LINGER_S", 1000.0)
    await asyncio.wait_for(linger([object()]), 10)
    async with pier.opened() as (depot, _):
        begin_drain(depot)
        assert depot.gate.is_draining
        assert depot.readiness.is_draining


def status(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    answer = ask(connection, path)
    connection.close()
    return answer.status


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
