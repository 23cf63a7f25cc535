"""
Replication with the real Litestream, to a directory and to a bucket of a real S3 server: servers
are killed under load, their data is wiped, and what comes back is measured.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import apsw
import httpx
import pytest

from tests.backups.conftest import prepare_for
from tests.integration.test_backup_crash import API, Writer, ask, log_in
from tests.pier import Pier
from tests.serving import TRAIL, Server
from tests.storage.conftest import make_bucket, serve_s3
from trailbase_server.backups.shelf import Shelf
from trailbase_server.replication.control import NoAnswerError, ask_databases
from trailbase_server.replication.program import find_program
from trailbase_server.server.replication import control_socket
from trailbase_server.sqlite.backup import find_damage

TIMEOUT_S = 40
# Everything happens on two busy cores; on a machine of one's own it is about one second.
MAX_LOSS_S = 5.0


@pytest.fixture
def pier():
    """A depot whose path is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="pier-") as root:
        yield Pier(Path(root) / "depot")


@pytest.fixture(params=["directory", "bucket"])
def place(request, pier, monkeypatch):
    """Where the replica goes."""
    if request.param == "directory":
        yield f"file://{pier.root.parent}/replica"
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id-of-the-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    with serve_s3() as s3:
        make_bucket(s3.url, "pier")
        yield f"s3://pier/replica?endpoint={s3.url}&region=us-east-1"


