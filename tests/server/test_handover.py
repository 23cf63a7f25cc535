import asyncio

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server import handover
from trailbase_server.server.handover import NEXT_FILE, await_successor, held_depot
from trailbase_server.server.lock import lock_depot


class Successor:
    """A server that wants the depot, in a task."""

    def __init__(self, root, wait_s=20.0):
        self.root = root
        self.wait_s = wait_s
        self.listening = asyncio.Event()
        self.serving = asyncio.Event()
        self.task = asyncio.ensure_future(self._run())

    async def _run(self):
        async with held_depot(self.root, self.wait_s, self.listening.set):
            self.serving.set()
            await asyncio.Event().wait()

    async def end(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_a_free_depot_is_taken_at_once(tmp_path):
    successor = Successor(tmp_path, 0)
    await asyncio.wait_for(successor.serving.wait(), 10)
    assert successor.listening.is_set()
    assert not (tmp_path / NEXT_FILE).exists()
    await successor.end()


async def test_a_depot_in_use_is_refused_and_nobody_listens(tmp_path):
    calls = []
    with lock_depot(tmp_path), pytest.raises(OperatorError, match="in use"):
        async with held_depot(tmp_path, 0, lambda: calls.append(1)):
            pass
    with lock_depot(tmp_path), pytest.raises(OperatorError, match="in use"):
        async with held_depot(tmp_path, 0.1, lambda: calls.append(1)):
            pass
    assert calls == []


async def test_the_next_listens_when_the_one_before_is_told_to_stop(tmp_path):
    with lock_depot(tmp_path) as lock:
        successor = Successor(tmp_path)
        for _ in range(3):
            await asyncio.sleep(handover.LOOK_S)
        assert not successor.listening.is_set()
        await await_successor(tmp_path, lock)
        assert successor.listening.is_set()
        assert not successor.serving.is_set()
    await asyncio.wait_for(successor.serving.wait(), 10)
    await successor.end()


async def test_of_several_that_wait_one_follows_and_then_the_next(tmp_path):
    with lock_depot(tmp_path) as lock:
        both = [Successor(tmp_path) for _ in range(2)]
        await asyncio.sleep(3 * handover.LOOK_S)
        await await_successor(tmp_path, lock)
        assert sum(one.listening.is_set() for one in both) == 1
    waits = [asyncio.ensure_future(one.serving.wait()) for one in both]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    first, second = sorted(both, key=lambda one: not one.serving.is_set())
    assert not second.serving.is_set()
    await first.end()
    await asyncio.wait_for(second.serving.wait(), 10)
    assert second.listening.is_set()
    await second.end()


async def test_a_server_without_successor_does_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(handover, "SUCCESSOR_S", 1000.0)
    with lock_depot(tmp_path) as lock:
        await await_successor(tmp_path, lock)
        assert lock.read()[1] == "draining"
        # Somebody has waited once, and has gone.
        successor = Successor(tmp_path, 0.1)
        with pytest.raises(OperatorError):
            await successor.task
        assert (tmp_path / NEXT_FILE).exists()
        await await_successor(tmp_path, lock)


async def test_patience_with_a_successor_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(handover, "SUCCESSOR_S", 0.1)
    with lock_depot(tmp_path) as lock, lock_depot(tmp_path / "other"):
        hung = handover.open_lock(tmp_path, NEXT_FILE)
        assert hung.acquire()
        await asyncio.wait_for(await_successor(tmp_path, lock), 10)
        hung.close()
