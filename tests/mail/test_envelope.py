"""Addresses and lines for the headers of a mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.mail.envelope import (
    MAX_HEADER_CHARS,
    InvalidAddressError,
    clean_line,
    encode_host,
    parse_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@mail.test", "ada@mail.test"),
        ("o'hara+tag@mail.test", "o'hara+tag@mail.test"),
        ("ada@bücher.test", "ada@xn--bcher-kva.test"),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
        ("ada@[2001:db8::1]", "ada@[IPv6:2001:db8::1]"),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "ada", "ada@", "@mail.test", "a b@mail.test", "ada@mail.test\n", "é@mail.test"),
        *("ada@mail.test, b@c.test", "Ada <ada@mail.test>", "ada@mail..test"),
        "ada@mail.test\r\nBcc: eve@evil.test",
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(InvalidAddressError):
        parse_address(text)


def test_hosts_in_ascii():
    assert encode_host("bücher.test") == "xn--bcher-kva.test"
    assert encode_host("mail.test") == "mail.test"


@given(st.text(max_size=500))
def test_a_line_is_one_line_and_can_be_encoded(text):
    line = clean_line(text)
    assert len(line.splitlines()) <= 1
    assert len(line) <= MAX_HEADER_CHARS
    assert line == line.strip()
    assert line.encode() is not None
    assert clean_line(line) == line


def test_words_of_a_line_stay():
    assert clean_line("  Grüße\r\n an\tAda ") == "Grüße an Ada"
    assert clean_line("x\udcffy") == "x?y"
