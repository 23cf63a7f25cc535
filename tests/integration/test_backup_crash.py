"""``kill -9`` in the middle of backups and restores, and a restore elsewhere under write load."""

import http.client
import json
import os
import subprocess
import threading
import time
from contextlib import closing

import apsw
import httpx
import pytest

from tests.backups.conftest import prepare_for
from tests.pier import Pier
from tests.serving import TRAIL, Server
from trailbase_server.backups.shelf import Shelf
from trailbase_server.backups.sources import STAGING
from trailbase_server.sqlite.backup import find_damage

API = "/api/records/v1/boat"
ADMIN = "/api/_admin/backups"
FILLER = 16_000_000  # bytes: so that copying takes long enough to be interrupted
KILLS = 3
STEP_S = 0.02


@pytest.fixture
def depot(tmp_path):
    pier = Pier(tmp_path / "depot")
    with Server(pier.root):
        pass
    return pier.root


def ask(path, sql):
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(5000)
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def fill(depot):
    ask(depot / "data" / "main.db", f"CREATE TABLE filler AS SELECT randomblob({FILLER}) AS b")


def log_in(server):
    body = {"email_or_username": "boss@pier.test", "password": "rope-and-anchor"}
    tokens = httpx.post(f"{server.url}/api/auth/v1/login", json=body).json()
    headers = {
        "authorization": f"Bearer {tokens['auth_token']}",
        "csrf-token": tokens["csrf_token"],
    }
    return httpx.Client(base_url=server.url, headers=headers, timeout=60)


def trail(depot, *words):
    command = [TRAIL, "--depot", depot, "backups", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Writer:
    """Creates numbered boats, one after the other, until it is told to stop or cannot go on."""

    def __init__(self, port):
        self.acknowledged = 0
        self.failures = []
        self._stop = threading.Event()
        self._port = port
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with closing(connection):
            self._create(connection)

    def _create(self, connection):
        headers = {"content-type": "application/json"}
        while not self._stop.is_set():
            body = json.dumps({"name": f"{self.acknowledged + 1:06}"})
            try:
                connection.request("POST", API, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status != 200:
                self.failures.append((answer.status, content))
                return
            self.acknowledged += 1

    def stop(self):
        self._stop.set()
        self._thread.join()


@pytest.mark.case("T-100")
@pytest.mark.timeout(120)
def test_a_backup_made_under_load_is_whole_elsewhere(depot, tmp_path):
    with Server(depot) as server, log_in(server) as boss:
        writer = Writer(server.port)
        before, after = [], []
        for _ in range(3):
            before.append(writer.acknowledged)
            answer = boss.post(f"{ADMIN}/trigger")
            assert answer.status_code == 200
            after.append(writer.acknowledged)
        # So does a command beside the server.
        before.append(writer.acknowledged)
        trail(depot, "trigger")
        after.append(writer.acknowledged)
        writer.stop()
    assert writer.failures == []
    assert after[0] > before[0], "writers go on beside a backup"
    made = Shelf(depot / "backups").list()
    for number, backup in enumerate(made):
        new = tmp_path / f"new{number}"
        trail(new, "restore", str(backup.timestamp), "--from", str(depot / "backups"))
        names = [
            name for (name,) in ask(new / "data" / "main.db", "SELECT name FROM boat ORDER BY id")
        ]
        # All that was acknowledged before it began, nothing in between missing.
        assert names == [f"{count:06}" for count in range(1, len(names) + 1)]
        assert before[number] <= len(names) <= after[number] + 1
    with Server(new) as server, log_in(server) as boss:
        assert boss.get(ADMIN).json() == {"backups": []}
        assert len(httpx.get(f"{server.url}{API}?limit=1000").json()["records"]) > 0


@pytest.mark.timeout(120)
def test_a_backup_that_is_killed_is_none_and_stands_in_nobodys_way(depot):
    fill(depot)
    for number in range(KILLS):
        process = subprocess.Popen(
            [TRAIL, "--depot", depot, "backups", "trigger"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 20
        while not unfinished(depot) and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(number * STEP_S)
        process.kill()
        process.wait()
        for backup in Shelf(depot / "backups").list():
            trail(depot, "verify", str(backup.timestamp))
    done = len(Shelf(depot / "backups").list())
    trail(depot, "trigger")
    assert len(Shelf(depot / "backups").list()) == done + 1
    assert unfinished(depot) == []


def unfinished(depot):
    directory = depot / "backups"
    return [name for name in os.listdir(directory) if name[0] == "."] if directory.exists() else []


@pytest.mark.timeout(180)
def test_a_server_that_is_killed_while_it_restores_comes_back_whole(depot):
    fill(depot)
    ask(depot / "data" / "tide.db", "UPDATE gauge SET level = 1")
    trail(depot, "trigger")
    [backup] = Shelf(depot / "backups").list()
    outcomes = set()
    for number in range(KILLS):
        ask(depot / "data" / "main.db", "INSERT INTO boat (name) VALUES ('later')")
        ask(depot / "data" / "tide.db", "UPDATE gauge SET level = 2")
        with Server(depot) as server, log_in(server) as boss:
            thread = threading.Thread(target=restore, args=(boss, backup.timestamp))
            thread.start()
            plan = depot / "data" / STAGING / "plan.json"
            staged = depot / "data" / STAGING / "main.db"
            wanted = staged if number % 3 == 0 else plan
            end = time.monotonic() + 30
            while not wanted.exists() and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(number * STEP_S)
            server.kill()
            thread.join()
        with Server(depot):
            pass
        assert not (depot / "data" / STAGING).exists()
        boats = ask(depot / "data" / "main.db", "SELECT count(*) FROM boat")[0][0]
        level = ask(depot / "data" / "tide.db", "SELECT level FROM gauge")[0][0]
        # Both of before, or both of the backup.
        assert (boats > 0) == (level == 2), number
        assert find_damage(depot / "data" / "main.db", prepare_for("main.db")) == []
        outcomes.add(boats > 0)
    assert False in outcomes, "at least one was finished by the next start"


def restore(boss, timestamp):
    try:
        boss.patch(f"{ADMIN}/restore", json={"timestamp": timestamp})
    except httpx.HTTPError:
        return
