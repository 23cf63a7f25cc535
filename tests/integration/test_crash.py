"""``kill -9`` in the middle of a write load: acknowledged records survive, and only whole ones."""

import http.client
import json
import threading
import time
from collections import Counter

import apsw
import httpx
import pytest

from tests.integration.conftest import HERE
from tests.serving import Server, copy_depot

KILLS = 20
WRITERS = 4
ROWS = 3  # per request, in one transaction
LOAD_S = 0.15
API = "/api/records/v1/simple_strict_table"


class Load:
    """Writers that create a few rows with one tag per request until the server is gone."""

    def __init__(self, port, token, first):
        self.sent = []
        self.acknowledged = []
        self.refused = []
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._port = port
        self._threads = [
            threading.Thread(target=self._write, args=(f"{first}-{n}",)) for n in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        number = 0
        while True:
            number += 1
            tag = f"crash {name} {number}"
            self.sent.append(tag)
            try:
                body = json.dumps([{"text_not_null": tag}] * ROWS)
                connection.request("POST", API, body, self._headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                break
            if answer.status != 200:
                self.refused.append(answer.status)
                break
            self.acknowledged.append(tag)
        connection.close()

    def join(self):
        for thread in self._threads:
            thread.join()


@pytest.mark.case("T-89")
@pytest.mark.timeout(120)
def test_acknowledged_records_survive_and_none_is_there_in_part(tmp_path):
    depot = copy_depot(HERE / "depot", tmp_path / "depot")
    token = None
    acknowledged, sent = [], []
    for number in range(KILLS):
        server = Server(depot)
        if token is None:
            login = {"email_or_username": "admin@localhost", "password": "secret"}
            answer = httpx.post(f"{server.url}/api/auth/v1/login", json=login)
            token = answer.json()["auth_token"]
        load = Load(server.port, token, number)
        time.sleep(LOAD_S)
        server.kill()
        load.join()
        assert load.refused == []
        assert load.acknowledged, "the server was killed before it did anything"
        acknowledged += load.acknowledged
        sent += load.sent
    with Server(depot):
        found = rows_by_tag(depot)
    assert {tag for tag in acknowledged if found[tag] != ROWS} == set()
    assert {tag: found[tag] for tag in sent if found[tag] not in (0, ROWS)} == {}
    assert set(found) <= set(sent)


def rows_by_tag(depot):
    path = depot / "data" / "main.db"
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    sql = "SELECT text_not_null FROM simple_strict_table WHERE text_not_null LIKE 'crash %'"
    found = Counter(row[0] for row in connection.execute(sql))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return found
