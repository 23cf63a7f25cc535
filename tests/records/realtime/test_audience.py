from collections import deque

import pytest

from trailbase_server.db.base import Change
from trailbase_server.db.errors import BusyError, OverBudgetError
from trailbase_server.query.parse import InvalidQueryError, parse_subscribe_query
from trailbase_server.records.realtime import audience as module
from trailbase_server.records.realtime.audience import Channel, judge, table_of
from trailbase_server.records.realtime.plan import EVENTS_LOST, compile_event_plan
from trailbase_server.records.realtime.subscriber import Subscriber


def channel_of(garden, name="plants"):
    return Channel(compile_event_plan(garden.apis[name], garden.catalog))


def node(query):
    return parse_subscribe_query(query).filter


def change(action="update", row_id=1, owner=None, name="rose"):
    values = (row_id, owner, 1, name, None, None, None, None, None)
    return Change(action, "main", "plant", row_id, values, row_id)


def kinds(verdicts):
    return [
        (audience, verdict.event[1][2:].split(b'"', 1)[0].decode(), verdict.is_last)
        for verdict in verdicts
        for audience in verdict.audiences
    ]


async def test_who_would_get_the_same_answers_is_one_audience(garden):
    channel = channel_of(garden)
    same = channel.find(None, None, node("filter[plot]=1"))
    assert channel.find(None, None, node("filter[plot]=1")) is same
    for other in ((1, None, "filter[plot]=1"), (None, b"u", "filter[plot]=1"),
                  (None, None, "filter[plot]=2"), (None, None, "")):  # fmt: skip
        assert channel.find(other[0], other[1], node(other[2])) is not same
    assert len(channel.audiences()) == 5


async def test_a_change_concerns_its_record_and_the_whole_table(garden):
    channel = channel_of(garden)
    table, first, second = [channel.find(key, None, None) for key in (None, 1, 2)]

    assert kinds(judge(garden.database.read, 1, change(), [channel])) == [
        (table, "Update", False), (first, "Update", False)
    ]  # fmt: skip
    assert kinds(judge(garden.database.read, 2, change("delete", 2), [channel])) == [
        (table, "Delete", False), (second, "Delete", True)
    ]  # fmt: skip


async def test_an_event_is_rendered_once_for_all(garden):
    channel = channel_of(garden)
    for user in (None, garden.rosa, garden.sam):
        channel.find(None, user, None)
    verdicts = judge(garden.database.read, 1, change(), [channel])
    assert [len(verdict.audiences) for verdict in verdicts] == [3]


async def test_a_record_that_may_no_longer_be_seen_is_an_error_and_the_end(garden):
    channel = channel_of(garden, "own")
    channel.find(None, garden.sam, None)
    record = channel.find(1, garden.sam, None)
    verdicts = judge(garden.database.read, 1, change(owner=garden.rosa), [channel])
    assert kinds(verdicts) == [(record, "Error", True)]


async def test_a_filter_is_asked_once_for_all_users(garden):
    channel = channel_of(garden)
    for user in (None, garden.rosa, garden.sam):
        channel.find(None, user, node("filter[name][$like]=r%25"))
    asked = []

    def read(sql, params):
        asked.append(sql)
        return garden.database.read(sql, params)

    assert len(kinds(judge(read, 1, change(), [channel]))) == 3
    assert not judge(read, 2, change(name="oak"), [channel])
    assert len(asked) == 2


async def test_where_nothing_can_be_known_the_loss_is_told(garden):
    channel = channel_of(garden)
    channel.find(None, None, None)
    unknown = Change("update", "main", "plant", 77, (), 77)
    assert [v.event for v in judge(garden.database.read, 5, unknown, [channel])] == [
        (5, EVENTS_LOST)
    ]


async def test_a_database_that_is_away_is_a_loss_and_a_slow_one_is_not(garden):
    channel = channel_of(garden, "own")
    channel.find(None, garden.rosa, None)
    for error, expected in ((BusyError, [(3, EVENTS_LOST)]), (OverBudgetError, None)):

        def read(sql, params, error=error):
            raise error

        if expected is None:
            with pytest.raises(OverBudgetError):
                judge(read, 3, change(), [channel])
        else:
            assert [v.event for v in judge(read, 3, change(), [channel])] == expected


