"""Texts of clients are cut before they wait."""

import pytest

from trailbase_server.web.shorten import MAX_HOST_BYTES, MAX_TEXT_CHARS, shorten


def entry(url="/", referer=b"", agent=b"", host=b""):
    return (
        *(1.5, 200, "GET", url, 0.25, "192.0.2.7", referer, agent, b"u" * 16),
        *(host, "1.1", "id", None),
    )


@pytest.mark.parametrize("member", ["url", "referer", "agent", "host"])
def test_each_of_them_makes_an_entry_long(member):
    text = "x" if member == "url" else b"x"
    short = entry(**{"url": "", member: text * MAX_TEXT_CHARS})
    assert shorten(short) is short
    long = entry(**{"url": "", member: text * (MAX_TEXT_CHARS + 1)})
    assert shorten(long) != long


def test_texts_are_cut_and_the_rest_stays():
    long = shorten(entry("/" * 9_000, b"r" * 9_000, b"a" * 9_000, b"h" * 9_000))
    assert long == entry(
        "/" * MAX_TEXT_CHARS, b"r" * MAX_TEXT_CHARS, b"a" * MAX_TEXT_CHARS, b"h" * MAX_HOST_BYTES
    )
