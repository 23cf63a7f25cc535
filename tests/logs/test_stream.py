"""Lines on a pipe: whole, bounded, and never in the way of requests."""

import json
import os
import threading
import time
from contextlib import suppress

import pytest

from trailbase_server.logs import stream
from trailbase_server.logs.keep import Keep
from trailbase_server.logs.stream import LineStream


def entry(url="/", status=200):
    return (1.5, status, "GET", url, 0.25, "", b"", b"", None, b"", "1.1", "", None)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        with suppress(OSError):
            os.close(descriptor)


def lines(descriptor):
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return [json.loads(line) for line in file]


def test_entries_become_lines_in_their_order(pipe):
    reading, writing = pipe
    out = LineStream(writing)
    for number in range(300):
        out.append(entry(f"/{number}"))
    out.close()
    out.close()
    os.close(writing)
    assert [line["uri"] for line in lines(reading)] == [f"/{number}" for number in range(300)]
    assert (out.dropped, out.waiting) == (0, 0)


def test_lines_come_without_being_asked_for(pipe):
    reading, writing = pipe
    out = LineStream(writing)
    out.append(entry("/one"))
    assert b"/one" in os.read(reading, 65_536)
    out.append(entry("/two"))
    assert b"/two" in os.read(reading, 65_536)
    out.close()


def test_a_closed_pipe_is_told_once_and_counted(pipe, caplog):
    reading, writing = pipe
    os.close(reading)
    out = LineStream(writing)
    out.append(entry())
    deadline = time.monotonic() + 5
    while out.dropped == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    out.append(entry())
    out.close()
    assert out.dropped == 2
    assert caplog.text.count("Nobody reads the access log any more") == 1


def test_a_reader_that_does_not_read_holds_nobody_up(pipe, monkeypatch):
    monkeypatch.setattr(stream, "CLOSE_S", 0.1)
    reading, writing = pipe
    out = LineStream(writing, max_waiting=1_000)
    started = time.monotonic()
    for number in range(20_000):
        out.append(entry(f"/{number}"))
        if number % 1_000 == 0:
            time.sleep(0.01)
    assert out.waiting <= 1_000
    assert out.dropped > 10_000
    out.close()
    assert time.monotonic() - started < 5
    os.close(reading)  # lets the thread go
    for thread in threading.enumerate():
        if thread.name == "access-lines":
            thread.join(5)


def test_what_is_not_to_be_kept_is_not_written(pipe):
    reading, writing = pipe
    out = LineStream(writing)
    out.keep = Keep(excluded=("/health",))
    out.append(entry("/health"))
    out.append(entry("/other"))
    out.close()
    os.close(writing)
    assert [line["uri"] for line in lines(reading)] == ["/other"]


def test_one_odd_entry_does_not_take_others_along(pipe):
    reading, writing = pipe
    out = LineStream(writing)
    out.append(entry("/\ud800"))
    out.append(entry("/good"))
    out.close()
    os.close(writing)
    (line,) = lines(reading)
    assert line["uri"] == "/good"


def test_without_entries_there_is_no_thread(pipe):
    LineStream(pipe[1]).close()
    assert not any(thread.name == "access-lines" for thread in threading.enumerate())


def test_a_pipe_that_does_not_block_is_tried_again(pipe):
    reading, writing = pipe
    os.set_blocking(writing, False)
    out = LineStream(writing)
    for number in range(2_000):
        out.append(entry(f"/{number:0100}"))
    read = b""
    while read.count(b"\n") < 2_000:
        read += os.read(reading, 65_536)
    out.close()
    assert out.dropped == 0
