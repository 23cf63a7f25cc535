"""Upkeep of accounts: it runs again and again, and outlives its failures."""

import asyncio

from trailbase_server.db.errors import BusyError
from trailbase_server.server import account_upkeep as module
from trailbase_server.server.account_upkeep import account_upkeep


async def test_all_works_run_until_the_end(monkeypatch, caplog):
    calls = []
    enough = asyncio.Event()

    async def busy(auth):
        calls.append(auth)
        raise BusyError(detail="somebody else has the lock")

    async def broken(auth):
        raise ValueError("a bug")

    async def good(auth):
        calls.append(auth)
        if len(calls) > 3:
            enough.set()

    monkeypatch.setattr(module, "INTERVAL_S", 0.001)
    monkeypatch.setattr(module, "_WORKS", (busy, broken, good))
    async with account_upkeep("auth"):
        await asyncio.wait_for(enough.wait(), 5)
    count = len(calls)
    await asyncio.sleep(0.02)
    assert len(calls) == count
    assert set(calls) == {"auth"}
    assert "somebody else has the lock" in caplog.text
    assert "a bug" in caplog.text
