"""What Litestream says of itself, and what others may say on its socket."""

import asyncio
import json
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.replication import control
from trailbase_server.replication.control import NoAnswerError, ask_databases, parse_list, ship_now


@pytest.fixture
async def answering(tmp_path):
    """Serve the given bytes on a socket."""
    servers, released = [], asyncio.Event()

    async def serve(content, *, hang=False):
        async def answer(reader, writer):
            with suppress(OSError), closing(writer):
                await reader.read(10)
                writer.write(content)
                await writer.drain()
                if hang:
                    await released.wait()

        path = tmp_path / "l.sock"
        servers.append(await asyncio.start_unix_server(answer, str(path)))
        return path

    yield serve
    released.set()
    await asyncio.sleep(0.05)
    for server in servers:
        server.close()


async def test_moments_by_database(answering):
    body = {
        "databases": [
            {"path": "/d/main.db", "last_sync_at": "2026-09-21T14:13:20.123456789Z"},
            {"path": "/d/new.db", "status": "replicating"},
        ]
    }
    socket = await answering(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(body).encode())
    assert await ask_databases(socket) == {"/d/main.db": 1790000000.123456, "/d/new.db": None}


async def test_refusals_silence_and_nonsense_are_no_answer(answering, tmp_path, monkeypatch):
    monkeypatch.setattr(control, "ANSWER_S", 0.2)
    with pytest.raises(NoAnswerError, match="no answer"):
        await ask_databases(tmp_path / "none.sock")
    for content in (b"", b"HTTP/1.1 500 no\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\n[]"):
        with pytest.raises(NoAnswerError):
            await ask_databases(await answering(content))
    with pytest.raises(NoAnswerError):
        await ask_databases(await answering(b"HTTP/1.1 200 OK\r\n\r\n", hang=True))


async def test_an_endless_answer_is_cut(answering, monkeypatch):
    monkeypatch.setattr(control, "MAX_ANSWER_BYTES", 1000)
    socket = await answering(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 3_000_000)
    with pytest.raises(NoAnswerError):
        await ask_databases(socket)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_any_bytes_are_an_answer_or_none(body):
    with pytest.raises(NoAnswerError):
        parse_list(body)


async def test_shipping_ends_when_all_has_arrived_or_time_is_over(answering, tmp_path):
    database = tmp_path / "main.db"
    await ship_now(await answering(b"HTTP/1.0 200 OK\r\n\r\n{}"), database, 5)
    with pytest.raises(NoAnswerError):
        await ship_now(await answering(b"HTTP/1.0 500 no\r\n\r\n{}"), database, 5)
    with pytest.raises(NoAnswerError, match="time-out"):
        await ship_now(await answering(b"", hang=True), database, 0.1)
