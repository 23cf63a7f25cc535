"""Subscriptions as clients see them: a real server, raw event streams, a WebSocket client."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.records.conftest import ROSA, SAM, api, identity, parse_config
from tests.records.realtime.conftest import CONFIG as REALTIME
from tests.records.realtime.conftest import SCHEMA, run
from trailbase_server.records import subscribe as module
from trailbase_server.records.routes import ROUTES
from trailbase_server.records.state import RecordsState
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.storage.local import LocalStorage
from trailbase_server.web.asgi import TrailApplication
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.front_door import front_door
from trailbase_server.web.route import bind_routes
from trailbase_server.web.router import Router

CONFIG = f"{REALTIME}\n{api('quiet', 'plant', 'acl_world: [READ]')}"
CALLERS = {"rosa": identity(ROSA), "sam": identity(SAM)}


class Callers:
    """Whose token is whose."""

    def bearer(self, authorization):
        return CALLERS.get(authorization.decode().removeprefix("Bearer "))

    async def cookies(self, request):
        return CALLERS.get(request.header(b"cookie").decode().removeprefix("auth_token=")), []


class Served:
    """A server with record APIs."""

    def __init__(self, state, port):
        self.state = state
        self.port = port
        self.writers = []

    async def subscribe(self, target, *headers, method="GET"):
        """Returns status, what follows the head, and the reader."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        lines = [f"{method} /api/records/v1/{target} HTTP/1.1", "Host: h", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
        return int(head.split(" ")[1]), head, reader

    async def stream(self, target, *headers):
        status, head, reader = await self.subscribe(target, *headers)
        assert (status, "text/event-stream" in head) == (200, True), head
        await asyncio.wait_for(reader.readuntil(b"\n\n"), 5)
        return reader

    def socket(self, target, user=None):
        headers = {"Authorization": f"Bearer {user}"} if user else {}
        return connect(
            f"ws://127.0.0.1:{self.port}/api/records/v1/{target}", additional_headers=headers
        )

    async def run(self, sql, *params):
        await self.state.database.write(run, sql, *params)


@asynccontextmanager
async def serve(path, config):
    files = DatabaseFiles(
        path / "main.db",
        prepare=lambda connection: register_functions(connection, SchemaRegistry(), None),
    )
    connection = open_connection(files, "migrator")
    connection.execute(SCHEMA).fetchall()
    connection.close()
    database = SqliteDatabase(files)
    storage = LocalStorage(Path("no-uploads"))  # nothing here uploads
    state = RecordsState(database, SchemaRegistry(), b"k" * 32, Catalog(), {}, storage)
    state.compile(parse_config(config).record_apis, read_catalog(database.read))
    dispatcher = Dispatcher(
        Router(bind_routes(ROUTES, state)),
        Callers(),
        Cors(),
        database.on_pool,
        100_000,
        lambda entry: None,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            TrailApplication(dispatcher),
            http=front_door(dispatcher),
            lifespan="off",
            log_config=None,
            ws="none",
        )
    )
    running = asyncio.ensure_future(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    served = Served(state, listener.getsockname()[1])
    yield served
    state.broker.close()
    for writer in served.writers:
        writer.close()
    server.should_exit = True
    await running
    await database.close()


@pytest.fixture
async def served(tmp_path):
    async with serve(tmp_path, CONFIG) as served:
        yield served


async def events(reader, count):
    """Read so many events."""
    found = []
    while len(found) < count:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), 5)
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:]))
    return found


INSERT = "INSERT INTO plant (id, name, owner) VALUES (?1, 'oak', ?2)"


@pytest.mark.parametrize("header", ["Authorization: Bearer rosa", "Cookie: auth_token=rosa"])
async def test_a_stream_of_events_through_both_doors(served, header):
    reader = await served.stream("own/subscribe/*", header)
    await served.run(INSERT, 2, SAM)
    await served.run(INSERT, 3, ROSA)
    await served.run("DELETE FROM plant WHERE id = 3")
    assert [(next(iter(event)), event["seq"]) for event in await events(reader, 2)] == [
        ("Insert", 1), ("Delete", 2)
    ]  # fmt: skip