async def test_a_slow_filter_falls_behind_and_holds_up_nobody(garden):
    channel = channel_of(garden)
    slow, same = [channel.find(None, user, node("filter[name][$like]=a")) for user in (None, b"u")]
    other = channel.find(None, None, node("filter[note]=1"))
    whole = channel.find(None, None, None)
    asked = []

    def read(sql, params):
        asked.append(sql)
        if "LIKE" in sql:
            raise OverBudgetError
        return garden.database.read(sql, params)

    for _ in range(2):
        behind = []
        verdicts = judge(read, 1, change(), [channel], behind)
        assert [audience for audience, _, _ in kinds(verdicts)] == [whole]
        assert behind == [(slow, channel), (same, channel)]
    assert len(asked) == 3, "the slow one is not tried again soon"

    with pytest.raises(OverBudgetError):
        judge(read, 1, change(), [channel.alone(slow)])
    assert other.slow_until == 0


async def test_a_filter_that_was_slow_is_remembered(garden, monkeypatch):
    channel = channel_of(garden)
    audience = channel.find(None, None, node("filter[name][$like]=rose"))
    monkeypatch.setattr(module, "FILTER_BUDGET_S", 10.0)
    judge(garden.database.read, 1, change(), [channel], [])
    assert audience.slow_until == 0
    monkeypatch.setattr(module, "FILTER_BUDGET_S", 0.0)
    assert judge(garden.database.read, 1, change(), [channel], behind := [])
    assert not behind
    assert not judge(garden.database.read, 1, change(), [channel], behind)
    assert behind == [(audience, channel)]


async def test_who_is_behind_is_not_overtaken(garden):
    channel = channel_of(garden)
    behind = []
    late = channel.find(None, None, node("filter[name][$like]=rose"))
    early = channel.find(None, b"u", node("filter[name][$like]=rose"))
    late.lane = deque()
    verdicts = judge(garden.database.read, 1, change(), [channel], behind)
    assert [audience for audience, _, _ in kinds(verdicts)] == [early]
    assert behind == [(late, channel)]


async def test_an_audience_without_members_is_forgotten(garden):
    channel = channel_of(garden)
    audiences = [channel.find(key, None, None) for key in (None, 1)]
    for audience in audiences:
        channel.discard(audience)
    assert not channel
    assert channel.concerned(1) == ()
    assert not channel._by_record


async def test_an_audience_knows_its_latest_member(garden):
    audience = channel_of(garden).find(None, None, None)
    for since in (3, 9, 5):
        audience.add(Subscriber(None, "", None, since, None, 0.0, print))
    assert (audience.since, len(audience.members)) == (9, 3)


async def test_a_new_schema_keeps_who_still_makes_sense(garden):
    channel = channel_of(garden)
    whole = channel.find(None, None, None)
    filtered = channel.find(None, None, node("filter[secret]=x"))
    assert channel.follow(garden.apis["some"], garden.catalog) == [filtered]
    assert channel.audiences() == (whole,)
    assert b"secret" not in judge(garden.database.read, 1, change(), [channel])[0].event[1]

    await garden.run("DROP TABLE plant")
    garden.load()
    assert channel.follow(channel.plan.api, garden.catalog) == [whole]
    assert not channel


async def test_a_filter_that_does_not_fit_makes_no_audience(garden):
    channel = channel_of(garden)
    with pytest.raises(InvalidQueryError):
        channel.find(None, None, node("filter[nope]=1"))
    assert not channel


async def test_an_audience_can_be_judged_alone(garden):
    channel = channel_of(garden)
    channel.find(None, garden.rosa, None)
    mine = channel.find(1, None, node("filter[name]=rose"))
    alone = channel.alone(mine)
    (verdict,) = judge(garden.database.read, 1, change(), [alone])
    assert verdict.audiences == [mine]


async def test_tables_are_named_as_changes_name_them(garden):
    assert table_of(garden.apis["plants"]) == ("main", "plant")
