import json
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.cli.logging import (
    LEVELS,
    SERVING,
    JsonFormatter,
    LineFormatter,
    TargetFilter,
    configure_logging,
    parse_directives,
)


@pytest.fixture
def log(capsys):
    """Configure logging and log everything; returns the text that arrived."""

    def log(environ, *names, default="info"):
        configure_logging(default, environ)
        for name in names:
            for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
                logging.getLogger(name).log(number, "hello")
        return capsys.readouterr().err

    return log


def pairs(text):
    return re.findall(r"Z (\w+) +(\S+)\]", text)


def record(message, *args, **more):
    return logging.LogRecord("trailbase_server.x", logging.INFO, "", 0, message, args, None, **more)


def render(entry, *, colour=False):
    return LineFormatter(colour=colour).format(entry)


def test_a_line_has_time_level_and_target():
    entry = record("hello %s", "you")
    entry.created = 1769420569.389097
    assert render(entry) == "[2026-01-26T09:42:49.389097Z INFO  trailbase_server.x] hello you"


@pytest.mark.parametrize(
    ("number", "name"),
    [(logging.WARNING, "WARN "), (logging.ERROR, "ERROR"), (logging.CRITICAL, "ERROR")],
)
def test_levels_have_five_letters(number, name):
    entry = record("hello")
    entry.levelno, entry.levelname = number, logging.getLevelName(number)
    assert f"Z {name} trailbase_server.x] hello" in render(entry)


def test_colour_is_for_the_level_only():
    assert "Z \x1b[32mINFO \x1b[0m trailbase_server.x]" in render(record("hello"), colour=True)


@pytest.mark.case("T-50")
def test_a_message_cannot_pass_for_another_line_or_drive_the_terminal():
    text = render(record("a\n[2026-01-26T09:42:49Z ERROR x] forged\r\x1b[2J"))
    assert [line[:1] for line in text.splitlines()] == ["[", "\t"]
    assert text.endswith("forged\\x0d\\x1b[2J")


def test_a_traceback_is_indented():
    entry = record("failed")
    try:
        int("x")
    except ValueError:
        entry.exc_info = sys.exc_info()
    first, *rest = render(entry).splitlines()
    assert first.endswith("] failed")
    assert rest[-1].startswith("\tValueError: invalid literal")
    assert all(line.startswith("\t") for line in rest)


@given(st.text())
def test_any_message_is_one_line_and_its_continuation(message):
    lines = render(record("%s", message)).split("\n")
    assert [line[:1] for line in lines] == ["[", *["\t"] * (len(lines) - 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("info", [("", logging.INFO)]),
        ("WARN", [("", logging.WARNING)]),
        ("off", [("", LEVELS["off"])]),
        ("trailbase_server::records=debug", [("trailbase_server.records", logging.DEBUG)]),
        ("a, b = error ,, info", [("a", logging.DEBUG), ("b", logging.ERROR), ("", logging.INFO)]),
        ("info/pattern", [("", logging.INFO)]),
    ],
)
def test_directives_are_read(text, expected):
    assert parse_directives(text) == (expected, [])


@pytest.mark.parametrize("text", ["a=b", "a=b=info", "a="])
def test_parts_that_make_no_sense_are_left_out_and_told(text, log):
    assert parse_directives(f"info,{text}") == ([("", logging.INFO)], [text])
    assert "Z ERROR trailbase_server.cli.logging] invalid" in log({"RUST_LOG": f"info,{text}"})


@given(st.text())
def test_any_text_is_a_filter(text):
    directives, _ = parse_directives(text)
    TargetFilter(directives).filter(record("hello"))


def test_the_longest_target_decides():
    directives, _ = parse_directives("error,trailbase_server=info,trailbase_server.x=off")
    passes = TargetFilter(directives).filter
    names = {"trailbase_server.x": False, "trailbase_server.y": True, "other": False}
    for name, expected in names.items():
        entry = record("hello")
        entry.name = name
        assert passes(entry) is expected


def test_the_last_of_two_equal_targets_decides():
    directives, _ = parse_directives("off,info")
    assert TargetFilter(directives).filter(record("hello"))


def test_the_default_holds_without_the_variable(log):
    text = log({}, "trailbase_server.a", "uvicorn.error", default=SERVING)
    assert pairs(text) == [
        ("INFO", "trailbase_server.a"),
        ("WARN", "trailbase_server.a"),
        ("ERROR", "trailbase_server.a"),
        ("WARN", "uvicorn.error"),
        ("ERROR", "uvicorn.error"),
    ]


def test_the_variable_replaces_the_default(log):
    wanted = "trailbase_server.b"
    text = log({"RUST_LOG": f"error,{wanted}=debug"}, "trailbase_server.a", wanted)
    assert pairs(text) == [
        ("ERROR", "trailbase_server.a"),
        *(("DEBUG", wanted), ("INFO", wanted), ("WARN", wanted), ("ERROR", wanted)),
    ]


def test_a_target_alone_silences_the_others(log):
    text = log({"RUST_LOG": "wanted"}, "wanted", "unwanted")
    assert {name for _, name in pairs(text)} == {"wanted"}


def test_off_is_off(log):
    assert log({"RUST_LOG": "off"}, "a") == ""


@pytest.mark.parametrize(
    ("style", "coloured"), [("always", True), ("never", False), ("auto", False)]
)
def test_colour_is_a_matter_of_style(log, style, coloured):
    assert ("\x1b[" in log({"RUST_LOG_STYLE": style}, "a")) is coloured


def as_json(entry):
    text = JsonFormatter().format(entry)
    assert "\n" not in text
    return json.loads(text)


def test_an_event_is_one_object_with_what_is_known_of_it():
    entry = record("hello %s", "you")
    entry.created = 1769420569.389097
    assert as_json(entry) == {
        "timestamp": "2026-01-26T09:42:49.389097Z",
        "level": "INFO",
        "target": "trailbase_server.x",
        "message": "hello you",
    }
    entry.request_id, entry.duration_ms = "abc", 12
    assert as_json(entry) | {"timestamp": ""} == {
        "timestamp": "",
        "level": "INFO",
        "target": "trailbase_server.x",
        "message": "hello you",
        "request_id": "abc",
        "duration_ms": 12,
    }


def test_a_traceback_is_a_member():
    entry = record("failed")
    try:
        int("x")
    except ValueError:
        entry.exc_info = sys.exc_info()
    assert as_json(entry)["exception"].splitlines()[-1].startswith("ValueError: invalid literal")


@given(st.text())
def test_any_message_is_one_line_of_ascii(message):
    assert as_json(record("%s", message))["message"] == message
    assert JsonFormatter().format(record("%s", message)).isascii()


def test_the_id_of_a_request_is_told():
    entry = record("failed")
    entry.request_id = "abc"
    assert render(entry).endswith("] failed (request abc)")


@pytest.mark.parametrize("formatter", [LineFormatter(colour=False), JsonFormatter()])
def test_tokens_are_taken_out(formatter):
    entry = record("token %s", "eyJhbGciOi.eyJzdWIi.c2ln")
    try:
        int("eyJhbGciOi.eyJzdWIi.c2ln")
    except ValueError:
        entry.exc_info = sys.exc_info()
    assert "eyJ" not in formatter.format(entry)


def test_json_is_chosen_at_start(capsys):
    configure_logging("info", {}, is_json=True)
    logging.getLogger("trailbase_server.x").warning("hello")
    assert json.loads(capsys.readouterr().err)["level"] == "WARN"
