"""A server with a few routes behind the front door, and raw connections to it."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import uvicorn

from trailbase_server.errors import BadRequestError, UnauthorizedError
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.web.asgi import TrailApplication
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.front_door import front_door
from trailbase_server.web.identity import Identity
from trailbase_server.web.response import Response, text
from trailbase_server.web.route import Route, bind_routes
from trailbase_server.web.router import Router

BODY_LIMIT = 1000
ALICE = Identity(b"a" * 16, False, "alice@web.test", None, "csrf-of-alice", 2**40, "alice")
BOSS = Identity(b"b" * 16, True, "boss@web.test", None, "csrf-of-boss", 2**40, "boss")


class Callers:
    """Knows two callers by their tokens."""

    def bearer(self, authorization):
        return {b"Bearer alice": ALICE, b"Bearer boss": BOSS}.get(authorization)

    async def cookies(self, request):
        return (
            (replace(ALICE, from_cookie=True), [(b"set-cookie", b"auth_token=new")])
            if b"alice" in request.header(b"cookie")
            else (None, [])
        )

    def refusal(self, request):
        return UnauthorizedError()

    async def is_admin(self, identity):
        return identity is BOSS


def log_out(state, request):
    return Response(200, b"", [(b"set-cookie", b"auth_token=; Max-Age=0")])


def echo(state, request):
    who = request.identity.email if request.identity else "anonymous"
    return text(f"{request.method} {request.params} {request.query} {who} {request.body.decode()}")


async def wait(state, request):
    await asyncio.sleep(0.02 * int(request.params["n"]))
    return text(f"waited {request.params['n']}")


async def wait_twice(state, request):
    rows = await state.query("SELECT 1")
    await asyncio.sleep(0)
    return text(f"rows {rows}")


def count(state, request):
    rows = state.read(
        "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < ?1) "
        "SELECT COUNT(*) FROM n",
        (int(request.params["n"]),),
    )
    return text(str(rows[0][0]))


def refuse(state, request):
    raise BadRequestError("no such luck")


def crash(state, request):
    raise ZeroDivisionError


async def crash_later(state, request):
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def stream(state, request):
    async def chunks():
        for n in range(3):
            yield f"chunk {n}\n".encode()

    return Response(200, stream=chunks(), headers=[(b"content-type", b"text/plain")])


async def endless(state, request):
    async def chunks():
        try:
            while True:
                yield b"x" * 65_536
        finally:
            ENDED.append(request.query)

    return Response(200, stream=chunks())


def unchanged(state, request):
    return Response(304, headers=[(b"etag", b'"x"')])


ENDED = []


async def form(state, request):
    pieces = [] if request.stream is None else [piece async for piece in request.stream]
    size = sum(map(len, pieces))
    return text(f"{size} streamed, {len(request.body)} read")


TWICE = tuple(
    Route(method, f"{prefix}{path}", handler, hot=hot)
    for prefix, hot in (("/hot", True), ("/cold", False))
    for method, path, handler in (
        ("GET", "/echo/{name}", echo),
        ("POST", "/echo/{name}", echo),
        ("GET", "/wait/{n}", wait),
        ("GET", "/twice", wait_twice),
        ("GET", "/count/{n}", count),
        ("GET", "/refuse", refuse),
        ("GET", "/crash", crash),
        ("GET", "/crash-later", crash_later),
    )
)
ROUTES = (
    *TWICE,
    Route("GET", "/stream", stream),
    Route("GET", "/endless", endless),
    Route("GET", "/unchanged", unchanged),
    Route("POST", "/form", form, streams_forms=True),
    Route("POST", "/hot/form", form, streams_forms=True, hot=True),
    Route("GET", "/hot/echo/schema", refuse),
    Route("GET", "/user", echo, audience="user"),
    Route("GET", "/logout", log_out, audience="user"),
    Route("POST", "/admin", echo, audience="admin"),
    Route("GET", "/nobody", echo, audience="nobody"),
)


class Client:
    """Raw HTTP to the server under test."""

    def __init__(self, port, log):
        self.port = port
        self.log = log

    async def raw(self, data, *, answers=1, half_close=False):
        """Send bytes, return what came back until the connection closed or has been quiet."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        if half_close:
            writer.write_eof()
        received = b""
        try:
            while chunk := await asyncio.wait_for(reader.read(65536), 2 if not received else 0.15):
                received += chunk
        except TimeoutError:
            pass
        writer.close()
        return received.decode("latin-1")

    async def ask(self, method, path, headers=(), body=b""):
        """One request on a connection of its own."""
        lines = [f"{method} {path} HTTP/1.1", "Host: web.test", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        answer = await self.raw("\r\n".join([*lines, "", ""]).encode() + body)
        head, _, content = answer.partition("\r\n\r\n")
        status = int(head.split(" ")[1])
        names = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
        return status, names, content


@asynccontextmanager
async def serving(tmp_path, routes):
    """Serve routes behind the front door."""
    database = SqliteDatabase(DatabaseFiles(tmp_path / "main.db"))
    log = []
    dispatcher = Dispatcher(
        Router(bind_routes(routes, database)),
        Callers(),
        Cors(),
        database.on_pool,
        BODY_LIMIT,
        log.append,
    )
    config = uvicorn.Config(
        TrailApplication(dispatcher),
        http=front_door(dispatcher),
        lifespan="off",
        log_config=None,
        ws="none",
        timeout_keep_alive=1,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    running = asyncio.ensure_future(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    client = Client(listener.getsockname()[1], log)
    client.dispatcher = dispatcher
    yield client
    server.should_exit = True
    await running
    await database.close()


@pytest.fixture
async def client(tmp_path):
    async with serving(tmp_path, ROUTES) as client:
        yield client