def trail(pier, *words, fails=False):
    done = subprocess.run(
        [TRAIL, "--depot", pier.root, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def child_of(server):
    """Process id of the server's Litestream."""
    path = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
    for pid in Path(path).read_text().split():
        if b"replicate" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return int(pid)
    return None


def until(condition, what):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def wait_until_shipped(pier):
    """Until all that is written by now has arrived."""
    began = time.time()
    socket = control_socket(pier.root)
    homes = ["main.db", "session.db", "tide.db", "own/accounts.db", "own/audit.db"]
    paths = [str(pier.root / "data" / home) for home in homes]

    def is_shipped():
        try:
            found = asyncio.run(ask_databases(socket))
        except NoAnswerError:
            return False
        return all((found.get(path) or 0) > began for path in paths)

    until(is_shipped, "the replica keeps up")


def wipe(pier):
    for name in ("data", "uploads"):
        shutil.rmtree(pier.root / name)


def names(pier):
    return [
        name for (name,) in ask(pier.root / "data/main.db", "SELECT name FROM boat ORDER BY id")
    ]


def put(server, name):
    assert httpx.post(f"{server.url}{API}", json={"name": name}).status_code == 200


@pytest.mark.timeout(180)
def test_killed_wiped_and_restored(pier, place):
    """Announced: nothing is lost. Unannounced: at most what was written in the last moments."""
    with Server(pier.root, "--replicate", place) as server:
        boss = log_in(server)
        writer = Writer(server.port)
        time.sleep(1)
        writer.stop()
        assert writer.failures == []
        wait_until_shipped(pier)
        os.kill(child_of(server), signal.SIGKILL)
        server.kill()
    acknowledged = writer.acknowledged
    before = sorted(ask(pier.root / "data/session.db", "SELECT hex(user) FROM _session"))
    assert before
    wipe(pier)
    trail(pier, "backups", "restore", "--at", "latest", "--from", place)
    assert names(pier) == [f"{count:06}" for count in range(1, acknowledged + 1)]
    sessions = ask(pier.root / "data/session.db", "SELECT hex(user) FROM _session")
    assert sorted(sessions) == before
    assert ask(pier.root / "data/tide.db", "SELECT level FROM gauge") == [(2.5,)]
    assert find_damage(pier.root / "data/main.db", prepare_for("main.db")) == []

    # The same place goes on, and the log-in of before is still good.
    with Server(pier.root, "--replicate", place) as server:
        assert "secret-of-the-test" not in server.log.read_text()
        answer = httpx.get(f"{server.url}/api/_admin/backups", headers=boss.headers)
        assert answer.status_code == 200
        until(lambda: child_of(server) is not None, "Litestream runs")
        writer = Writer(server.port)
        stamps = []
        end = time.monotonic() + 2
        while time.monotonic() < end:
            stamps.append((time.monotonic(), writer.acknowledged))
            time.sleep(0.01)
        os.kill(child_of(server), signal.SIGKILL)
        server.kill()
        killed = time.monotonic()
        writer.stop()
    wipe(pier)
    trail(pier, "backups", "restore", "--at", "latest", "--from", place)
    restored = names(pier)
    assert restored[:acknowledged] == [f"{count:06}" for count in range(1, acknowledged + 1)]
    later = len(restored) - acknowledged
    assert restored[acknowledged:] == [f"{count:06}" for count in range(1, later + 1)]
    # When had so many been acknowledged?
    newest = max((at for at, count in stamps if count <= later), default=stamps[0][0])
    assert killed - newest < MAX_LOSS_S, f"{killed - newest:.1f} s are gone"
    assert find_damage(pier.root / "data/main.db", prepare_for("main.db")) == []


@pytest.mark.timeout(180)
def test_a_moment_between_two_writes(pier):
    place = f"file://{pier.root.parent}/replica"
    with Server(pier.root, "--replicate", place) as server:
        put(server, "wanted")
        wait_until_shipped(pier)
        time.sleep(1.5)
        between = datetime.now(UTC).isoformat()
        time.sleep(1.5)
        put(server, "a mistake")
        assert "in use by another server" in trail(
            pier, "backups", "restore", "--at", between, "--from", place, fails=True
        )
        server.stop()
    assert names(pier) == ["wanted", "a mistake"]
    out = trail(pier, "backups", "restore", "--at", between, "--from", place, "--json")
    report = json.loads(out)
    assert {"main", "tide", "session", "accounts"} <= set(report["databases"])
    assert names(pier) == ["wanted"]
    assert report["safety"] is not None
    left = [name for name in os.listdir(pier.root / "backups") if name.startswith(".")]
    assert left == []
    # Another time line, in the same place.
    with Server(pier.root, "--replicate", place) as server:
        put(server, "instead")
        server.stop()
    trail(pier, "backups", "restore", "--at", "latest", "--from", place)
    assert names(pier) == ["wanted", "instead"]
    trail(pier, "backups", "restore", str(report["safety"]))
    assert names(pier) == ["wanted", "a mistake"]


@pytest.mark.timeout(120)
def test_a_killed_server_alone_loses_nothing(pier):
    """Its Litestream is told by the kernel, ships the rest, and the next one waits for it."""
    place = f"file://{pier.root.parent}/replica"
    with Server(pier.root, "--replicate", place) as server:
        wait_until_shipped(pier)
        for number in range(20):
            put(server, str(number))
        server.kill()
    with Server(pier.root, "--replicate", place) as server:
        assert len(httpx.get(f"{server.url}{API}").json()["records"]) == 20
        wait_until_shipped(pier)
        server.stop()
    with tempfile.TemporaryDirectory() as elsewhere:
        other = Pier(Path(elsewhere) / "depot")
        trail(other, "backups", "restore", "--from", place)
        assert names(other) == [str(number) for number in range(20)]


@pytest.mark.timeout(120)
def test_litestream_that_dies_is_started_again_while_requests_are_served(pier):
    place = f"file://{pier.root.parent}/replica"
    with Server(pier.root, "--replicate", place) as server:
        wait_until_shipped(pier)
        first = child_of(server)
        os.kill(first, signal.SIGKILL)

        def is_degraded():
            answer = httpx.get(f"{server.url}/api/readyz")
            return answer.status_code == 200 and answer.json()["checks"]["replication"] != "ok"

        until(is_degraded, "readiness tells")
        put(server, "meanwhile")
        until(lambda: child_of(server) not in (None, first), "it runs again")
        wait_until_shipped(pier)
        assert httpx.get(f"{server.url}/api/readyz").status_code == 200
        server.stop()
        assert "Litestream ended with status -9" in server.log.read_text()


@pytest.mark.timeout(120)
def test_a_restore_under_the_running_server_is_shipped_like_any_write(pier):
    place = f"file://{pier.root.parent}/replica"
    with Server(pier.root, "--replicate", place) as server, log_in(server) as boss:
        put(server, "kept")
        assert boss.post("/api/_admin/backups/trigger").status_code == 200
        [made] = [backup.timestamp for backup in Shelf(pier.root / "backups").list()]
        put(server, "gone")
        wait_until_shipped(pier)
        answer = boss.patch("/api/_admin/backups/restore", json={"timestamp": made})
        assert answer.status_code == 200
        put(server, "later")
        server.stop()
    wipe(pier)
    trail(pier, "backups", "restore", "--from", place)
    assert names(pier) == ["kept", "later"]


@pytest.mark.timeout(120)
def test_a_sidecar(pier):
    """Litestream beside the server, with the configuration that the server prints."""
    pier.edit("server {", f'replication {{ directory: "{pier.root.parent}/replica" }}\nserver {{')
    with Server(pier.root, "--replicate", "sidecar") as server:
        config = pier.root.parent / "litestream.yml"
        config.write_text(trail(pier, "replicate", "config"))
        command = [find_program(), "replicate", "-no-expand-env", "-config", config]
        with (pier.root.parent / "sidecar.log").open("wb") as log:
            sidecar = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            put(server, "one")
            wait_until_shipped(pier)
            answer = httpx.get(f"{server.url}/api/readyz")
            assert answer.json()["checks"]["replication"] == "ok"
            server.stop()
        finally:
            sidecar.terminate()
            sidecar.wait()
    wipe(pier)
    trail(pier, "backups", "restore", "--from", "config")
    assert names(pier) == ["one"]


@pytest.mark.timeout(60)
def test_the_log_stays_bounded_under_load(pier):
    place = f"file://{pier.root.parent}/replica"
    with Server(pier.root, "--replicate", place) as server, httpx.Client() as client:
        for _ in range(30):
            for _ in range(10):
                answer = client.post(f"{server.url}{API}", json={"name": "x" * 100_000})
                assert answer.status_code == 200
            time.sleep(0.1)
        # 30 MB have gone through a log of 4 MB.
        size = (pier.root / "data/main.db-wal").stat().st_size
        server.stop()
    assert size < 25_000_000
    connection = apsw.Connection(str(pier.root / "data/main.db"))
    assert connection.execute("SELECT count(*) FROM boat").fetchall() == [(300,)]
    connection.close()
