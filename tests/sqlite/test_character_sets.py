import contextlib
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.sqlite.character_sets import rewrite_sets
from trailbase_server.sqlite.regexp import InvalidPatternError, matches_pattern


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("^[a-z&&[^f]]$", "ag", "fA1"),
        ("^[a-g--c-d]$", "abefg", "cdh"),
        ("^[a-d~~c-f]$", "abef", "cd"),
        (r"^[\w--_]$", "aZ0", "_ -"),
        ("^[ab[x-z]]$", "abxyz", "c"),
        ("^[^a-c&&b-d]$", "adx", "bc"),
        ("^[a&&b]$", "", "ab"),
        (r"^[\]a&&\]]$", "]", "a"),
        ("^[]a--a]$", "]", "a"),
    ],
)
def test_sets_are_computed(pattern, fits, fails):
    assert all(matches_pattern(pattern, character) for character in fits)
    assert not any(matches_pattern(pattern, character) for character in fails)


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z]",
        "[^]x]",
        r"\[a&&b\]",
        r"\Q[a&&b]\E[c]",
        "[[:alpha:]]",
        "a&&b",
        r"[\p{L}]",
        "[a-]",
        "",
    ],
)
def test_plain_patterns_stay_as_they_are(pattern):
    assert rewrite_sets(pattern) == pattern


def test_what_cannot_be_computed_is_left_to_the_engine():
    assert rewrite_sets(r"[\p{L}&&a-z]") == r"[\p{L}&&a-z]"


@given(st.text(alphabet="[]^&-~abc\\dwpQE", max_size=12))
def test_no_pattern_is_an_accident(pattern):
    with contextlib.suppress(InvalidPatternError):
        matches_pattern(rewrite_sets(pattern), "abc")


@given(st.sets(st.sampled_from(string.ascii_lowercase)), st.sets(st.sampled_from("abcdef")))
def test_intersections_agree_with_sets_of_characters(left, right):
    if not left or not right:
        return
    pattern = f"[{re.escape(''.join(sorted(left)))}&&{''.join(sorted(right))}]"
    found = {
        character for character in string.ascii_lowercase if matches_pattern(pattern, character)
    }
    assert found == left & right
