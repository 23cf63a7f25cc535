import asyncio
from collections import deque

import pytest

from tests.records.realtime.conftest import run_all
from trailbase_server.db.base import Change
from trailbase_server.db.errors import OverloadedError
from trailbase_server.records.realtime import delivery as module

PLANT = "INSERT INTO plant (id, name) VALUES (?1, ?2)"


def plants(first, last):
    return [f"INSERT INTO plant (id, name) VALUES ({n}, 'p{n}')" for n in range(first, last + 1)]


async def test_a_change_that_comes_alone_is_delivered_at_once(garden):
    wire = await garden.follow("plants")
    await garden.run(PLANT, 2, "oak")
    await asyncio.sleep(0)
    assert wire.brief == [("Insert", 2, 1)]


async def test_the_changes_of_a_commit_share_one_write(garden):
    wire = await garden.follow("plants")
    await garden.database.write(run_all, *plants(2, 21))
    await garden.settle()
    assert wire.brief == [("Insert", n, n - 1) for n in range(2, 22)]
    assert wire.writes == 2


async def test_streams_with_the_same_number_and_other_events_share_nothing(garden):
    wires = [await garden.follow("plants", query=f"filter[plot]={plot}") for plot in (1, 2, 1)]
    await garden.database.write(
        run_all,
        "INSERT INTO plant (id, plot) VALUES (2, 1)",
        "INSERT INTO plant (id, plot) VALUES (3, 2)",
    )
    await garden.settle()
    assert [wire.brief for wire in wires] == [
        [("Insert", 2, 1)], [("Insert", 3, 1)], [("Insert", 2, 1)]
    ]  # fmt: skip


async def test_under_load_commits_share_writes(garden, monkeypatch):
    monkeypatch.setattr(module, "PACE_S", 0.2)
    monkeypatch.setattr(module, "WRITE_S", 1.0)
    wire = await garden.follow("plants")
    for number in range(2, 12):
        await garden.run(PLANT, number, "oak")
    await garden.settle()
    assert wire.brief == [("Insert", n, n - 1) for n in range(2, 12)]
    assert wire.writes < 6


async def test_a_large_commit_is_delivered_in_steps_without_loss(garden):
    wire = await garden.follow("plants")
    await garden.database.write(run_all, *plants(2, 301))
    await garden.settle()
    assert wire.brief == [("Insert", n, n - 1) for n in range(2, 302)]
    assert wire.writes > 300 / module.MAX_STEP


async def test_a_step_ends_when_its_time_is_over(garden, monkeypatch):
    monkeypatch.setattr(module, "STEP_S", 0.0)
    wire = await garden.follow("plants")
    await garden.database.write(run_all, *plants(2, 5))
    await garden.settle()
    assert wire.brief == [("Insert", n, n - 1) for n in range(2, 6)]
    assert wire.writes == 5


async def test_a_slow_rule_is_judged_elsewhere_and_the_order_is_kept(garden):
    slow = await garden.follow("slow")
    quick = await garden.follow("plants")
    for number in range(2, 5):
        await garden.run(PLANT, number, "oak")
    async with asyncio.timeout(20):
        await garden.settle()
    expected = [("Insert", n, n - 1) for n in range(2, 5)]
    assert slow.brief == expected
    assert quick.brief == expected


SLOW = f"filter[secret][$like]=%25{'a' * 200}b"
SECRET = "INSERT INTO plant (id, secret) VALUES (?1, ?2)"
LONG = "a" * 50_000  # no match, after 40 ms
MATCH = "a" * 201 + "b"


async def test_a_slow_filter_has_a_lane_of_its_own(garden):
    slow = await garden.follow("plants", query=SLOW)
    quick = await garden.follow("plants")
    await garden.change(SECRET, 2, LONG)  # found to be slow
    await garden.run(SECRET, 3, MATCH)
    await garden.run(SECRET, 4, LONG)
    await garden.run(SECRET, 5, MATCH)
    await garden.settle()
    assert quick.brief == [("Insert", n, n - 1) for n in range(2, 6)]
    assert len(slow.brief) < 2
    async with asyncio.timeout(20):
        while len(slow.brief) < 2:
            await asyncio.sleep(0.01)
    assert slow.brief == [("Insert", 3, 1), ("Insert", 5, 2)]


async def test_a_lane_that_is_full_loses_and_says_so(garden, monkeypatch):
    monkeypatch.setattr(module, "MAX_LANE", 1)
    slow = await garden.follow("plants", query=SLOW)
    quick = await garden.follow("plants")
    await garden.change(SECRET, 10, LONG)
    await garden.database.write(
        run_all,
        *(f"INSERT INTO plant (id, secret) VALUES ({n}, '{LONG}')" for n in range(2, 6)),
    )
    async with asyncio.timeout(20):
        while not slow.brief:
            await asyncio.sleep(0.01)
    assert slow.brief == [("Error", 2, 1)]
    assert len(quick.brief) == 5
    await garden.change(SECRET, 9, MATCH)
    async with asyncio.timeout(20):
        while len(slow.brief) < 2:
            await asyncio.sleep(0.01)
    assert slow.brief[1] == ("Insert", 9, 2)


