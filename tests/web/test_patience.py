"""Slow and greedy clients: each is given up in time, and none costs much."""

import asyncio
import socket
from contextlib import suppress

import pytest

from tests.web.conftest import ENDED, ROUTES, serving
from trailbase_server.web import gate, patience
from trailbase_server.web.gate import Gate
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route

BOTH = pytest.mark.parametrize("door", ["/hot", "/cold"])
BIG = b"x" * 1_000_000
ANSWERED = []


def big(state, request):
    ANSWERED.append(request.path)
    return Response(200, BIG)


async def big_later(state, request):
    await asyncio.sleep(0.05)
    return big(state, request)


GREEDY = (
    Route("GET", "/hot/big", big, hot=True),
    Route("GET", "/cold/big", big),
    Route("GET", "/hot/later", big_later, hot=True),
)


@pytest.fixture
async def client(tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "ROUND_S", 0.05)
    ANSWERED.clear()
    async with serving(tmp_path, (*ROUTES, *GREEDY)) as client:
        yield client


class Wire:
    """A raw connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def say(self, *pieces, pause_s=0.0):
        for piece in pieces:
            self.writer.write(piece if isinstance(piece, bytes) else piece.encode())
            await self.writer.drain()
            await asyncio.sleep(pause_s)

    async def hear(self):
        """Everything until the connection ends."""
        received = b""
        with suppress(ConnectionResetError):
            while chunk := await asyncio.wait_for(self.reader.read(65536), 5):
                received += chunk
        return received.decode("latin-1")


@pytest.fixture
async def wire(client):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    yield Wire(reader, writer)
    writer.close()


def head(door, *lines, method="GET", path="/echo/a"):
    return "\r\n".join([f"{method} {door}{path} HTTP/1.1", "Host: w", *lines, "", ""])


# Time


@pytest.mark.case("T-81")
async def test_an_idle_connection_is_closed(wire):
    await wire.say(head("/hot"))
    assert (await wire.hear()).startswith("HTTP/1.1 200")


@pytest.mark.case("T-81")
async def test_a_connection_that_says_nothing_is_closed(wire):
    assert await wire.hear() == ""


@pytest.mark.case("T-81")
@pytest.mark.parametrize(
    "pieces",
    [
        ["G"],
        ["GET /hot/echo/a HTTP/1.1\r\nHost: w\r\nX: ", *"a" * 14],
        [head("/hot"), "GET /hot/echo/b HTT"],
    ],
)
async def test_a_slow_head_is_given_up(wire, monkeypatch, pieces):
    monkeypatch.setattr(patience, "HEAD_S", 0.2)
    await wire.say(*pieces, pause_s=0.02)
    answer = await wire.hear()
    assert "HTTP/1.1 408 Request Timeout" in answer
    assert answer.endswith("the request took too long")


@pytest.mark.case("T-81")
@BOTH
async def test_a_slow_body_is_given_up(wire, client, monkeypatch, door):
    monkeypatch.setattr(patience, "BODY_S", 0.2)
    await wire.say(head(door, "Content-Length: 50", method="POST"), *"x" * 14, pause_s=0.02)
    assert (await wire.hear()).startswith("HTTP/1.1 408")
    assert client.dispatcher.gate.given_up == {408: 1}


@pytest.mark.parametrize("path", ["/hot/later", "/cold/wait/1"])
async def test_a_connection_is_busy_while_it_is_answered(wire, client, path):
    gate = client.dispatcher.gate
    await wire.say(head("", path=path))
    async with asyncio.timeout(5):
        while not gate.busy:
            await asyncio.sleep(0.001)
        while gate.busy:
            await asyncio.sleep(0.001)
    assert gate.count == 1


@BOTH
async def test_a_body_that_grows_is_waited_for(wire, client, monkeypatch, door):
    monkeypatch.setattr(patience, "BODY_S", 0.2)
    monkeypatch.setattr(patience, "MIN_BODY_BYTES", 5)
    await wire.say(
        head(door, "Content-Length: 60", "Connection: close", method="POST"),
        *["xx"] * 30,
        pause_s=0.03,
    )
    assert (await wire.hear()).startswith("HTTP/1.1 200")
    assert client.log[0][4] > 600  # milliseconds


async def test_a_form_that_is_not_wanted_yet_is_no_slow_body(wire, monkeypatch):
    monkeypatch.setattr(patience, "BODY_S", 0.1)
    await wire.say(head("", "Expect: 100-continue", "Content-Length: 2", method="POST"))
    await asyncio.sleep(0.05)
    await wire.say("hi")
    assert "404" in await wire.hear()


async def test_an_answer_that_takes_long_is_waited_for(wire, monkeypatch):
    for name in ("HEAD_S", "BODY_S", "STALL_S"):
        monkeypatch.setattr(patience, name, 0.001)
    await wire.say(head("/cold", "Connection: close", path="/count/3000000"))
    assert (await wire.hear()).endswith("3000000")


@pytest.mark.case("T-81")
@pytest.mark.parametrize("target", ["/endless?stalled", "/hot/big"])
async def test_a_client_that_never_reads_is_cut_off(client, monkeypatch, target):
    monkeypatch.setattr(patience, "STALL_S", 0.2)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", client.port))
        request = f"GET {target} HTTP/1.1\r\nHost: w\r\n\r\n".encode()
        connection.sendall(request * 8)
        await asyncio.sleep(0.1)
        assert client.dispatcher.gate.count == 1
        for _ in range(200):
            if not client.dispatcher.gate.count:
                break
            await asyncio.sleep(0.01)
        assert client.dispatcher.gate.count == 0
        await asyncio.sleep(0.05)
        assert "stalled" in ENDED or target == "/hot/big"


async def test_a_client_that_reads_slowly_is_not(client, monkeypatch):
    monkeypatch.setattr(patience, "STALL_S", 0.3)
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(b"GET /endless?slow HTTP/1.1\r\nHost: w\r\n\r\n")
        connection.setblocking(False)
        for _ in range(12):
            await asyncio.sleep(0.1)
            with suppress(BlockingIOError):
                while connection.recv(1_000_000):
                    pass
        assert "slow" not in ENDED
    for _ in range(100):
        if "slow" in ENDED:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it goes on")


# Size


@pytest.mark.case("T-82")
@BOTH
@pytest.mark.parametrize(
    ("lines", "path", "status"),
    [
        ([f"X-{number}: y" for number in range(200)], "/echo/a", "200 OK"),
        ([f"X-{number}: y" for number in range(300)], "/echo/a", "431 Request Header"),
        (["X: " + "a" * 60_000], "/echo/a", "200 OK"),
        (["X: " + "a" * 70_000], "/echo/a", "431 Request Header"),
        ([f"X-{number}: {'y' * 700}" for number in range(100)], "/echo/a", "431 Request Header"),
        ([], "/echo/" + "a" * 30_000, "200 OK"),
        ([], "/echo/" + "a" * 40_000, "414 Request-URI Too Long"),
    ],
)
async def test_the_size_of_a_head_is_bounded(wire, door, lines, path, status):
    await wire.say(head(door, *lines, "Connection: close", path=path))
    assert (await wire.hear()).startswith(f"HTTP/1.1 {status}")


@pytest.mark.case("T-82")
async def test_a_head_that_comes_in_pieces_is_bounded(wire):
    with suppress(ConnectionResetError, BrokenPipeError):
        await wire.say("GET /hot/echo/a HTTP/1.1\r\nHost: h\r\nX: ", *["a" * 1000] * 200)
    assert (await wire.hear()).startswith("HTTP/1.1 431")


async def test_many_requests_in_pieces_are_no_large_head(wire):
    requests = head("/hot") * 2000
    cut = 30_011
    await wire.say(*(requests[at : at + cut] for at in range(0, len(requests), cut)), pause_s=0.02)
    answer = await wire.hear()
    assert "431" not in answer
    assert answer.count("HTTP/1.1 200 OK") == 2000


@pytest.mark.case("T-81")
@BOTH
async def test_requests_whose_answers_are_not_read_are_not_answered(client, door):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", client.port))
        connection.sendall(head(door, path="/big").encode() * 500)
        await asyncio.sleep(0.2)
        assert 0 < len(ANSWERED) < 8
        assert (await client.ask("GET", "/hot/echo/a"))[0] == 200


@pytest.mark.case("T-81")
async def test_requests_that_wait_behind_one_are_bounded(wire, client):
    count = 400
    await wire.say(head("/hot", path="/wait/1") + head("/hot") * count)
    answer = await wire.hear()
    assert answer.count("HTTP/1.1 200 OK") == patience.MAX_PIPELINED + 1
    assert answer.count("connection: close") == 1
    assert len(client.log) == patience.MAX_PIPELINED + 1


async def test_a_refusal_does_not_get_into_an_answer(wire):
    await wire.say(head("/hot", path="/later") + "nonsense\r\n\r\n")
    assert "HTTP" not in await wire.hear()


# Number


@pytest.mark.case("T-81")
async def test_connections_beyond_the_bound_are_told_to_come_again(client):
    client.dispatcher.gate = Gate(2, 1000)
    held = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(2)]
    await asyncio.sleep(0.02)
    status, headers, body = await client.ask("GET", "/hot/echo/a")
    assert (status, body, headers["retry-after"]) == (503, "too many connections", "10")
    assert client.dispatcher.gate.refused == 1
    held[0][1].close()
    await asyncio.sleep(0.05)
    assert (await client.ask("GET", "/hot/echo/a"))[0] == 200
    held[1][1].close()


async def test_a_trusted_proxy_may_have_more_connections_than_others(client):
    client.dispatcher.gate = Gate(100, 1)
    first = await asyncio.open_connection("127.0.0.1", client.port)
    await asyncio.sleep(0.02)
    assert (await client.ask("GET", "/hot/echo/a"))[0] == 200
    from trailbase_server.web.proxies import NOBODY

    client.dispatcher.proxies = NOBODY
    second = await asyncio.open_connection("127.0.0.1", client.port)
    await asyncio.sleep(0.02)
    assert (await client.ask("GET", "/hot/echo/a"))[0] == 503
    first[1].close()
    second[1].close()


async def test_more_handlers_than_may_run_are_told_to_come_again(client):
    client.dispatcher.most_running = 1
    waiting = asyncio.ensure_future(client.ask("GET", "/cold/wait/25"))
    while not client.dispatcher._running:
        await asyncio.sleep(0)
    status, headers, _ = await client.ask("GET", "/cold/echo/a")
    assert (status, headers["retry-after"]) == (503, "1")
    assert (await waiting)[0] == 200
    assert (await client.ask("GET", "/cold/echo/a"))[0] == 200
