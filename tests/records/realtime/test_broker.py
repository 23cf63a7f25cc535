import asyncio

import pytest

from tests.records.realtime.conftest import CONFIG, run_all
from trailbase_server.errors import (
    ForbiddenError,
    MethodNotAllowedError,
    TooManyRequestsError,
    UnavailableError,
)
from trailbase_server.query.parse import InvalidQueryError
from trailbase_server.records.realtime import broker as module
from trailbase_server.records.realtime import seats

PLANT = "INSERT INTO plant (id, name) VALUES (?1, ?2)"


async def test_every_change_of_a_table_is_announced_in_order(garden):
    wire = await garden.follow("plants")
    await garden.change(PLANT, 2, "oak")
    await garden.change("UPDATE plant SET name = 'ash' WHERE id = 2")
    await garden.change("DELETE FROM plant WHERE id = 2")

    assert wire.text.startswith(": ping\n\ndata: ")
    assert wire.brief == [("Insert", 2, 1), ("Update", 2, 2), ("Delete", 2, 3)]
    assert wire.events[2]["Delete"]["name"] == "ash"


async def test_a_record_has_a_stream_of_its_own_that_ends_with_it(garden):
    wire = await garden.follow("plants", key=1)
    await garden.change(PLANT, 2, "oak")
    await garden.change("UPDATE plant SET name = 'briar'")
    await garden.change("DELETE FROM plant WHERE id = 1")
    await garden.change(PLANT, 1, "another rose")

    assert wire.brief == [("Update", 1, 1), ("Delete", 1, 2)]
    assert wire.is_ended
    assert garden.broker.statistics.streams == 0


async def test_a_record_is_known_by_its_key_not_by_its_row_id(garden):
    key = bytes.fromhex("01900000000070008000000000000102")
    await garden.run("INSERT INTO bed VALUES (?1, 'one')", key)
    wire = await garden.follow("beds", key=key)
    await garden.change("INSERT INTO bed VALUES (uuid_v7(), 'two')")
    await garden.change("UPDATE bed SET word = 'three' WHERE id = ?1", key)

    assert [event["Update"]["word"] for event in wire.events] == ["three"]


@pytest.mark.case("T-54")
async def test_what_was_rolled_back_is_no_news(garden):
    wire = await garden.follow("plants")
    with pytest.raises(Exception, match="constraint"):
        await garden.database.write(
            run_all, "INSERT INTO plant (id) VALUES (5)", "INSERT INTO plant (id) VALUES (1)"
        )
    await garden.change(PLANT, 6, "elm")

    assert wire.brief == [("Insert", 6, 1)]


async def test_whoever_comes_later_hears_nothing_of_what_was_before(garden):
    early = await garden.follow("plants")
    await garden.run(PLANT, 2, "oak")
    assert garden.broker.statistics.pending == 1
    late = await garden.follow("plants")
    await garden.run(PLANT, 3, "elm")
    await garden.settle()

    assert early.brief == [("Insert", 2, 1), ("Insert", 3, 2)]
    assert late.brief == [("Insert", 3, 1)]


async def test_a_late_stream_is_not_ended_by_an_old_deletion(garden):
    first = await garden.follow("plants", key=1)
    await garden.database.write(
        run_all, "DELETE FROM plant WHERE id = 1", "INSERT INTO plant (id) VALUES (1)"
    )
    assert garden.broker.statistics.pending == 2
    late = await garden.follow("plants", key=1)
    await garden.settle()
    await garden.change("UPDATE plant SET name = 'third' WHERE id = 1")

    assert first.is_ended
    assert late.brief == [("Update", 1, 1)]


@pytest.mark.case("T-52")
async def test_the_rule_decides_for_each_user(garden):
    wires = {
        user: await garden.follow("plot", user=user)
        for user in (garden.rosa, garden.sam, garden.uma, None)
    }
    await garden.change("INSERT INTO plant (id, plot) VALUES (2, 1)")
    await garden.change("INSERT INTO plant (id, plot) VALUES (3, 2)")
    await garden.change("UPDATE plant SET plot = 2 WHERE id = 2")

    assert wires[garden.rosa].brief == [("Insert", 2, 1)]
    assert wires[garden.sam].brief == [("Insert", 2, 1), ("Insert", 3, 2), ("Update", 2, 3)]
    assert wires[garden.uma].brief == wires[None].brief == []


@pytest.mark.case("T-52")
async def test_losing_access_to_a_record_ends_its_stream_with_an_error(garden):
    wire = await garden.follow("own", key=1, user=garden.rosa)
    await garden.change("UPDATE plant SET owner = ?1 WHERE id = 1", garden.sam)

    assert wire.events == [{"Error": {"status": 1, "message": "Access denied"}, "seq": 1}]
    assert wire.is_ended


