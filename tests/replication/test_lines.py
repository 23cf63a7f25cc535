"""Litestream's words in our log."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.clock import FrozenClock
from trailbase_server.replication.lines import MAX_KINDS, MAX_LINE, PAUSE_S, LogLines


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.DEBUG, "trailbase_server.litestream")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def line(level, message, **fields):
    return json.dumps({"time": "now", "level": level, "msg": message, **fields})


def test_levels_and_details_are_kept(told):
    lines = LogLines()
    twice = '{"level":"INFO","msg":"compaction complete","db":"main.db","level":1}'
    lines.take(twice)
    lines.take(line("WARN", "slow", db="main.db"))
    lines.take(line("ERROR", "sync error", db="main.db", error="no bucket"))
    lines.take(line("DEBUG", "verify"))
    lines.take(line("STRANGE", "what"))
    assert told() == [
        ("INFO", "compaction complete (db main.db)"),
        ("WARNING", "slow (db main.db)"),
        ("ERROR", "sync error (db main.db): no bucket"),
        ("DEBUG", "verify"),
        ("INFO", "what"),
    ]
    assert lines.last_problem == "sync error (db main.db): no bucket"


def test_what_is_no_json_is_a_warning(told):
    lines = LogLines()
    lines.take("Error: cannot open store\x1b[31m")
    lines.take("")
    lines.take("[1]")
    assert told() == [("WARNING", "Error: cannot open store [31m"), ("WARNING", "[1]")]


def test_the_same_complaint_is_told_once_a_minute(told):
    clock = FrozenClock(1_000_000)
    lines = LogLines(clock=clock)
    for name in ("main", "tide", "session"):
        lines.take(line("ERROR", "sync error", db=name, error="no bucket"))
    clock.advance(PAUSE_S + 1)
    lines.take(line("ERROR", "sync error", db="main", error="still none"))
    assert [text for _, text in told()] == [
        "sync error (db main): no bucket",
        "sync error (db main): still none",
    ]


def test_it_remembers_a_bounded_number(told):
    lines = LogLines()
    for number in range(MAX_KINDS * 3):
        lines.take(line("ERROR", f"kind {number}"))
    assert len(lines._told) <= MAX_KINDS


def test_secrets_are_struck_out_and_long_lines_cut(told):
    lines = LogLines(["the-secret"])
    lines.take(line("ERROR", "denied", error="the-secret was wrong" + "x" * 10_000))
    [(_, text)] = told()
    assert text.startswith("denied: … was wrong")
    assert len(text) == MAX_LINE + 1


@given(st.text())
def test_any_line_is_taken(text):
    LogLines().take(text)
