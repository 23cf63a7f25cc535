"""Files that are much larger than what a server may take of the memory."""

import hashlib
import http.client
import os
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.test_upload_crash import API, make_depot
from tests.serving import Server

MIB = 1024 * 1024
SIZE_MIB = 120
GROWTH_MIB = 16  # of the process, whatever goes through it
LIMIT = "request_size_limit_bytes: 150000000"
HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nlarge\r\n--b\r\n'
    b'Content-Disposition: form-data; name="sheet"; filename="large.bin"\r\n\r\n'
)
HEADERS = {"content-type": "multipart/form-data; boundary=b"}


def peak_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def connect(port):
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60))


def upload(port, pieces, length=None):
    more = {} if length is None else {"content-length": str(length)}
    with connect(port) as connection:
        connection.request("POST", API, pieces, {**HEADERS, **more}, encode_chunked=length is None)
        answer = connection.getresponse()
        return answer.status, answer.read()


def download(port):
    digest = hashlib.sha256()
    with connect(port) as connection:
        connection.request("GET", f"{API}/2/file/sheet")
        answer = connection.getresponse()
        while chunk := answer.read(MIB):
            digest.update(chunk)
    return digest.digest()


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.timeout(120)
def test_memory_does_not_grow_with_what_goes_through(tmp_path):
    depot = make_depot(tmp_path / "depot")
    config = depot / "config.textproto"
    config.write_text(config.read_text().replace('"posters"', f'"posters" {LIMIT}'))
    piece = os.urandom(MIB)
    sent = hashlib.sha256()

    def pieces(count):
        yield HEAD
        for _ in range(count):
            sent.update(piece)
            yield piece
        yield b"\r\n--b--\r\n"

    with Server(depot) as server:
        # What an upload needs besides is loaded with the first one.
        assert upload(server.port, pieces(1))[0] == 200
        sent = hashlib.sha256()
        before = peak_mib(server.process.pid)
        assert upload(server.port, pieces(SIZE_MIB)) == (200, b'{"ids":["2"]}')
        assert download(server.port) == sent.digest()
        assert peak_mib(server.process.pid) - before < GROWTH_MIB

        status, text = upload(server.port, [HEAD], length=160_000_000)
        assert (status, text) == (413, b"length limit exceeded")
    files = [path.stat().st_size for path in (depot / "uploads").rglob("*") if path.is_file()]
    assert sorted(files) == [MIB, SIZE_MIB * MIB]