async def test_table_permission_counts_at_every_event(garden):
    wire = await garden.follow("members", user=garden.rosa)
    await garden.change(PLANT, 2, "oak")
    garden.load(
        CONFIG.replace(
            'name: "members" table_name: "plant" acl_authenticated: [READ]',
            'name: "members" table_name: "plant"',
        )
    )
    await garden.change(PLANT, 3, "elm")

    assert wire.brief == [("Insert", 2, 1)]


async def test_filters_select_events(garden):
    wire = await garden.follow("plants", query="filter[height][$gt]=2&filter[name][$like]=o%25")
    await garden.change("INSERT INTO plant (id, name, height) VALUES (2, 'oak', 3)")
    await garden.change("INSERT INTO plant (id, name, height) VALUES (3, 'oats', 1)")
    await garden.change("INSERT INTO plant (id, name, height) VALUES (4, 'elm', 3)")
    await garden.change("DELETE FROM plant")

    assert wire.brief == [("Insert", 2, 1), ("Delete", 2, 2)]


@pytest.mark.parametrize(
    "query",
    [
        "filter[nope]=1",
        "filter[plot]=many",
        "filter[_hidden]=x",
        "filter[secret]=x",
        "filter[name][$re]=(",
        "filter[owner][@within]=POINT (1 2",
    ],
)
async def test_a_filter_that_does_not_fit_is_refused_at_once(garden, query):
    with pytest.raises(InvalidQueryError):
        await garden.follow("some", query=query)
    assert garden.broker.statistics.streams == 0


async def test_nothing_is_collected_when_nobody_subscribes(garden, monkeypatch):
    monkeypatch.setattr(module, "IDLE_S", 0.0)
    changes = garden.database._turns.changes
    assert not changes.active
    wire = await garden.follow("plants")
    assert changes.active
    wire.stream.detach()
    garden.broker._tick()
    await asyncio.sleep(0.01)
    assert not changes.active

    again = await garden.follow("plants")
    await garden.change(PLANT, 2, "oak")
    assert again.brief == [("Insert", 2, 1)]


@pytest.mark.case("T-55")
async def test_a_user_who_logs_out_loses_the_streams(garden):
    mine = await garden.follow("plants", user=garden.rosa)
    other = await garden.follow("plants", user=garden.sam)
    garden.broker.close_user(garden.rosa)
    await garden.change(PLANT, 2, "oak")

    assert mine.events == [{"Error": {"status": 1, "message": "Session ended"}, "seq": 1}]
    assert mine.is_ended
    assert other.brief == [("Insert", 2, 1)]


@pytest.mark.case("T-55")
async def test_a_token_that_runs_out_ends_its_streams(garden):
    garden.clock.at = 2.0**40  # when the token expires
    wire = await garden.follow("plants", user=garden.rosa)
    anonymous = await garden.follow("plants")
    garden.broker._tick()
    assert not wire.is_ended
    garden.clock.advance(module.LEEWAY_S + 1)
    garden.broker._tick()

    assert wire.is_ended
    assert not anonymous.is_ended


async def test_streams_survive_a_change_of_the_configuration(garden):
    wire = await garden.follow("plants", query="filter[name]=oak")
    await garden.run("ALTER TABLE plant ADD COLUMN colour TEXT DEFAULT 'green'")
    garden.load()
    await garden.change(PLANT, 2, "oak")

    assert wire.events[0]["Insert"]["colour"] == "green"


@pytest.mark.case("T-55")
async def test_streams_end_when_their_api_or_its_subscriptions_go(garden):
    kept, gone, off = [await garden.follow(name) for name in ("plants", "beds", "pots")]
    filtered = await garden.follow("some", query="filter[height]=1")
    lines = [line for line in CONFIG.splitlines() if '"beds"' not in line]
    config = "\n".join(lines)
    config = config.replace(
        '"pots" table_name: "pot" acl_world: [READ] enable_subscriptions: true',
        '"pots" table_name: "pot"',
    )
    config = config.replace('["secret", "note"]', '["secret", "height"]')
    garden.load(config)

    assert (kept.is_ended, gone.is_ended, off.is_ended) == (False, True, True)
    assert filtered.is_ended
    assert garden.broker.statistics.streams == 1


