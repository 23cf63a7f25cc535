import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.realtime.conftest import Wire
from trailbase_server.records.realtime import subscriber as module
from trailbase_server.records.realtime.subscriber import Subscriber

OK = b'{"Insert":{"id":%d},"seq":'


def events(*numbers):
    return [(n, OK % n) for n in numbers]


def make(epoch=None, since=0):
    left = []
    stream = Subscriber(b"u", "", None, since, epoch, 0.0, left.append)
    return stream, left


@pytest.fixture
def attached():
    stream, left = make()
    wire = Wire()
    stream.attach(wire)
    return stream, wire, left


def test_the_first_bytes_are_a_comment(attached):
    _, wire, _ = attached
    assert wire.data == b"8\r\n: ping\n\n\r\n"


def test_events_that_are_ready_together_are_one_write(attached):
    stream, wire, _ = attached
    stream.offer(events(1, 2), {}, 1.0)
    stream.offer(events(3), {}, 2.0)

    assert wire.writes == 3
    assert wire.text == (
        ": ping\n\n"
        'data: {"Insert":{"id":1},"seq":1}\n\ndata: {"Insert":{"id":2},"seq":2}\n\n'
        'data: {"Insert":{"id":3},"seq":3}\n\n'
    )


def test_streams_with_the_same_numbers_share_the_same_bytes():
    rendered = {}
    wires = []
    for _ in range(3):
        stream, _ = make()
        wire = Wire()
        stream.attach(wire)
        stream.offer(events(1), rendered, 1.0)
        wires.append(wire)
    assert len(rendered) == 1
    assert [wire.events for wire in wires] == [[{"Insert": {"id": 1}, "seq": 1}]] * 3

    stream.offer(events(2), {}, 1.0)
    stream.offer(events(3), rendered := {}, 1.0)
    assert list(rendered) == [(stream.render, 3)]


def test_what_comes_before_the_socket_is_there_waits():
    stream, _ = make()
    stream.offer(events(1, 2), {}, 1.0)
    wire = Wire()
    stream.attach(wire)
    stream.offer(events(3), {}, 1.0)
    assert wire.brief == [("Insert", 1, 1), ("Insert", 2, 2), ("Insert", 3, 3)]


def test_a_full_socket_is_left_alone(attached):
    stream, wire, _ = attached
    stream.pause()
    stream.offer(events(1), {}, 1.0)
    stream.offer(events(2), {}, 1.0)
    assert (wire.writes, stream.queued) == (1, 2)
    stream.resume()
    assert (wire.writes, stream.queued) == (2, 0)
    stream.offer(events(3), {}, 1.0)
    assert wire.brief == [("Insert", 1, 1), ("Insert", 2, 2), ("Insert", 3, 3)]


@pytest.mark.case("T-59")
def test_a_loss_is_told_once_and_what_follows_is_real(attached):
    stream, wire, _ = attached
    stream.pause()
    stream.offer(events(*range(1, 100)), {}, 1.0)
    assert (stream.queued, stream.dropped) == (module.MAX_QUEUED, 99 - module.MAX_QUEUED)
    stream.resume()
    stream.offer(events(100, 101), {}, 2.0)

    assert wire.brief[:64] == [("Insert", n, n) for n in range(1, 65)]
    assert wire.brief[64:] == [("Error", 2, 65), ("Insert", 100, 66), ("Insert", 101, 67)]


def test_large_events_fill_the_queue_earlier(attached):
    stream, _, _ = attached
    stream.pause()
    large = (1, b"x" * module.MAX_QUEUED_BYTES)
    stream.offer([large, large], {}, 1.0)
    assert (stream.queued, stream.dropped) == (1, 1)


def test_what_cannot_be_told_is_told_as_a_loss(attached):
    stream, wire, _ = attached
    stream.lose(1.0)
    stream.offer(events(5), {}, 1.0)
    assert wire.brief == [("Error", 2, 1), ("Insert", 5, 2)]


@pytest.mark.case("T-60")
def test_silence_is_broken_after_fifteen_seconds(attached):
    stream, wire, _ = attached
    stream.tick(module.SILENCE_S - 1, 0)
    assert wire.text == ": ping\n\n"
    stream.tick(module.SILENCE_S, 0)
    stream.tick(module.SILENCE_S + 1, 0)
    assert wire.text == ": ping\n\n:\n\n"
    stream.offer(events(1), {}, 29.0)
    stream.tick(31.0, 0)
    assert wire.text.count(":\n\n") == 1


