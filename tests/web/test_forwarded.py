import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.web.forwarded import parse_forwarded

NAMES = st.text(st.sampled_from("abz-_~"), min_size=1, max_size=6)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
ELEMENTS = st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), max_size=5)


def render(elements, blank=""):
    def quote(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return f"{blank},{blank}".join(
        f"{blank};{blank}".join(f"{name}={quote(value)}" for name, value in element.items())
        for element in elements
    )


@given(ELEMENTS, st.sampled_from(["", " ", "\t "]))
def test_what_is_written_is_read(elements, blank):
    assert parse_forwarded(render(elements, blank)) == elements


@given(st.text(max_size=60))
def test_anything_is_read_or_refused(text):
    try:
        elements = parse_forwarded(text)
    except ValueError:
        return
    assert all(elements)


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("", []),
        (" , ;,, ", []),
        ("for=192.0.2.43", [{"for": "192.0.2.43"}]),
        ('For="[2001:db8:cafe::17]:4711"', [{"for": "[2001:db8:cafe::17]:4711"}]),
        (
            "for=192.0.2.60;proto=http; by=203.0.113.43",
            [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}],
        ),
        ("for=192.0.2.43, for=198.51.100.17", [{"for": "192.0.2.43"}, {"for": "198.51.100.17"}]),
        ("for=[::1]:80;host=a.test:443", [{"for": "[::1]:80", "host": "a.test:443"}]),
        (r'host="a\"b"', [{"host": 'a"b'}]),
        ('for=a;;proto=","', [{"for": "a", "proto": ","}]),
    ],
)
def test_elements(value, elements):
    assert parse_forwarded(value) == elements


@pytest.mark.case("T-80")
@pytest.mark.parametrize(
    "value",
    [
        *("for", "for=", "=a", "for=a b", 'for="a', 'for="a"b', "ö=a"),
        *("for=a;for=b", "for=a,FOR=b;for=c"),
    ],
)
def test_what_is_malformed_is_refused(value):
    with pytest.raises(ValueError, match=r"malformed|twice"):
        parse_forwarded(value)


@pytest.mark.case("T-82")
def test_a_long_one_takes_no_time():
    assert len(parse_forwarded("for=a, " * 10_000)) == 10_000
    assert parse_forwarded(" " * 60_000) == []
    for text in ('for="' + "\\" * 60_001, "a" * 60_000, "for=a;" + " " * 60_000 + "!"):
        with pytest.raises(ValueError, match="malformed"):
            parse_forwarded(text)
