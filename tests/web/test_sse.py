import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.web.sse import EVENT_STREAM, GREETING, HEARTBEAT, frame_chunk


@given(st.binary(min_size=1, max_size=70_000))
def test_a_chunk_says_how_long_it_is(data):
    size, _, rest = frame_chunk(data).partition(b"\r\n")
    assert int(size, 16) == len(data)
    assert rest == data + b"\r\n"


def test_comments_are_messages_without_data():
    for comment in (GREETING, HEARTBEAT):
        assert re.fullmatch(rb":[^\n]*\n\n", comment)


@pytest.mark.case("T-60")
def test_nobody_on_the_way_may_keep_a_stream():
    assert dict(EVENT_STREAM) == {
        b"content-type": b"text/event-stream",
        b"cache-control": b"no-cache",
        b"x-accel-buffering": b"no",
    }