async def test_what_comes_behind_a_loss_in_a_lane_is_lost_as_well(garden):
    await garden.follow("plants", query=SLOW)
    channel = garden.broker._channels["plants"]
    (audience,) = channel.audiences()
    audience.lane = deque()
    audience.is_lane_lossy = True
    unknown = Change("insert", "main", "plant", 9, (), 9)
    garden.broker._delivery._defer(1, unknown, [(audience, channel)])
    assert not audience.lane


async def test_what_cannot_wait_is_lost_and_that_is_told_once(garden, monkeypatch):
    monkeypatch.setattr(module, "MAX_PENDING", 3)
    wire = await garden.follow("plants")
    other = await garden.follow("beds")
    await garden.database.write(run_all, *plants(2, 9))
    await garden.settle()
    await garden.change(PLANT, 10, "real again")

    assert wire.brief == [
        ("Insert", 2, 1), ("Insert", 3, 2), ("Insert", 4, 3), ("Error", 2, 4), ("Insert", 10, 5)
    ]  # fmt: skip
    assert other.brief == []


async def test_a_loss_is_told_at_its_place(garden, monkeypatch):
    """What comes while the backlog before a loss is worked off is behind it: lost as well."""
    monkeypatch.setattr(module, "MAX_PENDING", 100)
    wire = await garden.follow("plants")
    delivery = garden.broker._delivery

    def change(number):
        return Change("insert", "main", "plant", number, (number, *[None] * 8), number)

    delivery.receive([change(n) for n in range(1, 151)])
    delivery._step()
    delivery.receive([change(n) for n in range(151, 156)])
    await garden.settle()
    delivery.receive([change(200)])
    await garden.settle()
    assert wire.brief == [
        *[("Insert", n, n) for n in range(1, 101)], ("Error", 2, 101), ("Insert", 200, 102)
    ]  # fmt: skip


async def test_a_bug_while_judging_loses_that_change_only(garden, caplog, monkeypatch):
    wire = await garden.follow("plants")
    judge = module.judge

    def fail_once(*args):
        monkeypatch.setattr(module, "judge", judge)
        raise ZeroDivisionError

    monkeypatch.setattr(module, "judge", fail_once)
    await garden.change(PLANT, 2, "oak")
    await garden.change(PLANT, 3, "elm")
    assert wire.brief == [("Error", 2, 1), ("Insert", 3, 2)]
    assert "ZeroDivisionError" in caplog.text


async def test_a_pool_that_is_full_loses_the_change(garden, monkeypatch):
    wire = await garden.follow("slow")

    async def refuse(*args):
        raise OverloadedError

    monkeypatch.setattr(garden.database, "on_pool", refuse)
    await garden.change(PLANT, 2, "oak")
    assert wire.brief == [("Error", 2, 1)]


async def test_tables_that_nobody_watches_are_not_even_numbered(garden):
    await garden.follow("beds")
    await garden.change(PLANT, 2, "oak")
    assert garden.broker._delivery.position == 0


async def test_positions_are_settled_when_they_have_been_delivered(garden):
    await garden.follow("plants")
    delivery = garden.broker._delivery
    await garden.run(PLANT, 2, "oak")
    assert (delivery.position, delivery.settled) == (1, 0)
    await garden.settle()
    assert delivery.settled == 1


async def test_a_stop_forgets_what_waits(garden):
    wire = await garden.follow("plants")
    await garden.run(PLANT, 2, "oak")
    garden.broker._delivery.stop()
    await garden.settle()
    assert wire.brief == []


@pytest.mark.parametrize("table", ["pot", "jar"])
async def test_rows_with_virtual_columns_are_followed(garden, table):
    name = f"{table}s"
    key = 1 if table == "pot" else b"\x01" * 16
    wire = await garden.follow(name, key=key)
    await garden.change(f"INSERT INTO {table} (id, word) VALUES (?1, 'a')", key)
    await garden.change(f"UPDATE {table} SET word = 'b'")
    await garden.change(f"DELETE FROM {table}")

    assert wire.events[0]["Insert"]["loud"] == "A"
    assert wire.events[1]["Update"]["loud"] == "B"
    if table == "pot":
        assert wire.events[2]["Delete"] == {"id": 1, "loud": None, "word": None}
    else:  # only the row id is known, which says nothing
        assert wire.events[2]["Error"]["status"] == 2


async def test_changes_without_a_channel_any_more_do_no_harm(garden):
    wire = await garden.follow("plants")
    await garden.run(PLANT, 2, "oak")
    wire.stream.detach()
    await garden.settle()
    garden.broker._delivery.receive([Change("insert", "main", "plant", 9, (), 9)])
    await garden.settle()
    assert wire.brief == []
