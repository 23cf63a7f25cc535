import asyncio

import pytest

from trailbase_server.auth.key_rotation import rotate_keys
from trailbase_server.errors import OperatorError
from trailbase_server.records.realtime.broker import Subscription
from trailbase_server.server.start import KEYS


async def test_a_depot_serves_its_apis_of_all_databases(pier):
    async with pier.opened() as (_, web):
        made = await web.post("/api/records/v1/boat", json={"name": "Egret"})
        assert made.json() == {"ids": ["1"]}
        assert (await web.get("/api/records/v1/boat/1")).json()["name"] == "Egret"
        assert (await web.get("/api/records/v1/gauge/1")).json() == {"id": 1, "level": 2.5}


async def test_what_was_written_is_there_at_the_next_start(pier):
    async with pier.opened() as (_, web):
        await web.post("/api/records/v1/boat", json={"name": "Egret"})
    async with pier.opened() as (_, web):
        assert (await web.get("/api/records/v1/boat/1")).status_code == 200


async def test_a_config_that_is_wrong_in_itself_changes_nothing(pier):
    pier.edit('name: "boat" table_name', 'name: "bo-at" table_name')
    pier.edit('"Pier"', '""')
    before = sorted(path.name for path in pier.root.iterdir())
    with pytest.raises(OperatorError) as caught:
        async with pier.opened():
            pass
    lines = str(caught.value).splitlines()

    assert [line.split(": ")[0] for line in lines] == ["config.textproto:2", "config.textproto:5"]
    assert sorted(path.name for path in pier.root.iterdir()) == before


async def test_a_config_is_checked_against_the_schema(pier):
    pier.edit('table_name: "boat"', 'table_name: "submarine"')
    with pytest.raises(OperatorError, match="submarine"):
        async with pier.opened():
            pass


async def test_a_schema_that_is_none_is_told_before_anything_is_made(pier):
    pier.edit("databases: [{", 'schemas: [{ name: "x" schema: "{\\"type\\": 5}" }]\ndatabases: [{')
    with pytest.raises(OperatorError, match=r"schemas\[0\]"):
        async with pier.opened():
            pass
    assert not (pier.root / "data").exists()


async def test_a_path_that_is_not_there_is_told(pier, tmp_path):
    with pytest.raises(OperatorError, match="Path not found"):
        async with pier.opened(public_dir=tmp_path / "nowhere"):
            pass


@pytest.mark.case("T-91")
async def test_a_reload_brings_new_tables_and_apis(pier):
    async with pier.opened() as (depot, web):
        pier.write(
            "migrations/main/U1790000009__buoy.sql",
            "CREATE TABLE buoy (id INTEGER PRIMARY KEY) STRICT; INSERT INTO buoy VALUES (7);",
        )
        pier.edit(
            "record_apis: [", 'record_apis: [{ name: "buoy" table_name: "buoy" acl_world: READ },'
        )
        await depot.reload()
        assert (await web.get("/api/records/v1/buoy/7")).json() == {"id": 7}


async def test_a_reload_attaches_a_new_database(pier):
    async with pier.opened() as (depot, web):
        pier.write(
            "migrations/log/U1790000010__log.sql",
            "CREATE TABLE entry (id INTEGER PRIMARY KEY) STRICT; INSERT INTO entry VALUES (3);",
        )
        pier.edit('{ name: "tide" }', '{ name: "tide" }, { name: "log" }')
        pier.edit(
            "record_apis: [",
            'record_apis: [{ name: "entry" table_name: "log.entry" '
            'attached_databases: ["log"] acl_world: [READ, CREATE] },',
        )
        await depot.reload()
        assert (await web.get("/api/records/v1/entry/3")).json() == {"id": 3}
        assert (await web.post("/api/records/v1/entry", json={})).json() == {"ids": ["4"]}


@pytest.mark.case("T-91")
async def test_streams_hear_of_every_database_and_survive_a_reload(pier):
    pier.edit("acl_world: [READ] }", "acl_world: [READ] enable_subscriptions: true }")
    pier.edit(
        "acl_world: [CREATE, READ]", "acl_world: [READ] acl_authenticated: [CREATE, READ] "
        "enable_subscriptions: true"
    )  # fmt: skip
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        identity = depot.authenticator.bearer(boss["authorization"].encode())
        boats = await _follow(depot, "boat", identity)
        gauges = await _follow(depot, "gauge", None)
        await depot.database.write(_raise_the_tide)
        await web.post("/api/records/v1/boat", json={"name": "Egret"}, headers=boss)
        assert b'"level":3.5' in await _next(gauges)
        assert b'"name":"Egret"' in await _next(boats)

        pier.write("migrations/log/U1790000010__log.sql", "CREATE TABLE entry (id INTEGER) STRICT;")
        pier.edit('{ name: "tide" }', '{ name: "tide" }, { name: "log" }')
        await depot.reload()
        await web.post("/api/records/v1/boat", json={"name": "Heron"}, headers=boss)
        assert b'"name":"Heron"' in await _next(boats)

        await web.get("/api/auth/v1/logout", headers=boss)
        assert b"Session ended" in await _next(boats)
        assert depot.records.broker.statistics.streams == 1
    with pytest.raises(StopAsyncIteration):
        await _next(gauges)


async def _follow(depot, name, identity):
    api = depot.records.apis[name]
    stream = await depot.records.broker.subscribe(api, Subscription(identity=identity))
    return stream.messages()


async def _next(messages):
    return b"".join(await asyncio.wait_for(anext(messages), 5))


def _raise_the_tide(tx):
    tx.run("UPDATE tide.gauge SET level = 3.5")


async def test_a_broken_reload_leaves_everything_as_it_was(pier):
    async with pier.opened() as (depot, web):
        pier.edit('table_name: "boat"', 'table_name: "submarine"')
        with pytest.raises(OperatorError):
            await depot.reload()
        assert (await web.get("/api/records/v1/boat")).json()["records"] == []


async def test_no_file_stays_open_after_many_starts(pier):
    import os

    async with pier.opened():
        pass
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        async with pier.opened():
            pass
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_reload_takes_over_new_keys(pier):
    async with pier.opened() as (depot, web):
        headers = await pier.boss(depot)
        await asyncio.to_thread(rotate_keys, pier.root / KEYS, depot.auth.clock.now_s(), 1000)
        await depot.reload()
        assert (await web.get("/api/_admin/info", headers=headers)).status_code == 200
        shown = await web.get("/api/_admin/public_key", headers=headers)
        assert shown.text == (pier.root / KEYS / "public_key.pem").read_text()
        assert len((await web.get("/.well-known/jwks.json")).json()["keys"]) == 2
        await asyncio.to_thread(rotate_keys, pier.root / KEYS, depot.auth.clock.now_s(), 0)
        await depot.reload()
        assert (await web.get("/api/_admin/info", headers=headers)).status_code == 401
