import asyncio

import pytest

from trailbase_server.auth.key_rotation import rotate_keys
from trailbase_server.errors import OperatorError
from trailbase_server.records.realtime.broker import Subscription
from trailbase_server.server.depot import KEYS


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
