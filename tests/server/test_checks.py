"""Each check tells good from bad; faults of a real machine are in ``tests/integration``."""

import asyncio
import time

import apsw
import pytest

from tests.pier import CONFIG
from trailbase_server.config.proto.config_pb2 import SystemJobId
from trailbase_server.errors import OperatorError
from trailbase_server.mail.envelope import Envelope
from trailbase_server.server import checks
from trailbase_server.sqlite import probe

ALL = {
    "main", "session", "disk", "logs", "config", "migrations", "storage", "mail", "backups",
}  # fmt: skip


async def details(depot):
    depot.readiness.forget()
    _, found = await depot.readiness.look()
    return found


async def test_a_sound_server_is_ready(pier):
    async with pier.opened() as (depot, _):
        status, found = await depot.readiness.look()
        assert set(found) >= ALL
        assert {name: it for name, it in found.items() if it.state != "ok"} == {}
        assert status == "ready"
        assert found["disk"].facts["data"]["free_bytes"] > 0
        assert found["config"].facts == {"hash": depot.config.hash, "is_edited": False}


@pytest.mark.parametrize(
    ("name", "check"), [("main", "main"), ("tide", "main"), ("session", "session")]
)
async def test_a_lock_that_is_held_makes_a_server_unavailable(pier, name, check, monkeypatch):
    monkeypatch.setattr(probe, "PROBE_TIMEOUT_MS", 10)
    async with pier.opened() as (depot, _):
        other = apsw.Connection(str(pier.root / "data" / f"{name}.db"))
        other.execute("BEGIN EXCLUSIVE")
        found = await details(depot)
        assert found[check].state == "failed"
        assert f"{name}.db" in found[check].message
        assert (await depot.readiness.look())[0] == "unavailable"
        other.execute("ROLLBACK")
        other.close()
        assert (await details(depot))[check].state == "ok"


async def test_an_edit_and_a_broken_reload_are_told(pier):
    async with pier.opened() as (depot, _):
        pier.write("config.textproto", CONFIG + "nonsense")
        assert (await details(depot))["config"].facts["is_edited"]
        with pytest.raises(OperatorError):
            await depot.reload()
        _, found = await depot.readiness.look()  # at once: what was found before is forgotten
        assert found["config"].state == "degraded"
        assert "nonsense" in found["config"].message
        pier.write("config.textproto", CONFIG)
        await depot.reload()
        assert (await details(depot))["config"].state == "ok"
        (pier.root / "config.textproto").unlink()
        assert (await details(depot))["config"].state == "failed"
        assert (await depot.readiness.look())[0] == "degraded"


async def test_migrations_that_wait_or_are_gone_are_told(pier):
    async with pier.opened() as (depot, _):
        path = pier.root / "migrations/tide/U1790000009__late.sql"
        pier.write("migrations/tide/U1790000009__late.sql", "CREATE TABLE late (id INTEGER)")
        found = await details(depot)
        assert found["migrations"].state == "degraded"
        assert "tide/U1790000009__late" in found["migrations"].message
        await depot.reload()
        assert (await details(depot))["migrations"].state == "ok"
        path.unlink()
        assert "missing" in (await details(depot))["migrations"].message


async def test_an_access_log_that_was_taken_away_is_begun_anew(pier):
    async with pier.opened() as (depot, web):
        await web.get("/api/healthcheck")
        depot.logs.flush()
        path = pier.root / "data" / "logs.db"
        for name in ("logs.db", "logs.db-wal", "logs.db-shm"):
            (pier.root / "data" / name).unlink()
        assert (await details(depot))["logs"].state == "degraded"
        await web.get("/api/healthcheck?second")
        await asyncio.to_thread(depot.logs.flush)
        assert (await details(depot))["logs"].state == "ok"
        with apsw.Connection(str(path)) as connection:
            rows = connection.execute("SELECT url FROM _logs").fetchall()
        assert rows == [("/api/healthcheck?second",)]
        connection.close()


async def test_rows_of_the_access_log_that_are_lost_are_told_for_a_while(pier, monkeypatch):
    async with pier.opened() as (depot, _):
        depot.logs.last_failure = (time.perf_counter(), "no room")
        assert (await details(depot))["logs"].message == "no room"
        assert (await details(depot))["logs"].facts == {"waiting": 0, "dropped": 0}
        monkeypatch.setattr(checks, "LOG_FAILURE_S", 0.0)
        assert (await details(depot))["logs"].state == "ok"


async def test_a_store_that_does_not_answer_is_told(pier, monkeypatch):
    async with pier.opened() as (depot, _):
        monkeypatch.setattr(checks, "NO_KEY", "present")
        (pier.root / "uploads").rename(pier.root / "elsewhere")
        found = await details(depot)
        assert found["disk"].state == "failed"
        (pier.root / "elsewhere").rename(pier.root / "uploads")


async def test_a_full_disk_is_told(pier, monkeypatch):
    async with pier.opened() as (depot, _):
        monkeypatch.setattr(checks, "probe_directory", lambda _: checks.Room(1, 10**12))
        assert (await details(depot))["disk"].state == "failed"
        monkeypatch.setattr(checks, "probe_directory", lambda _: checks.Room(10**8, 10**12))
        assert (await details(depot))["disk"].state == "degraded"


async def test_a_mail_that_waits_for_long_is_told(pier, monkeypatch):
    async with pier.opened() as (depot, _):
        envelope = Envelope("a@pier.test", "b@pier.test", b"x")
        await depot.mailer._outbox.enqueue("test", envelope)
        assert (await details(depot))["mail"].state == "ok"
        monkeypatch.setattr(checks, "STUCK_MAIL_S", -1)
        assert (await details(depot))["mail"].state == "degraded"


async def test_backups_that_should_be_there_are_missed(pier):
    async with pier.opened() as (depot, _):
        assert (await details(depot))["backups"].facts["interval_s"] is None
    backup = SystemJobId.Name(SystemJobId.BACKUP)
    jobs = f'jobs {{ system_jobs: [{{ id: {backup} schedule: "@hourly" disabled: false }}] }}'
    pier.write("config.textproto", CONFIG + jobs)
    async with pier.opened() as (depot, _):
        found = await details(depot)
        assert (found["backups"].state, found["backups"].facts["interval_s"]) == ("ok", 3600)
        depot.admin.started_at -= 2 * 3600 + 10
        assert (await details(depot))["backups"].state == "degraded"
