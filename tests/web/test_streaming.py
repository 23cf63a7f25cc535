"""Event streams over real sockets, through both doors."""

import asyncio
import socket
import time

import pytest

from tests.web.conftest import echo, serving
from trailbase_server.records.realtime.subscriber import Subscriber
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route
from trailbase_server.web.sse import EVENT_STREAM

BOTH = pytest.mark.parametrize("door", ["/hot", "/cold"])


class Streams:
    """The streams that the server has opened."""

    def __init__(self):
        self.opened = []
        self.left = []

    async def open(self, state, request):
        await asyncio.sleep(0)
        stream = Subscriber(None, "", None, 0, None, time.perf_counter(), self.left.append)
        self.opened.append(stream)
        return Response(200, headers=list(EVENT_STREAM), feed=stream)

    def offer(self, *texts):
        for stream in self.opened:
            stream.offer([(1, text) for text in texts], {}, time.perf_counter())


@pytest.fixture
def streams():
    return Streams()


@pytest.fixture
async def client(tmp_path, streams):
    routes = (
        Route("GET", "/hot/feed", streams.open, hot=True),
        Route("GET", "/cold/feed", streams.open),
        Route("GET", "/hot/echo/{name}", echo, hot=True),
    )
    async with serving(tmp_path, routes) as client:
        yield client
        for stream in streams.opened:
            stream.end()


async def listen(client, door, more=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET %b/feed HTTP/1.1\r\nHost: h\r\n\r\n%b" % (door.encode(), more))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
    return head.decode(), reader, writer


async def body(reader, until):
    received = b""
    while until not in received:
        received += await asyncio.wait_for(reader.read(65536), 2)
    return received


@BOTH
async def test_a_stream_begins_at_once_and_events_follow(client, streams, door):
    head, reader, writer = await listen(client, door)
    assert head.startswith("HTTP/1.1 200")
    for line in ("content-type: text/event-stream", "cache-control: no-cache", "vary: origin",
                 "x-accel-buffering: no", "transfer-encoding: chunked"):  # fmt: skip
        assert f"\r\n{line}\r\n" in head
    assert "content-length" not in head
    assert await body(reader, b"\n\n") == b"8\r\n: ping\n\n\r\n"
    streams.offer(b"a", b"b")
    assert await body(reader, b"b2}") == b"16\r\ndata: a1}\n\ndata: b2}\n\n\r\n"
    writer.close()


@BOTH
async def test_the_end_of_a_stream_is_the_end_of_the_answer(client, streams, door):
    _, reader, writer = await listen(client, door)
    await body(reader, b"ping")
    streams.opened[0].end((1, b"last"))
    rest = await asyncio.wait_for(body(reader, b"0\r\n\r\n"), 2)
    assert b"data: last1}" in rest
    writer.close()


async def test_a_connection_is_closed_after_its_stream(client, streams):
    _, reader, writer = await listen(client, "/hot")
    streams.opened[0].end()
    assert (await asyncio.wait_for(reader.read(), 2)).endswith(b"0\r\n\r\n")
    writer.close()


@pytest.mark.case("T-58")
@BOTH
async def test_a_client_that_goes_is_noticed(client, streams, door):
    _, _, writer = await listen(client, door)
    writer.close()
    async with asyncio.timeout(2):
        while not streams.left:
            await asyncio.sleep(0.005)
    assert streams.left == streams.opened


@pytest.mark.case("T-58")
async def test_a_client_that_goes_before_the_answer_is_noticed(client, streams):
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET /hot/feed HTTP/1.1\r\nHost: h\r\n\r\n")
    writer.transport.abort()
    await asyncio.sleep(0.1)
    assert streams.left == streams.opened


async def test_what_is_pipelined_behind_a_stream_waits(client, streams):
    more = b"GET /hot/echo/a HTTP/1.1\r\nHost: h\r\n\r\n"
    _, reader, writer = await listen(client, "/hot", more)
    await body(reader, b"ping")
    streams.offer(b"event")
    assert b"HTTP/1.1" not in await body(reader, b"event1}")
    writer.close()


async def test_an_idle_stream_is_not_an_idle_connection(client, streams):
    """The keep-alive time-out of this server is one second."""
    _, reader, writer = await listen(client, "/hot")
    await asyncio.sleep(1.3)
    streams.offer(b"late")
    assert b"late1}" in await body(reader, b"late1}")
    writer.close()


async def test_a_client_that_does_not_read_costs_no_memory(client, streams):
    peer = socket.create_connection(("127.0.0.1", client.port))
    peer.sendall(b"GET /hot/feed HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(5):
        while not streams.opened:
            await asyncio.sleep(0.005)
        stream, piece = streams.opened[0], b"x" * 60_000
        while not stream.dropped:
            streams.offer(piece)
            await asyncio.sleep(0)
    assert stream.stuck_at is not None
    assert stream.queued <= 64

    # When it reads at last it gets what was queued, then the loss, then what is new.
    loop = asyncio.get_running_loop()
    peer.setblocking(False)
    received = b""
    async with asyncio.timeout(10):
        while b'"status":2' not in received:
            received = received[-100:] + await loop.sock_recv(peer, 1 << 20)
        streams.offer(b"new")
        while b"data: new" not in received:
            received = received[-100:] + await loop.sock_recv(peer, 1 << 20)
    assert stream.stuck_at is None
    peer.close()


async def test_a_client_that_is_cut_off_is_gone(client, streams):
    _, reader, writer = await listen(client, "/hot")
    streams.opened[0].cut()
    assert await asyncio.wait_for(reader.read(), 2) in (b"", b"8\r\n: ping\n\n\r\n")
    writer.close()


async def test_a_connection_knows_how_large_its_packets_are(client, streams):
    _, _, writer = await listen(client, "/hot")
    assert 500 < streams.opened[0]._outlet.packet_bytes() <= 65_536
    writer.close()


async def test_streams_are_logged_when_they_begin(client):
    _, _, writer = await listen(client, "/hot")
    assert [(entry[1], entry[3]) for entry in client.log] == [(200, "/hot/feed")]
    writer.close()
