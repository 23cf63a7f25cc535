"""What an open depot is to backups."""

import asyncio

import apsw
import pytest

from trailbase_server.backups.errors import UnsuitableBackupError
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.backups import BackupFunctions


def add_boat(tx):
    tx.run("INSERT INTO boat (name) VALUES ('x')")


def host_of(depot):
    return depot.backups._host


async def test_all_configured_databases_are_copied(pier):
    async with pier.opened() as (depot, _):
        host = host_of(depot)
        order = await host.order(host.settings())
        names = [source.name for source in order.sources]
        assert names[:2] == ["main", "tide"]
        assert {"session", "accounts", "outbox"} < set(names)
        assert order.object_keys is None


async def test_no_writer_begins_while_they_stand_still(pier):
    async with pier.opened() as (depot, _):
        async with host_of(depot).still():
            waiting = asyncio.ensure_future(depot.database.write(add_boat))
            await asyncio.sleep(0.05)
            assert not waiting.done()
        await waiting


async def test_no_object_is_deleted_while_they_are_kept(pier):
    key = "0190a000-0000-7000-8000-000000000001"
    async with pier.opened() as (depot, _):
        storage = depot.records.storage
        await storage.put(key, b"x")
        async with host_of(depot).keeping():
            waiting = asyncio.ensure_future(storage.delete(key))
            await asyncio.sleep(0.05)
            assert (pier.root / "uploads" / key).exists()
        await waiting
        assert not (pier.root / "uploads" / key).exists()


async def test_databases_whose_migrations_fail_are_refused(pier, tmp_path):
    async with pier.opened() as (depot, _):
        apsw.Connection(str(tmp_path / "main.db")).execute(
            "CREATE TABLE _schema_history (version INT PRIMARY KEY, name, applied_on, checksum);"
            "INSERT INTO _schema_history VALUES (1999000000, 'newer', 'now', '1')"
        )
        with pytest.raises(UnsuitableBackupError, match="newer is missing"):
            await host_of(depot).prepare_staged(tmp_path, ["main.db"])


def test_functions_know_schemas_only_where_tables_use_them():
    prepare_for = BackupFunctions(SchemaRegistry({"word": '{"type": "string"}'}))
    connection = apsw.Connection(":memory:")
    prepare_for("main.db")(connection)
    assert connection.execute("SELECT jsonschema('word', '\"x\"')").get == 1
    plain = apsw.Connection(":memory:")
    prepare_for("session.db")(plain)
    with pytest.raises(apsw.SQLError, match="jsonschema"):
        plain.execute("SELECT jsonschema('word', '\"x\"')")
