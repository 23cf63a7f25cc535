"""Depots out of replicas, offline, in this process."""

import asyncio
import os
import tempfile
from pathlib import Path

import apsw
import pytest

from tests.backups.conftest import prepare_for
from tests.pier import Pier
from trailbase_server.backups.errors import UnsuitableBackupError
from trailbase_server.backups.restore import Scope
from trailbase_server.backups.settings import compile_backups
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.errors import OperatorError
from trailbase_server.replication.settings import ReplicationSettings
from trailbase_server.replication.target import Directory
from trailbase_server.server.lock import lock_depot
from trailbase_server.server.replica import Wanted, restore_replica
from trailbase_server.server.running import background_work


@pytest.fixture
async def shipped():
    """A depot that has been replicated, with one boat in it, and where to."""
    with tempfile.TemporaryDirectory(prefix="pier-") as root:
        pier, place = Pier(Path(root) / "depot"), Path(root) / "replica"
        async with pier.opened(replicate=str(place)) as (depot, web), background_work(depot):
            await web.post("/api/records/v1/boat", json={"name": "one"})
        yield pier, place


def restore(pier, place, moment=None, scope=None):
    wanted = Wanted(ReplicationSettings(Directory(place)), ["tide"], moment, os.environ)
    settings = compile_backups(Config(), pier.root)
    return asyncio.to_thread(
        restore_replica, pier.root, settings, wanted, scope or Scope(), prepare_for=prepare_for
    )


def ask(pier, home, sql):
    connection = apsw.Connection(str(pier.root / "data" / home))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_what_is_there_is_saved_and_replaced(shipped):
    pier, place = shipped
    ask(pier, "main.db", "INSERT INTO boat (name) VALUES ('two')")
    state = pier.root / "data" / "own" / "litestream" / "main"
    assert state.exists()
    report = await restore(pier, place, scope=Scope(frozenset(["session"])))
    assert ask(pier, "main.db", "SELECT name FROM boat") == [("one",)]
    assert set(report.databases) == {"main", "tide", "accounts"}
    assert set(report.kept) == {"outbox", "jobs", "audit"}
    saved = pier.root / "backups" / "before-restore" / str(report.safety)
    assert (saved / "main.db").exists()
    assert not state.exists(), "Litestream compares anew"
    assert not (pier.root / "backups" / ".from-replica").exists()


async def test_a_depot_that_is_in_use_or_newer_is_left_alone(shipped):
    pier, place = shipped
    with lock_depot(pier.root), pytest.raises(OperatorError, match="in use by another server"):
        await restore(pier, place)
    file = pier.root / "migrations" / "main" / "U1790000001__boats.sql"
    file.rename(file.with_name("U1780000001__older.sql"))
    with pytest.raises(UnsuitableBackupError):
        await restore(pier, place)
    assert ask(pier, "main.db", "SELECT name FROM boat") == [("one",)]


async def test_a_moment_that_has_not_been_or_was_before_the_replica(shipped):
    pier, place = shipped
    with pytest.raises(OperatorError, match="in the future"):
        await restore(pier, place, 9_999_999_999.0)
    with pytest.raises(OperatorError, match="holds no replica of main from before 2001"):
        await restore(pier, place, 1_000_000_000.0)


async def test_a_broken_replica_changes_nothing(shipped):
    pier, place = shipped
    for path in place.rglob("*.ltx"):
        path.write_bytes(path.read_bytes()[:50] + b"scratched")
    with pytest.raises(OperatorError, match=r"cannot read the replica of main\.db"):
        await restore(pier, place)
    assert ask(pier, "main.db", "SELECT name FROM boat") == [("one",)]
    assert not (pier.root / "backups" / ".from-replica").exists()
