"""``kill -9`` during uploads: no record without its file, no file without its record."""

import hashlib
import http.client
import json
import os
import threading
import time

import apsw
import httpx
import pytest

from tests.serving import Server

KILLS = 20
WRITERS = 3
LOAD_S = 0.2
SIZE = 300_000  # bytes: goes through the spool
API = "/api/records/v1/poster"
MIGRATION = """
CREATE TABLE poster (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  sheet TEXT CHECK (jsonschema('std.FileUpload', sheet)),
  more TEXT CHECK (jsonschema('std.FileUploads', more))) STRICT;
"""
CONFIG = """
email {} auth {} jobs {}
server { application_name: "posters" }
record_apis { name: "poster" table_name: "poster" acl_world: [CREATE, READ, UPDATE, DELETE] }
"""


def make_depot(path):
    (path / "migrations" / "main").mkdir(parents=True)
    (path / "migrations" / "main" / "U1700000000__poster.sql").write_text(MIGRATION)
    (path / "config.textproto").write_text(CONFIG)
    return path


def form(name, content):
    head = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'.format("name", name)
    file = '--b\r\nContent-Disposition: form-data; name="{}"; filename="f.bin"\r\n\r\n'
    body = head.encode()
    for column in ("sheet", "more"):
        body += file.format(column).encode() + content + b"\r\n"
    return body + b"--b--\r\n"


class Load:
    """Writers that create, replace and delete until the server is gone."""

    def __init__(self, port, first):
        self.acknowledged = {}
        self.touched = set()
        self.refused = []
        self._port = port
        self._threads = [
            threading.Thread(target=self._work, args=(f"{first}-{n}",)) for n in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, connection, method, path, body=None, kind="multipart/form-data; boundary=b"):
        connection.request(method, path, body, {"content-type": kind})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            self.refused.append((answer.status, content))
            raise OSError
        return content

    def _work(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        number = 0
        try:
            while True:
                number += 1
                content = os.urandom(SIZE)
                answer = self._ask(connection, "POST", API, form(f"{name} {number}", content))
                (record,) = json.loads(answer)["ids"]
                self.acknowledged[record] = hashlib.sha256(content).digest()
                if number % 3 == 1:
                    self.touched.add(record)
                    self._ask(connection, "PATCH", f"{API}/{record}", form("new", content[::-1]))
                elif number % 3 == 2:
                    self.touched.add(record)
                    self._ask(connection, "DELETE", f"{API}/{record}")
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def join(self):
        for thread in self._threads:
            thread.join()


@pytest.mark.case("T-68", "T-89")
@pytest.mark.timeout(120)
def test_rows_and_files_agree_after_every_crash(tmp_path):
    depot = make_depot(tmp_path / "depot")
    acknowledged = {}
    for number in range(KILLS):
        server = Server(depot)
        load = Load(server.port, number)
        time.sleep(LOAD_S)
        server.kill()
        load.join()
        assert load.refused == []
        settled = load.acknowledged.keys() - load.touched
        acknowledged.update({record: load.acknowledged[record] for record in settled})
        # Nothing that a record refers to is missing, at any time.
        assert referred(depot) - stored(depot) == set()
    assert acknowledged
    with Server(depot) as server:
        wait_until_tidy(depot)
        assert referred(depot) == stored(depot)
        for record, digest in list(acknowledged.items())[-20:]:
            answer = httpx.get(f"{server.url}{API}/{record}/file/sheet")
            assert hashlib.sha256(answer.content).digest() == digest
    assert list((depot / "uploads" / ".incoming").iterdir()) == []


def rows(depot, sql):
    path = str(depot / "data" / "main.db")
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def referred(depot):
    values = [
        json.loads(text) for row in rows(depot, "SELECT sheet, more FROM poster") for text in row
    ]
    return {e["id"] for value in values for e in (value if isinstance(value, list) else [value])}


def stored(depot):
    return {path.name for path in (depot / "uploads").iterdir() if path.is_file()}


def wait_until_tidy(depot):
    for _ in range(100):
        if not rows(depot, "SELECT 1 FROM _file_deletions LIMIT 1"):
            return
        time.sleep(0.1)
    raise AssertionError("what the crashes left is not tidied up")
