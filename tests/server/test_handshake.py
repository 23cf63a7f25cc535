import asyncio
import errno
import socket
import ssl

import pytest

from tests.authority import Authority, store
from trailbase_server.server import handshake
from trailbase_server.server.certificate import TlsFiles
from trailbase_server.server.handshake import EncryptedServer
from trailbase_server.server.tls import Certificates
from trailbase_server.web.gate import Gate
from trailbase_server.web.proxies import NOBODY, parse_proxies

AUTHORITY = Authority()
TRUST = AUTHORITY.client_context()


class Echo(asyncio.Protocol):
    """What takes over: says hello, and everything again."""

    made = 0

    def connection_made(self, transport):
        type(self).made += 1
        self.transport = transport
        transport.write(b"hello ")

    def data_received(self, data):
        self.transport.write(data)

    def eof_received(self):
        self.transport.write(b" bye")


class Room:
    def __init__(self, folder, *, most=100, most_per_address=100, proxies=NOBODY):
        self.certificates = Certificates(TlsFiles(*store(folder, *AUTHORITY.issue())))
        self.certificates.load()
        Echo.made = 0
        self.proxies = proxies
        self.gate = Gate(most, most_per_address)

    async def __aenter__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        context = self.certificates.context
        self.server = EncryptedServer(listener, context, Echo, self.gate, self.proxies)
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.server.close()
        self.server.give_up()
        await asyncio.sleep(0.05)

    async def silent(self):
        """A client that connects and says nothing."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return writer

    async def open(self):
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=TRUST, server_hostname="localhost"
        )


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_real_protocol_takes_over_an_encrypted_connection(tmp_path):
    async with Room(tmp_path) as room:
        reader, writer = await room.open()
        writer.write(b"world")
        assert await reader.readexactly(11) == b"hello world"
        assert room.gate.count == 0  # the real protocol counts itself
        assert room.server.pending == set()
        writer.close()


async def test_what_comes_with_the_end_of_the_handshake_is_not_lost(tmp_path):
    """Last message of the handshake and first data in one packet."""
    async with Room(tmp_path) as room:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = TRUST.wrap_bio(incoming, outgoing, server_hostname="localhost")
        reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
        while True:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
            else:
                break
        client.write(b"at once")
        writer.write(outgoing.read())
        answer = b""
        while len(answer) < len(b"hello at once"):
            try:
                answer += client.read(100)
            except ssl.SSLWantReadError:
                incoming.write(await reader.read(65536))
        assert answer == b"hello at once"
        writer.close()


async def test_who_is_in_the_middle_of_it_is_counted(tmp_path):
    async with Room(tmp_path, most=3) as room:
        silent = [await room.silent() for _ in range(3)]
        await until(lambda: room.gate.count == 3)
        with pytest.raises((ssl.SSLError, OSError)):
            await room.open()
        assert room.gate.refused == 1
        for writer in silent:
            writer.close()
        await until(lambda: room.gate.count == 0)
        _, writer = await room.open()
        writer.close()


@pytest.mark.parametrize(("trusted", "count"), [("none", 2), ("127.0.0.1", 5)])
async def test_an_address_has_its_share_unless_it_is_a_proxys(tmp_path, trusted, count):
    proxies = parse_proxies([trusted])
    async with Room(tmp_path, most_per_address=2, proxies=proxies) as room:
        silent = [await room.silent() for _ in range(5)]
        await until(lambda: room.gate.count + room.gate.refused == 5)
        assert room.gate.count == count
        for writer in silent:
            writer.close()


async def test_a_client_has_only_so_much_time(tmp_path, monkeypatch):
    monkeypatch.setattr(handshake, "HANDSHAKE_S", 0.1)
    async with Room(tmp_path) as room:
        reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
        writer.write(b"\x16\x03\x01\x02\x00\x01")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert room.gate.count == 0
        writer.close()


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x80" * 5000, b"\x16"]
)
async def test_nonsense_and_goodbyes_leave_nothing_behind(tmp_path, data, caplog):
    async with Room(tmp_path) as room:
        for is_abrupt in (False, True):
            _, writer = await asyncio.open_connection("127.0.0.1", room.port)
            writer.write(data)
            await asyncio.sleep(0.02)
            if is_abrupt:
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # reset instead of end
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.close()
        await until(lambda: room.gate.count == 0)
        assert room.server.pending == set()
        assert Echo.made == 0
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_closing_gives_up_those_that_are_not_complete(tmp_path):
    async with Room(tmp_path) as room:
        reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
        await until(lambda: room.gate.count == 1)
        room.server.give_up()
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        await until(lambda: room.gate.count == 0)
        writer.close()


async def test_without_descriptors_there_is_a_pause_and_a_line(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(handshake, "PAUSE_S", 0.1)

    class Exhausted:
        attempts = 0

        def __init__(self, listener):
            self.listener = listener

        def __getattr__(self, name):
            return getattr(self.listener, name)

        def accept(self):
            Exhausted.attempts += 1
            if Exhausted.attempts == 1:
                raise OSError(errno.EMFILE, "Too many open files")
            return self.listener.accept()

    async with Room(tmp_path) as room:
        room.server._listener = Exhausted(room.server._listener)
        reader, writer = await room.open()
        assert await reader.readexactly(6) == b"hello "
        writer.close()
    assert caplog.text.count("Too many open files") == 1
