"""WebSockets over real sockets, spoken to with a client library."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.web.conftest import echo, serving
from trailbase_server.errors import ForbiddenError
from trailbase_server.web.request import Request
from trailbase_server.web.response import text
from trailbase_server.web.route import Route
from trailbase_server.web.websocket import (
    SocketClosedError,
    SocketEndpoint,
    is_foreign,
    is_socket_query,
)

OUTCOMES = []


def check(state, request):
    if "refuse" in request.query:
        raise ForbiddenError


async def converse(state, request, socket):
    """Repeat what comes, after saying who is there."""
    if "late" in request.query:
        raise ForbiddenError
    await socket.accept()
    caller = request.identity.email if request.identity else "nobody"
    await socket.send(f"hello {caller}")
    try:
        while (message := await socket.receive()) != "bye":
            if message == "crash":
                raise ZeroDivisionError
            if isinstance(message, str) and message.startswith("token "):
                found = socket.authenticate(message[6:])
                message = found.email if found else "unknown"
            await socket.send(f"{message}")
        await socket.close(4000, "farewell")
    except SocketClosedError:
        OUTCOMES.append("gone")
        raise


def plain(state, request):
    check(state, request)
    return text("plain")


@pytest.fixture
async def client(tmp_path):
    OUTCOMES.clear()
    routes = (
        Route("GET", "/talk", plain, hot=True, socket=SocketEndpoint(check, converse)),
        Route("GET", "/echo/{name}", echo, hot=True),
    )
    async with serving(tmp_path, routes) as client:
        yield client


def at(client, query="ws=true"):
    return f"ws://127.0.0.1:{client.port}/talk?{query}"


async def test_a_conversation(client):
    async with connect(at(client)) as socket:
        assert await socket.recv() == "hello nobody"
        await socket.send("one")
        await socket.send(b"two")
        assert [await socket.recv(), await socket.recv()] == ["one", "b'two'"]
        await socket.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "farewell")
    assert [(entry[1], entry[3]) for entry in client.log] == [(101, "/talk?ws=true")]


async def test_callers_are_known_by_header_and_by_message(client):
    headers = {"Authorization": "Bearer alice"}
    async with connect(at(client), additional_headers=headers) as socket:
        assert await socket.recv() == "hello alice@web.test"
        await socket.send("token boss")
        assert await socket.recv() == "boss@web.test"
        await socket.send("token forged €")
        assert await socket.recv() == "unknown"


@pytest.mark.case("T-77")
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, "hello alice@web.test"),
        ("http://{host}", "hello alice@web.test"),
        ("https://evil.test", "hello nobody"),
        ("null", "hello nobody"),
    ],
)
async def test_a_cookie_does_not_count_for_pages_of_other_sites(client, origin, expected):
    headers = {"Cookie": "who=alice"}
    if origin is not None:
        headers["Origin"] = origin.format(host=f"127.0.0.1:{client.port}")
    async with connect(at(client), additional_headers=headers) as socket:
        assert await socket.recv() == expected


@pytest.mark.parametrize(("query", "status"), [("ws=true&refuse", 403), ("ws=true&late", 403)])
async def test_a_refusal_is_an_answer_of_http(client, query, status):
    with pytest.raises(InvalidStatus) as refused:
        async with connect(at(client, query)):
            pass
    assert refused.value.response.status_code == status


async def test_other_requests_to_upgrade_are_plain_requests(client):
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]  # fmt: skip
    assert (await client.ask("GET", "/talk?ws=false", upgrade))[::2] == (200, "plain")
    assert (await client.ask("GET", "/echo/a?ws=true", upgrade))[0] == 200
    assert (await client.ask("GET", "/talk?ws=true"))[::2] == (200, "plain")


async def test_an_incomplete_handshake_is_the_clients_mistake(client):
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    assert (await client.ask("GET", "/talk?ws=true", upgrade))[0] == 400


async def test_a_client_that_goes_ends_the_conversation(client):
    async with connect(at(client)) as socket:
        await socket.recv()
    async with asyncio.timeout(2):
        while not OUTCOMES:
            await asyncio.sleep(0.005)


@pytest.mark.case("T-87")
async def test_a_bug_closes_with_an_internal_error(client, caplog):
    async with connect(at(client)) as socket:
        await socket.recv()
        await socket.send("crash")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd.code == 1011
    assert "ZeroDivisionError" in caplog.text


async def test_a_socket_outlives_the_keep_alive_of_its_connection(client):
    async with connect(at(client)) as socket:
        await socket.recv()
        await asyncio.sleep(1.3)
        await socket.send("still there")
        assert await socket.recv() == "still there"


def test_only_the_exact_parameter_asks_for_a_socket():
    assert is_socket_query("a=b&ws=true")
    for query in ("", "ws=false", "ws=true1", "xws=true", "ws"):
        assert not is_socket_query(query)


def test_without_credentials_nobody_is_foreign():
    assert not is_foreign(Request("GET", "/", headers=[(b"origin", b"https://evil.test")]))
