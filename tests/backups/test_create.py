"""One run, from its begin to its name; and what is left when it fails."""

import asyncio
import errno
import gzip
import os
import shutil
import subprocess
from contextlib import asynccontextmanager

import apsw
import pytest

from tests.backups.conftest import KEYS, add_boat, ask, back_up, boats, order_of
from trailbase_server.backups.create import Order, create_backup
from trailbase_server.backups.errors import BackupError, BusyShelfError
from trailbase_server.backups.shelf import Shelf
from trailbase_server.clock import FrozenClock

OWN = [f"own/{name}.db" for name in ("accounts", "outbox", "jobs", "audit")]


def left(depot):
    return sorted(os.listdir(depot / "backups"))


async def test_everything_that_was_asked_for_is_there(depot):
    heard = []
    clock = FrozenClock(1_800_000_000.5)
    backup = await create_backup(
        order_of(depot, with_logs=True, with_secrets=True),
        progress=lambda *args: heard.append(args),
        clock=clock,
    )
    assert backup.timestamp == 1_800_000_000
    assert backup.path.stat().st_mode & 0o777 == 0o700
    found = {path.relative_to(backup.path).as_posix() for path in backup.path.rglob("*.*")}
    assert found == {
        *(f"{name}.db" for name in ("main", "tide", "session", "logs")),
        *("manifest.json", *OWN),
        *("depot/config.textproto", "depot/metadata.textproto"),
        *("depot/migrations/main/U1790000001__boats.sql",),
        *("depot/migrations/tide/U1790000002__gauge.sql",),
        *("depot/secrets/keys/private_key.pem", "depot/secrets/keys/public_key.pem"),
    }
    assert sorted(os.listdir(backup.path / "uploads")) == KEYS[:2]
    manifest = backup.manifest()
    assert {database.name: database.migration for database in manifest.databases}[
        "tide"
    ] == 1790000002
    assert (manifest.uploads.kind, manifest.uploads.count) == ("copied", 2)
    assert {name for name, done, total in heard if done == total} == {
        database.name for database in manifest.databases
    }
    for path in backup.path.rglob("*"):
        assert path.is_dir() or path.parent.name == "uploads" or path.stat().st_mode & 0o077 == 0


async def test_by_default_neither_logs_nor_secrets(depot):
    backup = await back_up(depot)
    assert not (backup.path / "logs.db").exists()
    assert not (backup.path / "depot" / "secrets").exists()
    assert (backup.path / "depot" / "config.textproto").exists()
    backup = await back_up(depot, with_uploads=False, with_config=False)
    assert sorted(os.listdir(backup.path)) == [
        "main.db",
        "manifest.json",
        "own",
        "session.db",
        "tide.db",
    ]


async def test_packed_copies_are_the_same(depot):
    plain, packed = await back_up(depot), await back_up(depot, compress=True)
    assert packed.timestamp > plain.timestamp
    content = gzip.decompress((packed.path / "main.db.gz").read_bytes())
    assert content == (plain.path / "main.db").read_bytes()
    assert packed.manifest().size < plain.manifest().size / 3


async def test_objects_of_a_bucket_are_listed(depot):
    order = order_of(depot)
    backup = await create_backup(Order(order.depot, order.sources, order.settings, KEYS[::-1]))
    assert (backup.path / "uploads.txt").read_text().split() == KEYS
    assert not (backup.path / "uploads").exists()
    assert backup.manifest().uploads.kind == "listed"


async def test_the_point_in_time_is_when_the_writers_stand_still(depot):
    events = []

    @asynccontextmanager
    async def still():
        add_boat(depot, "before")
        events.append("still")
        yield
        add_boat(depot, "after")

    @asynccontextmanager
    async def keeping():
        events.append("keep")
        (depot / "uploads" / KEYS[0]).unlink()
        yield
        events.append("let go")
        (depot / "uploads" / KEYS[1]).unlink()

    (depot / "uploads" / KEYS[2]).write_text("new")
    backup = await create_backup(order_of(depot), still, keeping)
    assert events == ["keep", "still", "let go"]
    assert ask(backup.path / "main.db", "SELECT name FROM boat ORDER BY id") == [
        ("one",),
        ("before",),
    ]
    assert boats(depot) == ["after", "before", "one"]
    # What went before the point in time may be there, what was there then has to be.
    assert set(KEYS[1:3]) <= set(os.listdir(backup.path / "uploads"))


async def test_only_one_at_a_time(depot):
    with Shelf(depot / "backups").locked(), pytest.raises(BusyShelfError):
        await back_up(depot)
    assert left(depot) == []


async def test_a_writer_that_never_ends_is_told(depot, monkeypatch):
    monkeypatch.setattr("trailbase_server.sqlite.backup.GUARD_TIMEOUT_S", 0.02)
    writer = apsw.Connection(str(depot / "data" / "main.db"))
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(BackupError, match="another process is writing"):
        await back_up(depot)
    writer.close()
    assert left(depot) == []
    await back_up(depot)


async def test_a_broken_database_fails_the_run(depot):
    (depot / "data" / "tide.db").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupError, match="NotADB"):
        await back_up(depot)
    assert left(depot) == []


async def test_a_disk_that_is_too_small_is_told_before_anything_is_written(depot, monkeypatch):
    usage = shutil.disk_usage(depot)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(BackupError, match=r"the disk is full: .* bytes are needed"):
        await back_up(depot)
    assert left(depot) == []


@pytest.mark.parametrize("compress", [False, True])
async def test_a_disk_that_fills_in_the_middle_leaves_nothing(
    depot, tmp_path, monkeypatch, compress
):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        monkeypatch.setattr("trailbase_server.backups.create.SPARE_BYTES", -(10**9))
        order = order_of(depot, compress=compress)
        settings = type(order.settings)(small / "backups", compress=compress)
        with pytest.raises(BackupError, match="the disk is full"):
            await create_backup(Order(depot, order.sources, settings))
        assert os.listdir(small / "backups") == []
    finally:
        subprocess.run(["umount", small], check=True)


async def test_a_failing_disk_is_told(depot, monkeypatch):
    def fail(*_args, **_options):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Shelf, "publish", fail)
    with pytest.raises(BackupError, match="Input/output error"):
        await back_up(depot)
    assert left(depot) == []


async def test_a_run_that_nobody_wants_any_more_is_stopped(depot):
    ask(depot / "data" / "main.db", "CREATE TABLE filler AS SELECT zeroblob(40000000) AS b")
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    order = order_of(depot)
    task = asyncio.create_task(
        create_backup(order, progress=lambda *_: loop.call_soon_threadsafe(begun.set))
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(depot) == []
    with Shelf(depot / "backups").locked():
        pass