@pytest.mark.case("T-51")
async def test_only_apis_with_subscriptions_have_streams(garden):
    stale = garden.apis["plants"]
    garden.load(CONFIG.replace("enable_subscriptions: true", ""))
    with pytest.raises(ForbiddenError):
        await garden.follow("plants")
    garden.broker.configure({}, garden.catalog)
    with pytest.raises(MethodNotAllowedError):
        await garden.broker.subscribe(stale, module.Subscription())
    assert garden.broker.statistics.streams == 0


@pytest.mark.case("T-57")
async def test_the_number_of_streams_is_bounded(garden, monkeypatch):
    monkeypatch.setattr(seats, "MAX_STREAMS_FROM_ADDRESS", 1)
    wire = await garden.follow("plants", address="192.0.2.1")
    with pytest.raises(TooManyRequestsError):
        await garden.follow("plants", address="192.0.2.1")
    wire.stream.detach()
    await garden.follow("plants", address="192.0.2.1")


async def test_closing_ends_all_streams_and_admits_no_more(garden):
    wires = [await garden.follow("plants"), await garden.follow("plants", key=1)]
    garden.broker.close()

    assert all(wire.is_ended for wire in wires)
    with pytest.raises(UnavailableError):
        await garden.follow("plants")


async def test_the_statistics_count(garden):
    wire = await garden.follow("plants")
    await garden.change(PLANT, 2, "oak")
    wire.stream.pause()
    await garden.change(PLANT, 3, "elm")
    now = garden.broker.statistics
    assert (now.streams, now.sent, now.queued, now.pending, now.dropped) == (1, 1, 1, 0, 0)
    wire.stream.detach()
    assert (garden.broker.statistics.streams, garden.broker.statistics.sent) == (0, 1)


# Coming back


def last_id(wire):
    return [line for line in wire.text.splitlines() if line.startswith("id: ")][-1][4:]


async def test_a_client_that_comes_back_gets_what_it_has_missed(garden):
    wire = await garden.follow("plot", user=garden.rosa, resumable=True)
    await garden.change("INSERT INTO plant (id, plot) VALUES (2, 1)")
    wire.stream.detach()
    for number, plot in ((3, 1), (4, 2), (5, 1)):
        await garden.change("INSERT INTO plant (id, plot) VALUES (?1, ?2)", number, plot)
    back = await garden.follow(
        "plot", user=garden.rosa, resumable=True, last_event_id=last_id(wire)
    )
    await garden.change("INSERT INTO plant (id, plot) VALUES (6, 1)")

    assert back.brief == [("Insert", 3, 1), ("Insert", 5, 2), ("Insert", 6, 3)]
    assert last_id(back) != last_id(wire)


async def test_whoever_has_seen_nothing_yet_can_come_back_too(garden):
    wire = await garden.follow("plants", resumable=True)
    wire.stream.detach()
    await garden.change(PLANT, 2, "oak")
    back = await garden.follow("plants", resumable=True, last_event_id=last_id(wire))
    assert back.brief == [("Insert", 2, 1)]


@pytest.mark.parametrize("last_event_id", ["other-1", "", "nonsense", "{epoch}-99"])
async def test_what_is_no_longer_known_is_a_loss(garden, last_event_id):
    text = last_event_id.format(epoch=garden.broker._epoch)
    wire = await garden.follow("plants", resumable=True, last_event_id=text)
    await garden.change(PLANT, 2, "oak")
    assert wire.brief == [("Error", 2, 1), ("Insert", 2, 2)]


async def test_a_record_that_was_deleted_meanwhile_ends_the_stream(garden):
    wire = await garden.follow("plants", key=1, resumable=True)
    wire.stream.detach()
    await garden.change("DELETE FROM plant WHERE id = 1")
    back = await garden.follow("plants", key=1, resumable=True, last_event_id=last_id(wire))

    assert back.brief == [("Delete", 1, 1)]
    assert back.is_ended


async def test_histories_are_kept_for_a_while_after_the_last_stream(garden, monkeypatch):
    wire = await garden.follow("plants", resumable=True)
    wire.stream.detach()
    garden.broker._tick()
    assert garden.broker._delivery.histories
    monkeypatch.setattr(module, "KEPT_S", 0.0)
    garden.broker._tick()
    assert not garden.broker._delivery.histories


async def test_when_a_backup_is_put_back_all_streams_end_and_none_is_resumed(garden):
    wire = await garden.follow("plants", resumable=True)
    await garden.change(PLANT, 2, "oak")
    garden.broker.end_all()
    assert wire.is_ended
    back = await garden.follow("plants", resumable=True, last_event_id=last_id(wire))
    await garden.change(PLANT, 3, "elm")
    assert back.brief == [("Error", 2, 1), ("Insert", 3, 2)]
