"""Moments as people write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import OperatorError
from trailbase_server.replication.moment import parse_moment, render_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("latest", None),
        ("1790000000", 1790000000.0),
        ("1790000000.5", 1790000000.5),
        ("2026-09-21T14:13:20Z", 1790000000.0),
        ("2026-09-21t14:13:20.5z", 1790000000.5),
        ("2026-09-21 16:13:20+02:00", 1790000000.0),
        ("2026-09-21T14:13:20.123456789Z", 1790000000.123456),
    ],
)
def test_a_moment_is_read(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "-5", "1e9", "2026-09-21", "2026-09-21T14:13:20", "2026-13-21T14:13:20Z",
     "999999999999", "2026-09-21T14:13:20+99:00", "٣"],
)  # fmt: skip
def test_what_is_none_is_refused(text):
    with pytest.raises(OperatorError, match="is no moment"):
        parse_moment(text)


@given(st.integers(0, 4_000_000_000_000_000))
def test_what_is_written_is_read_again(microseconds):
    moment = microseconds / 1_000_000
    assert parse_moment(render_moment(moment)) == pytest.approx(moment, abs=2e-6)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_refused(text):
    with suppress(OperatorError):
        parse_moment(text)
