"""The system's jobs: when they run, and what each does to a depot."""

import asyncio

import apsw
import pytest

from tests.pier import Pier
from trailbase_server.auth import accounts
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.proto.config_pb2 import SystemJobId
from trailbase_server.server.jobs import run_jobs
from trailbase_server.storage.deletions import announce_uploads, queue_name
from trailbase_server.storage.metadata import render_metadata

DAY_S = 24 * 3600


@pytest.fixture
async def depot(tmp_path):
    async with Pier(tmp_path / "depot").opened() as (opened, _web):
        yield opened


async def run(depot, job_id):
    result = await depot.scheduler.run(job_id)
    assert result.error is None
    return result


async def test_a_beat_is_all_that_the_heartbeat_does(depot):
    await run(depot, SystemJobId.HEARTBEAT)


async def log_row(depot, age_s):
    at = SYSTEM_CLOCK.now() - age_s
    connection = apsw.Connection(str(depot.options.depot / "data" / "logs.db"))
    connection.execute("INSERT INTO _logs (created, url) VALUES (?1, ?2)", (at, str(age_s)))
    connection.close()


def log_rows(depot):
    connection = apsw.Connection(str(depot.options.depot / "data" / "logs.db"))
    rows = [int(url) for (url,) in connection.execute("SELECT url FROM _logs ORDER BY created")]
    connection.close()
    return rows


@pytest.mark.parametrize(
    ("retention", "left"),
    [("", [6 * DAY_S, 10]), ("logs_retention_sec: 100", [10]), ("logs_retention_sec: 0", None)],
)
async def test_old_rows_of_the_access_log_go(tmp_path, retention, left):
    pier = Pier(tmp_path / "depot")
    pier.edit("server {", f"server {{ {retention} ")
    async with pier.opened() as (depot, _):
        ages = [8 * DAY_S, 6 * DAY_S, 10]
        for age_s in ages:
            await log_row(depot, age_s)
        await run(depot, SystemJobId.LOG_CLEANER)
        assert log_rows(depot) == (left or ages)


async def test_sessions_that_are_over_go(depot):
    await accounts.mint_tokens(
        depot.auth, await accounts.find_account(depot.auth, "boss@pier.test")
    )
    count = "SELECT count(*) FROM _session"
    await run(depot, SystemJobId.AUTH_CLEANER)
    assert depot.session_database.read(count) == [(1,)]
    await depot.session_database.write(end_all_sessions)
    await run(depot, SystemJobId.AUTH_CLEANER)
    assert depot.session_database.read(count) == [(0,)]


def end_all_sessions(tx):
    tx.run("UPDATE _session SET expires = 1")


async def test_anonymous_accounts_that_nobody_can_enter_any_more_go(depot):
    await depot.database.write(add_anonymous)
    await run(depot, SystemJobId.ANONYMOUS_CLEANER)
    assert depot.database.read("SELECT email FROM _user WHERE email IS NULL") == []
    assert depot.database.read("SELECT email FROM _user WHERE email LIKE 'boss%'") != []


def add_anonymous(tx):
    tx.run("INSERT INTO _user (username, created) VALUES ('drifter', 1)")


async def test_the_query_planner_learns_what_is_in_every_database(depot):
    await depot.database.write(fill)
    await run(depot, SystemJobId.QUERY_OPTIMIZER)
    tables = {name for (name,) in depot.database.read("SELECT DISTINCT tbl FROM sqlite_stat1")}
    assert "boat" in tables
    assert depot.database.read("SELECT tbl FROM tide.sqlite_stat1 WHERE tbl = 'gauge'") != []


def fill(tx):
    numbers = "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < 3000) "
    tx.run(numbers + "INSERT INTO boat (name) SELECT x % 7 FROM n")
    tx.run(numbers + "INSERT INTO tide.gauge (level) SELECT x FROM n")
    tx.run("CREATE INDEX tide.gauge_level ON gauge (level)")


async def pending(depot):
    text = render_metadata([{"id": "missing", "filename": "f"}])
    await depot.database.write(announce_uploads, [(queue_name("main"), '"main"."boat"', text)])


def queued(depot):
    return depot.database.read("SELECT attempts FROM _file_deletions")


async def test_files_that_nobody_refers_to_go_when_they_are_old_enough(depot):
    await pending(depot)
    await run(depot, SystemJobId.FILE_DELETIONS)
    assert queued(depot) == [(0,)]
    await depot.database.write(make_old)
    await run(depot, SystemJobId.FILE_DELETIONS)
    assert queued(depot) == []


def make_old(tx):
    tx.run("UPDATE _file_deletions SET deleted = 1")


async def test_files_that_cannot_be_deleted_are_an_error_of_the_job(depot, monkeypatch):
    async def refuse(key):
        raise accounts.ConflictError(detail="no")

    monkeypatch.setattr(depot.records.storage, "delete", refuse)
    await pending(depot)
    await depot.database.write(make_old)
    result = await depot.scheduler.run(SystemJobId.FILE_DELETIONS)
    assert result.error == "1 files could not be deleted"
    assert queued(depot) == [(1,)]


async def test_what_a_dead_process_left_goes_soon_after_the_start(depot):
    await pending(depot)
    async with run_jobs(depot):
        for _ in range(500):
            if not queued(depot):
                break
            await asyncio.sleep(0.01)
    assert queued(depot) == []


async def test_nothing_else_runs_at_the_start(depot):
    async with run_jobs(depot):
        await asyncio.sleep(0.05)
    assert [one.name for one in depot.scheduler.statistics if one.runs] == []