@pytest.mark.parametrize("header", ["Authorization: Bearer rosa", "Cookie: auth_token=rosa"])
async def test_a_stream_of_a_record_ends_the_answer(served, header):
    reader = await served.stream("plants/subscribe/1", header)
    await served.run("DELETE FROM plant WHERE id = 1")
    rest = await asyncio.wait_for(reader.readuntil(b"\r\n0\r\n\r\n"), 5)
    assert b'{"Delete":' in rest


@pytest.mark.case("T-51")
@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("nothing/subscribe/*", (), 405),
        ("nothing/subscribe/*?filter[a][b][c]=1", (), 405),
        ("quiet/subscribe/*", (), 403),
        ("quiet/subscribe/abc", (), 403),
        ("plants/subscribe/*?filter[a][b][c]=1", (), 400),
        ("plants/subscribe/*?filter[nope]=1", (), 400),
        ("plants/subscribe/*?ws=maybe", (), 400),
        ("plants/subscribe/*?ws=true", (), 400),
        ("plants/subscribe/*?resume=maybe", (), 400),
        ("plants/subscribe/abc", (), 400),
        ("members/subscribe/abc", (), 400),
        ("members/subscribe/*", (), 403),
        ("members/subscribe/*?filter[nope]=1", (), 403),
        ("members/subscribe/404", (), 403),
        ("own/subscribe/1", (), 403),
        ("own/subscribe/1", ("Authorization: Bearer sam",), 403),
        ("own/subscribe/404", ("Authorization: Bearer rosa",), 403),
        ("plants/subscribe/404", (), 404),
        ("plants/subscribe/", (), 404),
        ("own/subscribe/1", ("Authorization: Bearer rosa",), 200),
        ("slow/subscribe/1", (), 200),
        ("plants/subscribe/%2A", (), 200),
        ("plants/subscribe/*?filter[name]=a&ws=false", (), 200),
    ],
)
async def test_checks_come_in_this_order(served, target, headers, status):
    assert (await served.subscribe(target, *headers))[0] == status
    assert served.state.broker.statistics.streams == (status == 200)


async def test_a_refused_record_leaves_no_stream_behind(served):
    await served.subscribe("plants/subscribe/404")
    assert served.state.broker.statistics.streams == 0


async def test_head_opens_nothing(served):
    status, head, _ = await served.subscribe("plants/subscribe/*", method="HEAD")
    assert (status, "text/event-stream" in head) == (200, True)
    assert served.state.broker.statistics.streams == 0


async def test_a_client_may_ask_for_ids_and_come_back(served):
    reader = await served.stream("plants/subscribe/*?resume=true")
    await served.run(INSERT, 2, ROSA)
    line = await asyncio.wait_for(reader.readuntil(b"\n"), 5)
    while not line.startswith(b"id: "):
        line = await asyncio.wait_for(reader.readuntil(b"\n"), 5)
    await served.run(INSERT, 3, ROSA)
    back = await served.stream("plants/subscribe/*", f"Last-Event-ID: {line[4:-1].decode()}")
    assert [event["Insert"]["id"] for event in await events(back, 1)] == [3]


@pytest.mark.parametrize(
    ("header", "expected"), [("credentials: same-origin", True), ("A: b", False)]
)
async def test_the_javascript_client_gets_whole_messages(served, header, expected):
    reader = await served.stream("plants/subscribe/*", header)
    (stream,) = served.state.broker._streams
    assert stream._is_aligned is expected
    for number in range(2, 40):
        await served.run(INSERT, number, None)
    assert [event["seq"] for event in await events(reader, 38)] == list(range(1, 39))


# WebSockets


async def received(socket, count):
    async with asyncio.timeout(5):
        return [json.loads(await socket.recv()) for _ in range(count)]


async def closing(socket):
    try:
        async with asyncio.timeout(5):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason


async def subscribed(served, count=1):
    """Wait until the server has so many streams."""
    async with asyncio.timeout(5):
        while served.state.broker.statistics.streams < count:
            await asyncio.sleep(0.005)


async def test_events_over_a_web_socket_are_numbered_too(served):
    async with served.socket("own/subscribe/*?ws=true", "rosa") as socket:
        await subscribed(served)
        await served.run(INSERT, 2, ROSA)
        await served.run(INSERT, 3, SAM)
        await served.run("DELETE FROM plant WHERE id = 2")
        assert [(next(iter(event)), event["seq"]) for event in await received(socket, 2)] == [
            ("Insert", 1), ("Delete", 2)
        ]  # fmt: skip


