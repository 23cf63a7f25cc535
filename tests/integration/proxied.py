"""What clients do through a proxy, the same for every proxy."""

import asyncio
import json
import sqlite3
import time

import httpx
import websockets

from tests.authority import Authority
from tests.serving import Server

RECORDS = "/api/records/v1"
TABLE = f"{RECORDS}/simple_strict_table"
FORGED = "203.0.113.9"
FORGERY = {
    "x-forwarded-for": FORGED,
    "x-real-ip": FORGED,
    "cf-connecting-ip": FORGED,
    "forwarded": f"for={FORGED};host=evil.test;proto=http",
    "x-forwarded-host": "evil.test",
}
CLIENT = "127.0.0.7"  # another address of this machine: neither the proxy's nor ours
UPLOAD_BYTES = 3_000_000
LATE_S = 2.0  # an event that takes longer has been waiting in a buffer
AUTHORITY = Authority()
TRUST = AUTHORITY.client_context()


class UnixServer(Server):
    """A server that listens on a Unix socket only."""

    def __init__(self, depot, path, *options):
        self.path = path
        super().__init__(depot, "--address", f"unix:{path}", *options)

    def _wait_until_healthy(self):
        end = time.monotonic() + 20
        while "Listening" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end
            time.sleep(0.05)


class Visitor:
    """A client behind a proxy that listens on a port of this machine."""

    def __init__(self, server, port):
        self.server = server
        self.url = f"https://localhost:{port}"
        self.web = httpx.Client(
            base_url=self.url,
            transport=httpx.HTTPTransport(verify=TRUST, local_address=CLIENT),
            timeout=10,
        )

    def log_in(self):
        answer = self.web.post(
            "/api/auth/v1/login", json={"email": "admin@localhost", "password": "secret"}
        )
        assert answer.status_code == 200
        self.token = answer.json()["auth_token"]
        self.web.headers["authorization"] = f"Bearer {self.token}"
        self.web.cookies.clear()

    def change_records(self):
        made = self.web.post(TABLE, json={"text_not_null": "a b&c"})
        assert made.status_code == 200
        place = f"{TABLE}/{made.json()['ids'][0]}"
        assert self.web.patch(place, json={"int_null": 3}).status_code == 200
        assert self.web.get(place).json()["int_null"] == 3
        found = self.web.get(f"{TABLE}?filter[text_not_null]=a%20b%26c").json()["records"]
        assert len(found) == 1
        assert self.web.delete(place).status_code == 200
        assert self.web.get(place).status_code == 404

    def hear_of_a_change(self):
        with self.web.stream("GET", f"{TABLE}/subscribe/*") as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            lines = stream.iter_lines()
            next(lines)
            begun = time.monotonic()
            self.post_beside({"text_not_null": "over a stream"})
            event = next(line for line in lines if "Insert" in line)
            assert time.monotonic() - begun < LATE_S
        assert "over a stream" in event

    async def talk_over_a_web_socket(self):
        address = f"{self.url.replace('https:', 'wss:')}{TABLE}/subscribe/*?ws=true"
        async with websockets.connect(address, ssl=TRUST) as socket, asyncio.timeout(10):
            await socket.send(json.dumps({"Init": {"auth_token": self.token}}))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(self.post_beside, {"text_not_null": "over a socket"})
            while "over a socket" not in await socket.recv():
                pass

    def upload(self):
        content = bytes(range(256)) * (UPLOAD_BYTES // 256)
        made = self.web.post(
            f"{RECORDS}/file_upload_table",
            data={"name": "large"},
            files={"single_file": ("large.bin", content)},
        )
        assert made.status_code == 200, made.text
        number = made.json()["ids"][0]
        got = self.web.get(f"{RECORDS}/file_upload_table/{number}/file/single_file")
        assert got.content == content
        part = self.web.get(
            f"{RECORDS}/file_upload_table/{number}/file/single_file",
            headers={"range": "bytes=10-19"},
        )
        assert part.content in (content[10:20], content)

    def is_known_by_its_own_address(self):
        path = f"{RECORDS}/movies?forged=1"
        assert self.web.get(path, headers=FORGERY).status_code == 200
        end = time.monotonic() + 10
        while True:
            found = self.logged("%forged=1")
            if found:
                break
            assert time.monotonic() < end, "nothing was logged"
            time.sleep(0.1)
        assert found == [(CLIENT,)]
        assert self.logged("%", FORGED) == []

    def is_where_the_proxy_says(self):
        """Redirects of forms stay on the origin that the browser has typed."""
        for target, status in ((f"{self.url}/done", 303), ("https://evil.test/done", 400)):
            answer = self.web.post(
                TABLE,
                headers=FORGERY,
                params={"redirect_uri": target},
                data={"text_not_null": "by a form"},
            )
            assert answer.status_code == status, answer.text
            assert answer.headers.get("location", target) == target

    def logged(self, url, address="%"):
        connection = sqlite3.connect(self.server.depot / "data" / "logs.db")
        try:
            return connection.execute(
                "SELECT client_ip FROM _logs WHERE url LIKE ? AND client_ip LIKE ?", (url, address)
            ).fetchall()
        finally:
            connection.close()

    def post_beside(self, record):
        """On another connection, while one is busy with a stream."""
        answer = httpx.post(self.url + TABLE, json=record, verify=TRUST, headers=self.web.headers)
        assert answer.status_code == 200

    def do_everything(self):
        with self.web:
            self.log_in()
            self.change_records()
            self.hear_of_a_change()
            asyncio.run(self.talk_over_a_web_socket())
            self.upload()
            self.is_known_by_its_own_address()
            self.is_where_the_proxy_says()


def until_open(process, port, log):
    """Wait until somebody listens there."""
    import socket

    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the proxy did not start:\n{log.read_text()}")
