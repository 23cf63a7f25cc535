import asyncio

import httpx
import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.db.errors import DiskError
from trailbase_server.errors import OperatorError
from trailbase_server.server import ready
from trailbase_server.server.app import admin_routes, build_application
from trailbase_server.server.metrics.page import MetricsPage
from trailbase_server.server.ready import MAX_CHECKS, Finding, Readiness

OK, DEGRADED, FAILED = Finding(), Finding("degraded", "look"), Finding("failed")


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], "ready"),
        ([(OK, True), (OK, False)], "ready"),
        ([(OK, True), (DEGRADED, False)], "degraded"),
        ([(OK, True), (FAILED, False)], "degraded"),
        ([(DEGRADED, True)], "degraded"),
        ([(FAILED, True), (DEGRADED, False)], "unavailable"),
    ],
)
async def test_only_vital_failures_take_a_server_out_of_service(findings, status):
    readiness = Readiness()
    for index, (finding, is_vital) in enumerate(findings):
        readiness.add(f"check {index}", lambda it=finding: it, is_vital=is_vital)
    assert (await readiness.look())[0] == status
    readiness.drain()
    assert (await readiness.look())[0] == "draining"


async def test_a_check_runs_again_when_its_finding_is_old_and_once_for_everybody():
    clock, runs, gate = FrozenClock(), [], asyncio.Event()

    async def check():
        runs.append(clock.now())
        await gate.wait()
        return OK

    readiness = Readiness(clock)
    readiness.add("slow", check, keep_s=10)
    asked = [asyncio.ensure_future(readiness.look()) for _ in range(50)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*asked)
    assert len(runs) == 1
    clock.advance(9.9)
    await readiness.look()
    assert len(runs) == 1
    clock.advance(0.2)
    await readiness.look()
    assert len(runs) == 2
    readiness.forget()
    await readiness.look()
    assert len(runs) == 3


async def test_what_is_seen_before_a_change_is_not_told_after_it():
    gates = [asyncio.Event(), asyncio.Event()]
    seen = iter([(gates[0], DEGRADED), (gates[1], OK)])

    looking = asyncio.Queue()

    async def check():
        gate, finding = next(seen)
        looking.put_nowait(gate)
        await gate.wait()
        return finding

    readiness = Readiness()
    readiness.add("slow", check, keep_s=1000)
    before = asyncio.ensure_future(readiness.look())
    await looking.get()
    readiness.forget()
    after = asyncio.ensure_future(readiness.look())
    await looking.get()
    gates[1].set()
    assert (await after)[0] == "ready"
    gates[0].set()
    assert (await before)[0] == "degraded"
    assert (await readiness.look())[0] == "ready"


async def test_a_check_that_hangs_is_a_failure_and_hangs_once(monkeypatch):
    monkeypatch.setattr(ready, "ANSWER_S", 0.02)
    runs = []

    async def check():
        runs.append(1)
        await asyncio.Event().wait()

    readiness = Readiness()
    readiness.add("hung", check, is_vital=True)
    for _ in range(3):
        status, found = await readiness.look()
        assert (status, found["hung"].state) == ("unavailable", "failed")
    assert len(runs) == 1
    await readiness.close()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DiskError("now", detail="disk image is full"), "disk image is full"),
        (OperatorError("line 3"), "line 3"),
        (OSError(28, "No space left"), "[Errno 28] No space left"),
        (ZeroDivisionError("secret"), "ZeroDivisionError"),
    ],
)
async def test_what_a_check_raises_is_what_it_found(error, message):
    def check():
        raise error

    readiness = Readiness()
    readiness.add("bad", check)
    _, found = await readiness.look()
    assert found["bad"] == Finding("failed", message)


async def test_whoever_stops_asking_does_not_take_the_answer_from_others():
    gate = asyncio.Event()

    async def check():
        await gate.wait()
        return DEGRADED

    readiness = Readiness()
    readiness.add("slow", check)
    first, second = (asyncio.ensure_future(readiness.look()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert (await second)[1] == {"slow": DEGRADED}


async def test_checks_are_bounded_and_replaced_by_name():
    readiness = Readiness()
    for index in range(MAX_CHECKS):
        readiness.add(str(index), lambda: OK)
    readiness.add("0", lambda: DEGRADED)
    with pytest.raises(ValueError, match="too many"):
        readiness.add("another", lambda: OK)
    assert (await readiness.look())[1]["0"] == DEGRADED


async def test_strangers_see_states_and_administrators_see_why(pier):
    async with pier.opened() as (depot, web):
        depot.readiness.add("hull", lambda: Finding("degraded", "below /srv", {"leaks": 2}))
        answer = await web.get("/api/readyz")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"]["hull"] == "degraded"
        assert "srv" not in answer.text
        boss = await pier.boss(depot)
        answer = await web.get("/api/readyz", headers=boss)
        hull = {"state": "degraded", "message": "below /srv", "leaks": 2}
        assert answer.json()["details"]["hull"] == hull


async def test_a_draining_server_says_so_before_it_stops(pier):
    async with pier.opened() as (depot, web):
        depot.readiness.drain()
        answer = await web.get("/api/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")
        assert answer.headers["retry-after"]
        assert (await web.get("/api/healthcheck")).text == "Ok"


async def test_the_listener_of_administration_tells_everything(pier):
    async with pier.opened(admin_address="unix:admin.sock") as (depot, web):
        assert "details" not in (await web.get("/api/readyz")).json()
        transport = httpx.ASGITransport(
            build_application(depot, admin_routes(depot, MetricsPage(depot)))
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://pier.test") as inside:
            assert "data" in (await inside.get("/api/readyz")).json()["details"]["disk"]