@pytest.mark.case("T-57")
def test_a_client_that_does_not_read_is_cut_off(attached):
    stream, wire, left = attached
    stream.pause()
    stream.tick(module.STALL_S, 0)
    assert not wire.is_aborted
    stream.tick(module.STALL_S + 1, 0)
    assert wire.is_aborted
    assert left == [stream]


def test_a_client_that_reads_slowly_stays(attached):
    stream, wire, _ = attached
    stream.pause()
    stream.resume()
    stream.tick(module.STALL_S + 1, 0)
    assert not wire.is_aborted


def test_the_end_comes_after_the_queue(attached):
    stream, wire, left = attached
    stream.pause()
    stream.offer(events(1), {}, 1.0)
    stream.end((2, OK % 2))
    stream.end()
    stream.detach()

    assert wire.brief == [("Insert", 1, 1), ("Insert", 2, 2)]
    assert wire.is_ended
    assert left == [stream]


def test_a_stream_that_ends_before_its_socket_is_there_still_says_why():
    stream, _ = make()
    stream.end((1, OK % 1))
    wire = Wire()
    stream.attach(wire)
    assert wire.brief == [("Insert", 1, 1)]
    assert wire.is_ended


def test_a_client_that_goes_leaves_once(attached):
    stream, wire, left = attached
    stream.detach()
    stream.detach()
    assert left == [stream]
    assert not wire.is_ended


def test_ids_are_positions_behind_the_epoch():
    stream, _ = make("run", since=7)
    wire = Wire()
    stream.attach(wire)
    stream.offer(events(9, 11), {}, 1.0)
    stream.tick(100.0, 30)
    assert wire.text == (
        ": ping\nid: run-7\n\n"
        'id: run-9\ndata: {"Insert":{"id":9},"seq":1}\n\n'
        'id: run-11\ndata: {"Insert":{"id":11},"seq":2}\n\n'
        ":\nid: run-30\n\n"
    )


def test_the_id_of_a_loss_is_where_it_began():
    stream, _ = make("run")
    wire = Wire()
    stream.attach(wire)
    stream.pause()
    stream.offer(events(*range(1, 71)), {}, 1.0)
    stream.resume()
    ids = [line for line in wire.text.splitlines() if line.startswith("id: ")]
    assert ids[-2:] == ["id: run-64", "id: run-64"]
    assert stream.position == 64


def test_what_was_missed_comes_first():
    stream, _ = make("run", since=7)
    stream.offer(events(8), {}, 1.0)
    stream.backfill(events(5, 6), is_lossy=True)
    wire = Wire()
    stream.attach(wire)
    assert wire.brief == [
        ("Error", 2, 1), ("Insert", 5, 2), ("Insert", 6, 3), ("Insert", 8, 4)
    ]  # fmt: skip


# Aligned


def aligned(packet=200):
    stream = Subscriber(None, "", None, 0, None, 0.0, print, is_aligned=True)
    wire = Wire()
    wire.packet = packet
    wire.sizes = []
    write = wire.write
    wire.write = lambda data: (wire.sizes.append(len(data)), write(data))
    stream.attach(wire)
    return stream, wire


async def test_an_aligned_stream_writes_a_packet_in_each_round():
    stream, wire = aligned()
    stream.offer(events(*range(1, 9)), {}, 1.0)
    stream.offer(events(9, 10), {}, 1.0)
    assert len(wire.brief) == 2
    for _ in range(5):
        await asyncio.sleep(0)
    assert wire.brief == [("Insert", n, n) for n in range(1, 11)]
    assert len(wire.sizes) > 4
    assert max(wire.sizes) <= 200
    assert (stream.queued, stream._queued_bytes, stream.stuck_at) == (0, 0, None)

    stream.offer(events(11), {}, 2.0)
    assert wire.brief[-1] == ("Insert", 11, 11)


async def test_an_event_that_fits_into_no_packet_is_sent_alone():
    stream, wire = aligned(10)
    stream.offer(events(1, 2), {}, 1.0)
    await asyncio.sleep(0)
    assert wire.brief == [("Insert", 1, 1), ("Insert", 2, 2)]
    assert len(wire.sizes) == 3


async def test_an_aligned_stream_stops_when_the_socket_is_full():
    stream, wire = aligned(10)
    stream.pause()
    stream.offer(events(*range(1, 80)), {}, 1.0)
    stream.resume()
    await asyncio.sleep(0)
    assert len(wire.brief) == 2
    stream.pause()
    await asyncio.sleep(0)
    assert len(wire.brief) == 2
    stream.resume()
    for _ in range(70):
        await asyncio.sleep(0)
    assert wire.brief == [*[("Insert", n, n) for n in range(1, 65)], ("Error", 2, 65)]
    stream.offer(events(90), {}, 1.0)
    assert wire.brief[-1] == ("Insert", 90, 66)


