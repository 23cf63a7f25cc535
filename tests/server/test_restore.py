"""Offline restores beyond those of the command line: broken depots, interrupted ones."""

import asyncio

import apsw
import pytest

from tests.backups.conftest import prepare_for
from trailbase_server.backups.restore import Restoration, Scope, restoring
from trailbase_server.backups.settings import compile_backups
from trailbase_server.backups.shelf import Shelf
from trailbase_server.backups.sources import STAGING
from trailbase_server.errors import OperatorError
from trailbase_server.server.restore import restore_offline


async def restore(pier, timestamp):
    settings = compile_backups(pier.config, pier.root)
    shelf = Shelf(settings.directory)
    return await asyncio.to_thread(
        restore_offline,
        pier.root,
        settings,
        timestamp,
        Scope(),
        source=shelf,
        from_bucket=False,
        prepare_for=prepare_for,
    )


@pytest.fixture
async def made(pier):
    async with pier.opened() as (depot, _):
        backup = await depot.backups.run()
        pier.config = depot.config.config
    return backup


async def test_a_depot_beyond_repair_is_put_aside(pier, made):
    data = pier.root / "data"
    (data / "main.db").write_bytes(b"scratched" * 1000)
    report = await restore(pier, made.timestamp)
    assert report.safety is None
    aside = data / f"broken-{made.timestamp}"
    assert (aside / "main.db").read_bytes() == b"scratched" * 1000
    assert (aside / "own" / "accounts.db").exists()
    async with pier.opened() as (depot, _):
        assert depot.database.read("SELECT count(*) FROM _user") == [(1,)]


async def test_an_interrupted_one_is_finished_first(pier, made):
    connection = apsw.Connection(str(pier.root / "data" / "main.db"))
    connection.execute("INSERT INTO boat (name) VALUES ('two')")
    connection.close()
    restoration = Restoration(pier.root, made, Scope(), prepare_for)
    with restoring(pier.root):
        restoration.stage(online=False)
        restoration.decide()
    assert (pier.root / "data" / STAGING).exists()
    # A start finishes it as well.
    async with pier.opened() as (depot, _):
        assert depot.database.read("SELECT * FROM boat") == []
    assert not (pier.root / "data" / STAGING).exists()
    assert (await restore(pier, made.timestamp)).safety is not None


async def test_not_under_a_server(pier, made):
    from trailbase_server.server.lock import lock_depot

    with lock_depot(pier.root), pytest.raises(OperatorError, match="restore through its admin"):
        await restore(pier, made.timestamp)
