"""Replication of an open depot, with the real Litestream, and without any."""

import asyncio
import os
import time

import apsw
import pytest

from tests.pier import Pier
from trailbase_server.errors import OperatorError
from trailbase_server.replication import supervisor
from trailbase_server.replication.fetch import ReplicaReader
from trailbase_server.replication.settings import ReplicationSettings
from trailbase_server.replication.target import Directory
from trailbase_server.server import replication as module
from trailbase_server.server.running import background_work


@pytest.fixture
def pier(tmp_path):
    return Pier(tmp_path / "depot")


async def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def fetched(place, tmp_path, home, sql):
    """Ask a database as the replica has it."""
    target = tmp_path / f"fetched-{time.monotonic_ns()}.db"
    reader = ReplicaReader(ReplicationSettings(Directory(place)), tmp_path, {"PATH": ""})
    assert reader.fetch(home, target, None)
    connection = apsw.Connection(str(target))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_all_is_shipped_to_the_last_write_and_databases_may_come(pier, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WATCH_S", 0.1)
    place = tmp_path / "replica"
    async with pier.opened(replicate=f"file://{place}") as (depot, web), background_work(depot):
        await web.post("/api/records/v1/boat", json={"name": "first"})
        replication = depot.replication

        async def is_in_step():
            await replication.check()
            return replication.is_running and all(
                path in replication._lag._shipped
                for path in map(str, (depot.options.depot / "data").glob("*.db"))
                if not path.endswith("logs.db")
            )

        await until(is_in_step)
        finding = await replication.check()
        assert finding.state == "ok"
        assert finding.facts["lag_s"] < 20
        assert finding.facts["databases"] == 7
        assert (depot.options.depot / "data/own/litestream").stat().st_mode & 0o777 == 0o700

        pier.edit('databases: [{ name: "tide" }]', 'databases: [{ name: "tide" }, {name: "ebb"}]')
        pid = replication._supervisor.pid
        await depot.reload()

        async def is_renewed():
            return replication._supervisor.pid not in (None, pid) and await is_in_step()

        await until(is_renewed)
        assert replication.restarts == 0
        await web.post("/api/records/v1/boat", json={"name": "last"})
    assert not replication.is_running
    names = fetched(place, tmp_path, "main.db", "SELECT name FROM boat ORDER BY id")
    assert names == [("first",), ("last",)]
    assert fetched(place, tmp_path, "tide.db", "SELECT level FROM gauge") == [(2.5,)]
    assert fetched(place, tmp_path, "ebb.db", "SELECT count(*) FROM sqlite_schema") != []
    assert fetched(place, tmp_path, "own/audit.db", "SELECT count(*) FROM sqlite_schema") != []
    assert not (place / "logs").exists()


async def test_a_start_ships_what_is_new_and_not_everything(pier, tmp_path):
    place = tmp_path / "replica"

    def size():
        return sum(path.stat().st_size for path in (place / "main" / "ltx" / "0").iterdir())

    # The second start lets the engine gather statistics, which hold the long name once more.
    for count in range(1, 4):
        before = size() if count > 1 else 0
        async with pier.opened(replicate=str(place)) as (depot, web), background_work(depot):
            name = os.urandom(600_000).hex() if count == 1 else str(count)
            answer = await web.post("/api/records/v1/boat", json={"name": name})
            assert answer.status_code == 200
        shipped = size() - before
        assert count == 2 or (shipped > 500_000) == (count == 1), shipped
    sql = "SELECT length(name) FROM boat ORDER BY id"
    assert fetched(place, tmp_path, "main.db", sql) == [(1_200_000,), (1,), (1,)]


async def test_a_server_without_the_program_serves_on_and_says_so(pier, tmp_path, monkeypatch):
    def missing():
        raise OperatorError("litestream is not installed: pip install …")

    monkeypatch.setattr(module, "find_program", missing)
    monkeypatch.setattr(module, "WATCH_S", 0.05)
    monkeypatch.setattr(module, "DOWN_S", 0.2)
    async with (
        pier.opened(replicate=f"file://{tmp_path / 'replica'}") as (depot, web),
        background_work(depot),
    ):

        async def is_degraded():
            depot.readiness.forget()
            return (await web.get("/api/readyz")).json()["checks"]["replication"] == "degraded"

        await until(is_degraded)
        finding = await depot.replication.check()
        assert "pip install" in finding.message
        answer = await web.post("/api/records/v1/boat", json={"name": "one"})
        assert answer.status_code == 200

        async def is_ours_again():
            return not depot.database._checkpointer.is_left

        await until(is_ours_again)


async def test_a_place_that_cannot_be_reached_is_told(pier, monkeypatch):
    monkeypatch.setattr(module, "LATE_S", 0.5)
    monkeypatch.setattr(supervisor, "STOP_S", 0.5)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-test")
    nowhere = "s3://bucket/x?endpoint=http://127.0.0.1:9&region=eu-1"
    async with pier.opened(replicate=nowhere) as (depot, web), background_work(depot):

        async def is_late():
            finding = await depot.replication.check()
            return "nothing has reached the replica" in finding.message

        await until(is_late)
        assert (await web.get("/api/readyz")).status_code == 200
        answer = await web.post("/api/records/v1/boat", json={"name": "one"})
        assert answer.status_code == 200


async def test_a_sidecar_gets_the_checkpoints_and_is_watched(pier, monkeypatch):
    monkeypatch.setattr(module, "LATE_S", -1.0)
    async with pier.opened(replicate="sidecar") as (depot, _), background_work(depot):
        assert depot.database._checkpointer.is_left
        assert depot.replication.is_running
        assert depot.replication.restarts == 0
        finding = await depot.replication.check()
        assert finding.state == "degraded"
        assert "no answer" in finding.message


async def test_a_configuration_without_a_place_ends_the_start(pier):
    with pytest.raises(OperatorError, match=r"replication\.directory"):
        async with pier.opened(replicate="config") as (depot, _), background_work(depot):
            pass


async def test_a_long_path_has_a_socket_too(tmp_path):
    pier = Pier(tmp_path / ("d" * 90) / "depot")
    place = tmp_path / "replica"
    async with pier.opened(replicate=f"file://{place}") as (depot, _), background_work(depot):

        async def answers():
            await depot.replication.check()
            return depot.replication._lag.problem == ""

        await until(answers)
    names = fetched(place, tmp_path, "main.db", "SELECT count(*) FROM boat")
    assert names == [(0,)]