async def test_an_aligned_stream_that_ends_sends_the_rest():
    stream, wire = aligned(10)
    stream.offer(events(1, 2, 3), {}, 1.0)
    stream.end()
    await asyncio.sleep(0)
    assert wire.brief == [("Insert", n, n) for n in range(1, 4)]
    assert wire.is_ended


# All of it


@pytest.mark.case("T-59")
@given(
    st.booleans(),
    st.lists(
        st.one_of(
            st.integers(1, 80), st.sampled_from(["pause", "resume", "lose", "tick", "round"])
        ),
        max_size=25,
    ),
)
@settings(max_examples=150)
async def test_whatever_happens_every_event_arrives_or_is_told_as_lost(is_aligned, steps):
    stream = Subscriber(None, "", None, 0, None, 0.0, print, is_aligned=is_aligned)
    wire = Wire()
    wire.packet = 200
    stream.attach(wire)
    last, losses = 0, 0
    for at, step in enumerate(steps):
        match step:
            case int():
                stream.offer(events(*range(last + 1, last + step + 1)), {}, float(at))
                last += step
            case "pause":
                stream.pause()
            case "resume":
                stream.resume()
            case "lose":
                stream.lose(float(at))
                losses += 1
            case "tick":
                stream.tick(float(at), last)
            case "round":
                await asyncio.sleep(0)
    stream.resume()
    for _ in range(80):
        await asyncio.sleep(0)

    assert [seq for *_, seq in wire.brief] == list(range(1, len(wire.brief) + 1))
    expected, gap = 1, False
    for kind, number, _ in wire.brief:
        if kind == "Error":
            gap = True
            continue
        assert number == expected or (gap and number > expected), wire.brief
        expected, gap = number + 1, False
    assert expected == last + 1 or gap
    told = sum(kind == "Error" for kind, *_ in wire.brief)
    assert told <= losses + (1 if stream.dropped else 0) * len(steps)
    assert told >= bool(stream.dropped)
    assert (stream.queued, stream.is_lossy, stream.stuck_at) == (0, False, None)


# Pulled


async def test_a_stream_can_be_pulled():
    stream, _ = make()
    batches = stream.batches()
    assert await anext(batches) == [b": ping\n\n"]
    stream.offer(events(1, 2), {}, 1.0)
    assert b"".join(await anext(batches)).count(b"data: ") == 2
    pulled = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    stream.offer(events(3), {}, 1.0)
    assert await pulled == [b'data: {"Insert":{"id":3},"seq":3}\n\n']

    stream.tick(100.0, 0)
    assert await anext(batches) == [b":\n\n"]
    stream.end((4, OK % 4))
    assert await anext(batches) == [b'data: {"Insert":{"id":4},"seq":4}\n\n']
    with pytest.raises(StopAsyncIteration):
        await anext(batches)


async def test_a_pulled_stream_has_ids_too():
    stream, _ = make("run")
    batches = stream.batches()
    assert await anext(batches) == [b": ping\nid: run-0\n\n"]
    stream.offer(events(1, 2), {}, 1.0)
    assert b"".join(await anext(batches)).count(b"id: run-") == 2


async def test_a_pulled_stream_that_nobody_pulls_loses_events_and_says_so():
    stream, left = make()
    messages = stream.messages()
    stream.offer(events(*range(1, 80)), {}, 1.0)
    pulled = await anext(messages)
    assert len(pulled) == module.MAX_QUEUED + 1
    assert pulled[-1].startswith(b'{"Error":{"status":2')
    assert pulled[-1].endswith(b',"seq":65}')

    stream.offer(events(80), {}, 2.0)
    stream.tick(2.0 + module.STALL_S + 1, 0)
    assert left == [stream]
    with pytest.raises(StopAsyncIteration):
        await anext(messages)


async def test_messages_are_silent_when_nothing_happens():
    stream, _ = make()
    messages = stream.messages()
    pulled = asyncio.ensure_future(anext(messages))
    await asyncio.sleep(0)
    stream.tick(100.0, 0)
    await asyncio.sleep(0.01)
    assert not pulled.done()
    stream.offer(events(1), {}, 101.0)
    assert await pulled == [b'{"Insert":{"id":1},"seq":1}']
