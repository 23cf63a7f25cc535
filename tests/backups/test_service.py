"""Backups of an open depot: made, pruned, checked, put back under it."""

import asyncio
import errno

import pytest

from tests.backups.conftest import ask, boats
from tests.pier import Pier
from trailbase_server.backups import restore as restore_module
from trailbase_server.backups.errors import (
    BackupError,
    BusyShelfError,
    DisabledBackupsError,
    UnknownBackupError,
    UnsuitableBackupError,
)
from trailbase_server.backups.restore import Scope, finish_interrupted
from trailbase_server.backups.service import list_shelf, prune
from trailbase_server.backups.settings import compile_backups
from trailbase_server.backups.shelf import Shelf
from trailbase_server.backups.sources import STAGING
from trailbase_server.sqlite import backup as sqlite_backup


@pytest.fixture
def pier(depot):
    """The depot that was started before, to be opened again."""
    pier = object.__new__(Pier)
    pier.root = depot
    return pier


def insert_boat(tx, name):
    tx.run("INSERT INTO boat (name) VALUES (?1)", (name,))


def names(depot):
    return [name for (name,) in depot.database.read("SELECT name FROM boat ORDER BY id")]


async def test_made_listed_checked_deleted(pier):
    async with pier.opened() as (depot, _):
        assert depot.backups.newest() is None
        made = [(await depot.backups.run()).timestamp for _ in range(3)]
        listed = await depot.backups.list()
        assert [one.timestamp for one in listed] == made
        assert all(one.size > 100_000 and "main" in one.databases for one in listed)
        assert depot.backups.newest() == made[-1]
        assert (await depot.backups.verify(made[0])).problems == []
        await depot.backups.delete([made[1], made[0]])
        with pytest.raises(UnknownBackupError):
            await depot.backups.delete([made[0], made[2]])
        assert [one.timestamp for one in await depot.backups.list()] == [made[2]]


async def test_the_window_is_kept_also_when_a_run_fails(pier):
    pier.edit('application_name: "Pier"', 'application_name: "Pier" backup_window_size: 2')
    async with pier.opened() as (depot, _):
        for _ in range(3):
            await depot.backups.run_job()
        assert len(await depot.backups.list()) == 2
        for number in (1, 2, 3):
            (pier.root / "backups" / str(number)).mkdir()
        (pier.root / "data" / "tide.db").rename(pier.root / "tide.db")
        (pier.root / "data" / "tide.db").write_bytes(b"broken" * 1000)
        with pytest.raises(BackupError):
            await depot.backups.run()
        (pier.root / "tide.db").rename(pier.root / "data" / "tide.db")
        assert min(one.timestamp for one in await depot.backups.list()) > 3


async def test_a_window_of_nothing(pier):
    pier.edit('application_name: "Pier"', 'application_name: "Pier" backup_window_size: 0')
    async with pier.opened() as (depot, _):
        with pytest.raises(DisabledBackupsError):
            await depot.backups.run()
        assert await depot.backups.list() == []


def test_a_broken_manifest_is_listed_as_such(tmp_path):
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "manifest.json").write_text("{")
    [listed] = list_shelf(Shelf(tmp_path))
    assert listed.problem.startswith("manifest.json is broken")


async def test_pruning_waits_for_whoever_is_at_it(depot):
    from trailbase_server.config.proto.config_pb2 import Config

    settings = compile_backups(Config(server={"backup_window_size": 1}), depot)
    for number in (1, 2):
        (depot / "backups" / str(number)).mkdir(parents=True)
    with Shelf(settings.directory).locked(), pytest.raises(BusyShelfError):
        await prune(settings, set())
    await prune(settings, {1})
    assert len(Shelf(settings.directory).list()) == 2
    await prune(settings, set())
    assert [one.timestamp for one in Shelf(settings.directory).list()] == [2]


async def test_nothing_that_spans_databases_is_torn_under_load(pier):
    """Main before session, and both attached files at once: copies must agree."""
    async with pier.opened() as (depot, _):
        await depot.session_database.write(make_counter)
        stop = False

        async def write():
            number = 0
            while not stop:
                number += 1
                await depot.database.write(insert_both, number)
                await depot.session_database.write(count_one, number)

        writers = [asyncio.create_task(write()) for _ in range(1)]
        backups = [await depot.backups.run() for _ in range(4)]
        stop = True
        await asyncio.gather(*writers)
    for backup in backups:
        boat = ask(backup.path / "main.db", "SELECT max(name + 0) FROM boat")[0][0]
        gauge = ask(backup.path / "tide.db", "SELECT max(level) FROM gauge WHERE id > 1")[0][0]
        session = ask(backup.path / "session.db", "SELECT max(n) FROM counter")[0][0]
        assert boat == (gauge or 0)
        assert (session or 0) <= boat <= (session or 0) + 1
    assert boat > 10


def make_counter(tx):
    tx.run("CREATE TABLE counter (n INTEGER)")


def insert_both(tx, number):
    tx.run("INSERT INTO boat (name) VALUES (?1)", (str(number),))
    tx.run("INSERT INTO tide.gauge (level) VALUES (?1)", (number,))


def count_one(tx, number):
    tx.run("INSERT INTO counter VALUES (?1)", (number,))


