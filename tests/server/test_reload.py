import asyncio

import pytest

from tests.pier import CONFIG
from trailbase_server.clock import FrozenClock
from trailbase_server.db.errors import BusyError
from trailbase_server.errors import OperatorError
from trailbase_server.server.reload import Part, Reloader, Step


def parts(*names, failing=(), error=None):
    def work(name):
        async def run():
            if name in failing:
                raise error or OperatorError(f"{name} is broken")

        return run

    return [Part(name, work(name), is_needed=name == "first") for name in names]


async def test_what_is_not_needed_by_the_rest_fails_alone():
    reloader = Reloader(parts("first", "second", "third", failing=["second"]), FrozenClock(7.0))
    with pytest.raises(OperatorError, match="second is broken"):
        await reloader.apply()
    assert reloader.last.steps == (
        Step("first"),
        Step("second", "second is broken"),
        Step("third"),
    )
    assert (reloader.last.started, reloader.last.finished) == (7.0, 7.0)


async def test_what_is_needed_ends_it():
    error = BusyError(detail="locked")
    reloader = Reloader(parts("first", "second", failing=["first"], error=error))
    with pytest.raises(OperatorError, match="locked"):
        await reloader.apply()
    assert reloader.last.steps == (Step("first", "locked"),)


@pytest.mark.case("T-98")
async def test_a_hundred_reloads_at_once_are_two():
    runs = []

    async def work():
        runs.append(1)
        await asyncio.sleep(0.01)

    reloader = Reloader([])
    first = asyncio.ensure_future(reloader.run(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.gather(first, *(reloader.run(work) for _ in range(99)))
    assert len(runs) == 2
    await reloader.run(work)
    assert len(runs) == 3


@pytest.mark.case("T-94")
async def test_a_broken_configuration_changes_nothing_not_even_the_schema(pier):
    async with pier.opened() as (depot, web):
        running = depot.config.loaded
        pier.write("migrations/main/U1790000009__more.sql", "CREATE TABLE more (id INTEGER)")
        pier.write("config.textproto", CONFIG.replace('name: "boat"', 'name: "bo at"'))
        for _ in range(2):
            with pytest.raises(OperatorError, match="bo at"):
                await depot.reload()
            assert depot.config.loaded is running
            assert depot.database.prepare_error("SELECT * FROM more") is not None
            assert (await web.get("/api/records/v1/boat")).status_code == 200
        assert [step.name for step in depot.reloader.last.steps] == ["check"]


async def test_a_failing_migration_keeps_the_configuration_of_before(pier):
    async with pier.opened() as (depot, _):
        running = depot.config.loaded
        pier.write("migrations/main/U1790000009__bad.sql", "CREATE TABLE t (id INTEGER); NONSENSE")
        pier.edit('application_name: "Pier"', 'application_name: "Quay"')
        with pytest.raises(OperatorError, match="bad"):
            await depot.reload()
        assert depot.config.loaded is running
        assert [step.name for step in depot.reloader.last.steps] == ["check", "migrations"]
        pier.write("migrations/main/U1790000009__bad.sql", "CREATE TABLE t (id INTEGER)")
        await depot.reload()
        assert depot.config.config.server.application_name == "Quay"
        assert depot.database.prepare_error("SELECT * FROM t") is None


async def test_limits_and_optional_routes_follow_a_reload(pier):
    async with pier.opened() as (depot, web):
        batch = {"json": {"operations": []}}
        assert (await web.post("/api/transaction/v1/execute", **batch)).status_code == 200
        large = "x" * 3000
        assert (await web.post("/api/records/v1/boat", json={"name": large})).status_code == 200
        pier.edit("enable_record_transactions: true", "request_size_limit_bytes: 2000")
        await depot.reload()
        assert (await web.post("/api/transaction/v1/execute", **batch)).status_code == 404
        assert (await web.post("/api/records/v1/boat", json={"name": large})).status_code == 413
        pier.edit("request_size_limit_bytes: 2000", "enable_record_transactions: true")
        await depot.reload()
        assert (await web.post("/api/transaction/v1/execute", **batch)).status_code == 200
        assert (await web.post("/api/records/v1/boat", json={"name": large})).status_code == 200


async def test_all_databases_are_migrated(pier):
    async with pier.opened() as (depot, _):
        pier.write("migrations/tide/U1790000009__moon.sql", "CREATE TABLE moon (id INTEGER)")
        await depot.reload()
        assert depot.database.prepare_error("SELECT * FROM tide.moon") is None
