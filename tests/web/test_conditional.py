"""Ranges, tags and attachments."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.web.conditional import (
    RangeNotSatisfiableError,
    is_known,
    parse_range,
    render_attachment,
)
from trailbase_server.web.request import Request

ETAG = '"abc"'
UNSATISFIABLE = "416"


def asked(**headers):
    pairs = [(n.replace("_", "-").encode(), v.encode("latin-1")) for n, v in headers.items()]
    return Request("GET", "/", headers=pairs)


def range_of(text, size=10, **more):
    try:
        return parse_range(asked(range=text, **more), size, ETAG)
    except RangeNotSatisfiableError:
        return UNSATISFIABLE


@pytest.mark.case("T-67")
@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("bytes=2-", (2, 10)),
        ("bytes=9-9", (9, 10)),
        ("bytes=5-99999999999999999999", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("Bytes = 1 - 2", (1, 3)),
        ("bytes=10-", UNSATISFIABLE),
        ("bytes=99999999999999999999-", UNSATISFIABLE),
        ("bytes=10-20", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=0-1,3-4", None),
        ("bytes=--1", None),
        ("bytes=0x1-2", None),
        ("bytes=٣-٤".encode().decode("latin-1"), None),
        ("lines=0-1", None),
        ("", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_a_range_is_read_or_ignored_or_cannot_be_satisfied(text, part):
    assert range_of(text) == part


def test_nothing_of_an_empty_file_can_be_asked_for():
    assert range_of("bytes=0-", size=0) == UNSATISFIABLE
    assert range_of("bytes=-1", size=0) == UNSATISFIABLE
    assert parse_range(asked(), 0, ETAG) is None


def test_a_range_of_another_version_is_ignored():
    assert range_of("bytes=0-0", if_range=ETAG) == (0, 1)
    assert range_of("bytes=0-0", if_range='"other"') is None
    assert range_of("bytes=0-0", if_range="Tue, 24 Nov 2026 00:00:00 GMT") is None


@pytest.mark.case("T-67")
@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 40))
def test_a_range_lies_within_the_file(first, last, size):
    part = range_of(f"bytes={first}-{last}", size)
    wanted = range(size)[first : last + 1]
    if part == UNSATISFIABLE:
        assert first >= size
        assert first <= last
    elif part is None:
        assert last < first
    else:
        assert range(*part) == wanted


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (ETAG, True),
        (f"W/{ETAG}", True),
        (f'"x", {ETAG}', True),
        ("*", True),
        ('"x"', False),
        ("abc", False),
        ("", False),
    ],
)
def test_a_client_may_know_the_version(header, known):
    assert is_known(asked(if_none_match=header), ETAG) is known
    assert not is_known(asked(), ETAG)


@pytest.mark.case("T-61")
@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.png", 'attachment; filename="a.png"'),
        ("Ü 1.png", "attachment; filename=\"_ 1.png\"; filename*=UTF-8''%C3%9C%201.png"),
        ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ("../../etc/passwd", 'attachment; filename="_.._etc_passwd"'),
        ("..\\x", 'attachment; filename="_x"'),
        ("a\r\nset-cookie: x", 'attachment; filename="aset-cookie: x"'),
        ("\u202egnp.exe", 'attachment; filename="gnp.exe"'),
        ("..", "attachment"),
        ("", "attachment"),
        (None, "attachment"),
    ],
)
def test_an_attachment_has_a_harmless_name(name, header):
    assert render_attachment(name).decode() == header


@pytest.mark.case("T-61")
@given(st.text() | st.text(st.characters(codec="utf-8", max_codepoint=0x100)))
def test_any_name_makes_a_well_formed_header(name):
    header = render_attachment(name).decode("ascii")
    pattern = r"attachment(?:; filename=\"([^\"\\]+)\"(?:; filename\*=UTF-8''([\w.%~-]+))?)?"
    found = re.fullmatch(pattern, header)
    assert found
    assert header.isprintable()
    if found[2]:
        assert "/" not in unquote(found[2])
