import asyncio
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.web import gate
from trailbase_server.web.gate import MAX_CONNECTIONS, SPARE_FILES, Gate, open_gate


def test_there_is_a_bound_in_total():
    door = Gate(2, 10)
    assert [door.enter(None), door.enter("192.0.2.1"), door.enter(None)] == [True, True, False]
    assert (door.count, door.refused) == (2, 1)
    door.leave("192.0.2.1")
    assert door.enter(None)


@pytest.mark.case("T-80")
def test_there_is_a_bound_for_each_address():
    door = Gate(100, 2)
    same = ["2001:db8::1", "2001:db8::2", "2001:db8::3"]
    assert [door.enter(address) for address in same] == [True, True, False]
    assert door.enter("2001:db8:0:1::1")
    assert [door.enter("192.0.2.1") for _ in range(3)] == [True, True, False]
    door.leave(same[1])
    assert door.enter(same[2])
    assert all(door.enter(None) for _ in range(20))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([None, "a", "b"]))))
def test_nothing_is_kept_of_those_who_left(steps):
    door, inside = Gate(5, 2), []
    for comes, address in steps:
        if comes:
            if door.enter(address):
                inside.append(address)
        elif address in inside:
            inside.remove(address)
            door.leave(address)
        assert door.count == len(inside) <= 5
        assert inside.count("a") <= 2
    for address in inside:
        door.leave(address)
    assert (door.count, len(door._by_address)) == (0, 0)


def test_no_more_connections_than_files():
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else soft - SPARE_FILES
    assert open_gate(None, 7).most == min(files, MAX_CONNECTIONS)
    assert open_gate(3, 7).most == 3
    assert open_gate(10**9, 7).most_per_address == 7


class Connection:
    def __init__(self, is_busy):
        self.is_busy = is_busy

    def check_patience(self, now):
        """Nothing to end."""


async def test_connections_with_a_request_are_busy():
    door = Gate()
    idle, busy = Connection(is_busy=False), Connection(is_busy=True)
    door.watch(idle)
    door.watch(busy)
    assert door.busy == 1
    door.unwatch(busy)
    assert door.busy == 0
    door.unwatch(idle)


class Seen:
    def __init__(self):
        self.rounds = 0

    def check_patience(self, now):
        self.rounds += 1


async def test_rounds_are_made_as_long_as_there_is_anybody(monkeypatch):
    monkeypatch.setattr(gate, "ROUND_S", 0.01)
    door, seen = Gate(), Seen()
    door.watch(seen)
    await asyncio.sleep(0.1)
    door.unwatch(seen)
    await asyncio.sleep(0.02)
    rounds = seen.rounds
    assert rounds >= 2
    assert door._next_round is None
    door.watch(seen)
    await asyncio.sleep(0.05)
    assert seen.rounds > rounds
    door.unwatch(seen)
    await asyncio.sleep(0.02)