async def test_restored_under_a_running_server(pier):
    async with pier.opened() as (depot, web):
        backup = await depot.backups.run()
        await depot.database.write(insert_boat, "two")
        await depot.database.write(alter_boats)
        await depot.follow(depot.config.loaded)
        assert "colour" in (await web.get("/api/records/v1/boat")).text
        report = await depot.backups.restore(backup.timestamp, Scope())
        assert names(depot) == ["one"]
        answer = await web.get("/api/records/v1/boat")
        assert [one["name"] for one in answer.json()["records"]] == ["one"]
        assert "colour" not in answer.text
        assert (await web.post("/api/records/v1/boat", json={"name": "three"})).status_code == 200
        assert sorted(report.kept) == ["audit", "jobs", "outbox"]
        # And back again.
        await depot.backups.restore(report.safety, Scope(frozenset({"session"})))
        assert names(depot) == ["one", "two"]
        assert not (pier.root / "data" / STAGING).exists()
        # They stand apart from the others, and only a few of them are kept.
        for _ in range(3):
            await depot.backups.restore(backup.timestamp, Scope())
        assert [one.timestamp for one in await depot.backups.list()] == [backup.timestamp]
        assert len(await depot.backups.list_before_restore()) == 3


def alter_boats(tx):
    tx.run("ALTER TABLE boat ADD COLUMN colour TEXT")


async def test_an_older_schema_is_brought_up_to_date_before_it_is_used(pier):
    async with pier.opened() as (depot, _):
        backup = await depot.backups.run()
    pier.write(
        "migrations/main/U1790000003__sails.sql",
        "CREATE TABLE sail (id INTEGER PRIMARY KEY) STRICT;",
    )
    pier.edit(
        "record_apis: [", 'record_apis: [ { name: "sail" table_name: "sail" acl_world: [READ] },'
    )
    async with pier.opened() as (depot, web):
        await depot.backups.restore(backup.timestamp, Scope())
        assert (await web.get("/api/records/v1/sail")).status_code == 200


async def test_a_backup_that_the_configuration_does_not_fit_changes_nothing(pier):
    async with pier.opened() as (depot, web):
        backup = await depot.backups.run()
        await depot.database.write(make_raft)
        await depot.follow(depot.config.loaded)
        pier.edit(
            "record_apis: [",
            'record_apis: [ { name: "raft" table_name: "raft" acl_world: [READ] },',
        )
        await depot.reload()
        assert (await web.get("/api/records/v1/raft")).status_code == 200
        with pytest.raises(UnsuitableBackupError, match="raft"):
            await depot.backups.restore(backup.timestamp, Scope())
        assert (await web.get("/api/records/v1/raft")).status_code == 200
        assert not (pier.root / "data" / STAGING).exists()
        with pytest.raises(UnknownBackupError):
            await depot.backups.restore(5, Scope())


def make_raft(tx):
    tx.run("CREATE TABLE raft (id INTEGER PRIMARY KEY) STRICT")


def fail_once(monkeypatch, number, times=1):
    put, count = restore_module._put_in_place, iter(range(1000))

    def put_or_fail(*args):
        if number <= next(count) < number + times:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(*args)

    monkeypatch.setattr(restore_module, "_put_in_place", put_or_fail)


async def test_a_disk_that_fills_in_the_middle_of_a_restore_leaves_it_as_it_was(pier, monkeypatch):
    async with pier.opened() as (depot, web):
        backup = await depot.backups.run()
        await depot.database.write(insert_boat, "two")
        fail_once(monkeypatch, 2)
        with pytest.raises(
            BackupError, match=r"the disk is full: .*; everything is as it was before"
        ):
            await depot.backups.restore(backup.timestamp, Scope())
        assert names(depot) == ["one", "two"]
        assert (await web.post("/api/records/v1/boat", json={"name": "x"})).status_code == 200
        assert not (pier.root / "data" / STAGING).exists()
        await depot.backups.restore(backup.timestamp, Scope())
        assert names(depot) == ["one"]


async def test_where_not_even_that_works_the_next_start_finishes_it(pier, monkeypatch):
    async with pier.opened() as (depot, _):
        backup = await depot.backups.run()
        await depot.database.write(insert_boat, "two")
        fail_once(monkeypatch, 1)

        def fail(*_args):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(restore_module, "overwrite", fail_after(sqlite_backup.overwrite, 1))
        with pytest.raises(BackupError, match="the next start"):
            await depot.backups.restore(backup.timestamp, Scope())
    monkeypatch.undo()
    assert finish_interrupted(pier.root) == backup.timestamp
    assert boats(pier.root) == ["one"]


def fail_after(function, times):
    count = iter(range(1000))

    def call(*args):
        if next(count) >= times:
            raise OSError(errno.ENOSPC, "No space left on device")
        return function(*args)

    return call


async def test_a_restore_goes_on_when_whoever_wanted_it_leaves(pier):
    async with pier.opened() as (depot, _):
        backup = await depot.backups.run()
        await depot.database.write(insert_boat, "two")
        task = asyncio.create_task(depot.backups.restore(backup.timestamp, Scope()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(20):
            while len(names(depot)) != 1 or (pier.root / "data" / STAGING).exists():
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)


async def test_streams_end_and_are_not_resumed(pier):
    async with pier.opened() as (depot, _):
        epoch = depot.records.broker._epoch
        backup = await depot.backups.run()
        await depot.backups.restore(backup.timestamp, Scope())
        assert depot.records.broker._epoch != epoch