async def test_the_token_may_come_as_the_first_message(served):
    async with served.socket("own/subscribe/1?ws=true") as socket:
        await socket.send('{"Init":{"auth_token":"rosa"}}')
        await subscribed(served)
        await socket.send('{"Init":{"auth_token":"rosa"}}')  # and again, which does no harm
        await served.run("UPDATE plant SET name = 'briar'")
        assert (await received(socket, 1))[0]["Update"]["name"] == "briar"


async def test_a_header_makes_the_first_message_unnecessary(served):
    async with served.socket("plants/subscribe/*?ws=true", "expired") as socket:
        await subscribed(served)
        await served.run(INSERT, 2, None)
        assert len(await received(socket, 1)) == 1


@pytest.mark.parametrize(
    ("target", "message", "expected"),
    [
        ("plants/subscribe/*", '{"Init":{"auth_token":"forged"}}', (1008, "unauthorized")),
        ("plants/subscribe/*", '{"Init":{"auth_token":7}}', (1008, "unauthorized")),
        ("plants/subscribe/*", '{"Init":{}}', (1008, "unauthorized")),
        ("plants/subscribe/*", '{"Init":[]}', (1008, "unauthorized")),
        ("plants/subscribe/*", '{"Hello":1}', (1008, "unauthorized")),
        ("plants/subscribe/*", "[]", (1008, "unauthorized")),
        ("plants/subscribe/*", "no json", (1008, "unauthorized")),
        ("plants/subscribe/*", b"bytes", (1011, "unexpected message")),
        ("members/subscribe/*", '{"Init":{"auth_token":null}}', (1008, "unauthorized")),
        ("own/subscribe/1", '{"Init":{"auth_token":"sam"}}', (1008, "unauthorized")),
        ("plants/subscribe/404", '{"Init":{"auth_token":null}}', (1011, "subscription failed")),
        (
            "plants/subscribe/*?filter[nope]=1",
            '{"Init":{"auth_token":null}}',
            (1011, "subscription failed"),
        ),
    ],
)
async def test_refusals_after_the_upgrade_are_codes(served, target, message, expected):
    separator = "&" if "?" in target else "?"
    async with served.socket(f"{target}{separator}ws=true") as socket:
        await socket.send(message)
        assert await closing(socket) == expected
    assert served.state.broker.statistics.streams == 0


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("nothing/subscribe/*?ws=true", 405),
        ("quiet/subscribe/*?ws=true", 403),
        ("plants/subscribe/abc?ws=true", 400),
        ("plants/subscribe/*?ws=true&filter[a][b][c]=1", 400),
    ],
)
async def test_refusals_before_the_upgrade_are_answers(served, target, status):
    with pytest.raises(InvalidStatus) as refused:
        async with served.socket(target):
            pass
    assert refused.value.response.status_code == status


async def test_a_client_that_says_nothing_is_sent_away(served, monkeypatch):
    monkeypatch.setattr(module, "INIT_TIMEOUT_S", 0.05)
    async with served.socket("plants/subscribe/*?ws=true") as socket:
        assert await closing(socket) == (1011, "unexpected message")


async def test_lost_access_is_told_before_the_end(served):
    async with served.socket("own/subscribe/1?ws=true", "rosa") as socket:
        await subscribed(served)
        await served.run("UPDATE plant SET owner = NULL")
        assert await received(socket, 1) == [
            {"Error": {"status": 1, "message": "Access denied"}, "seq": 1}
        ]
        assert await closing(socket) == (1000, "")


async def test_a_server_that_stops_says_so(served):
    async with served.socket("plants/subscribe/*?ws=true", "rosa") as socket:
        await subscribed(served)
        served.state.broker.close()
        assert (await closing(socket))[0] == 1001


async def test_a_web_socket_that_goes_leaves_no_stream_behind(served):
    async with served.socket("plants/subscribe/*?ws=true", "rosa"):
        await subscribed(served)
    async with asyncio.timeout(5):
        while served.state.broker.statistics.streams:
            await asyncio.sleep(0.005)
