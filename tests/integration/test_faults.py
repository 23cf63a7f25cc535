"""What can go wrong with a real machine under a running server, and that it passes."""

import contextlib
import signal
import threading
import time

import apsw
import httpx
import pytest

from tests.confined import (
    POWERLESS,
    need_mounts,
    open_directory,
    seen_by,
    small_disk,
)
from tests.integration.test_read_only import sign_in, start
from tests.pier import CONFIG, Pier
from tests.serving import Server
from trailbase_server.sqlite import turns

BOATS = "/api/records/v1/boat"
PATIENCE_S = 40


@pytest.fixture
def pier():
    with open_directory() as directory:
        yield Pier(directory / "depot")


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def ready(web):
    answer = web.get("/api/readyz")
    assert answer.status_code == (200 if answer.json()["status"] in ("ready", "degraded") else 503)
    return answer.json()


def failed(web):
    return {name for name, state in ready(web)["checks"].items() if state == "failed"}


def fill(path):
    """Write until there is no room left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 65536)


@pytest.mark.case("T-90")
def test_a_full_disk_refuses_writes_answers_reads_and_passes(pier):
    need_mounts()
    data = pier.root / "data"
    data.mkdir()
    with (
        Server(pier.root, prefix=small_disk(data, "48m")) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_S) as web,
    ):
        assert failed(web) == set()
        acknowledged = 0
        assert web.post(BOATS, json={"name": "first"}).status_code == 200
        filler = seen_by(server.process, data / "filler")
        fill(filler)
        answers = []
        while True:
            answers.append(web.post(BOATS, json={"name": "x" * 100_000}))
            if answers[-1].status_code != 200:
                break
            acknowledged += 1
        assert answers[-1].status_code == 503
        assert answers[-1].headers["retry-after"]
        until(lambda: "disk" in failed(web))
        assert ready(web)["status"] == "unavailable"
        assert web.get(f"{BOATS}?limit=1").status_code == 200
        assert web.get("/api/healthcheck").status_code == 200
        filler.unlink()
        until(lambda: failed(web) == set())
        assert web.post(BOATS, json={"name": "last"}).status_code == 200
        total = web.get(f"{BOATS}?count=true&limit=1").json()["total_count"]
        assert total == acknowledged + 2
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_start_on_a_full_disk_says_so(pier):
    need_mounts()
    data = pier.root / "data"
    data.mkdir()
    status, message = start(pier, small_disk(data, "4m", is_full=True))
    assert status == 1
    assert "disk is full" in message.splitlines()[-1]


def test_a_database_that_somebody_locks_is_told_and_waited_for(pier):
    with (
        Server(pier.root) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_S) as web,
    ):
        other = apsw.Connection(str(pier.root / "data" / "main.db"))
        other.execute("BEGIN EXCLUSIVE")
        answers = []
        write = threading.Thread(
            target=lambda: answers.append(
                httpx.post(server.url + BOATS, json={"name": "Ada"}, timeout=PATIENCE_S)
            )
        )
        write.start()
        until(lambda: "main" in failed(web))
        assert web.get(f"{BOATS}?limit=1").status_code == 200
        other.execute("ROLLBACK")
        other.close()
        write.join()
        assert answers[0].status_code == 200
        until(lambda: failed(web) == set())


async def test_whoever_cannot_be_waited_for_any_longer_is_told_to_come_again(pier, monkeypatch):
    monkeypatch.setattr(turns, "BUSY_TIMEOUT_MS", 50)
    async with pier.opened() as (_, web):
        with contextlib.closing(apsw.Connection(str(pier.root / "data" / "main.db"))) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer = await web.post(BOATS, json={"name": "Ada"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            other.execute("ROLLBACK")
        assert (await web.post(BOATS, json={"name": "Ada"})).status_code == 200


@pytest.mark.case("T-90")
def test_data_that_become_read_only_are_told_and_pass(pier):
    data = pier.root / "data"
    with (
        Server(pier.root, prefix=POWERLESS) as server,
        httpx.Client(base_url=server.url) as web,
    ):
        files = list(data.rglob("*.db"))
        directories = [data, data / "own"]
        for path in (*files, *directories):
            path.chmod(0o444 if path.is_file() else 0o555)
        until(lambda: failed(web) >= {"main", "session", "disk"})
        assert web.get(f"{BOATS}?limit=1").status_code == 200
        status, _ = start(pier, POWERLESS)
        assert status == 1
        for path in (*files, *directories):
            path.chmod(0o644 if path.is_file() else 0o755)
        until(lambda: failed(web) == set())
        assert web.post(BOATS, json={"name": "Ada"}).status_code == 200


def test_a_corrupt_access_log_is_told_at_the_start_and_can_be_taken_away(pier):
    with Server(pier.root):
        pass
    path = pier.root / "data" / "logs.db"
    path.write_bytes(b"no database at all " * 500)
    status, message = start(pier, ())
    assert status == 1
    assert "logs.db" in message.splitlines()[-1]
    path.unlink()
    with Server(pier.root) as server, httpx.Client(base_url=server.url) as web:
        assert ready(web)["checks"]["logs"] == "ok"


@pytest.mark.case("T-94")
def test_a_broken_configuration_leaves_the_old_one_in_service(pier):
    with Server(pier.root) as server, httpx.Client(base_url=server.url) as web:
        pier.write("config.textproto", CONFIG.replace('table_name: "boat"', 'table_name: "ship"'))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: ready(web)["checks"]["config"] == "degraded")
        assert ready(web)["status"] == "degraded"
        assert "ship" not in web.get("/api/readyz").text
        assert web.post(BOATS, json={"name": "Ada"}).status_code == 200
        sign_in(web)
        assert "ship" in web.get("/api/readyz").json()["details"]["config"]["message"]
        pier.write("config.textproto", CONFIG)
        for _ in range(100):
            server.process.send_signal(signal.SIGHUP)
        until(lambda: ready(web)["status"] == "ready")
        assert web.get("/api/_admin/reload").json()["last"]["ok"]
