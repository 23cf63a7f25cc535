"""Regular expressions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.sqlite.regexp import (
    InvalidPatternError,
    compile_pattern,
    compile_wide_pattern,
    matches_pattern,
    widen_classes,
)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("el+b", "wheelbarrow", True),
        ("^barrow", "wheelbarrow", False),
        ("barrow$", "wheelbarrow\n", False),
        ("(?m)^a$", "b\na\n", True),
        ("(?i)MOSS", "moss", True),
        ("", "", True),
        (r"\d{2}$", "unit 42", True),
        (r"\d{2}$", "unit ４２", True),
        (r"\d", "①", False),
        (r"^\w+$", "naïve_9", True),
        (r"^\w+$", "über‿brückt", True),
        (r"^\w+$", "a–b", False),
        (r"\W", "näh", False),
        (r"\D", "４２", False),
        (r"^a\sb$", "a\u2003b", True),
        (r"^\S+$", "ä\u00a0b", False),
        (r"^[\w.]+$", "é.à", True),
        (r"^[^\d]$", "４", False),
        (r"(?i)straße", "STRAßE", True),
        (".", "\U0001f33f", True),
        (r"^.$", "ä", True),
        (r"\x{e4}", "ä", True),
        (r"\p{Greek}", "λ", True),
    ],
)
def test_matches(pattern, text, expected):
    assert matches_pattern(pattern, text) is expected


@pytest.mark.case("T-41")
@pytest.mark.parametrize(
    "pattern", ["(", "[", "a\\", "(?=x)", "(?!x)", r"(a)\1", "*", "a{2000}", r"\z\d("]
)
@pytest.mark.parametrize("text", ["x", "ä"])
def test_patterns_that_do_not_compile(pattern, text, capfd):
    with pytest.raises(InvalidPatternError, match="invalid pattern"):
        matches_pattern(pattern, text)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("pattern", "widened"),
    [
        (r"\d", r"\p{Nd}"),
        (r"\\d", r"\\d"),
        (r"\Q\d\E\d", r"\Q\d\E\p{Nd}"),
        (r"\Q\d", r"\Q\d"),
        (r"[\d]", r"[\p{Nd}]"),
        (r"[]\d]\d", r"[]\p{Nd}]\p{Nd}"),
        (r"[^]\D]", r"[^]\P{Nd}]"),
        (r"[[:alpha:]\d]", r"[[:alpha:]\p{Nd}]"),
        (r"[\W\S]", r"[\W\S]"),
        (r"[\]\d]", r"[\]\p{Nd}]"),
        (r"\bx\z", r"\bx\z"),
        ("[a]", "[a]"),
    ],
)
def test_classes_are_widened(pattern, widened):
    assert widen_classes(pattern) == widened


def test_a_pattern_that_would_grow_too_large_keeps_ascii_classes():
    assert matches_pattern(r"^\w{3,900}$", "moss")
    assert not matches_pattern(r"^\w{3,900}$", "möss")
    assert matches_pattern(r"^.\w{0,900}$", "ä")


@given(st.text("\\[]^-:dDwWsSQEa1 ä{,}()|*+?.$", max_size=12))
def test_widening_keeps_a_pattern_valid(pattern):
    try:
        compile_pattern(pattern)
    except InvalidPatternError:
        return
    compile_pattern(widen_classes(pattern))
    compile_wide_pattern(pattern)


@given(
    st.lists(st.sampled_from([r"\d", r"\w", r"\W", "a", "[b1]", r"[\w-]", r"[^\d]", ".?", "x*"])),
    st.text("ab1x- \n_", max_size=12),
)
def test_on_ascii_texts_the_answer_is_that_of_the_standard_library(parts, text):
    pattern = "".join(parts)
    expected = re.search(pattern, text, re.ASCII) is not None
    assert matches_pattern(pattern, text) is expected
    # The wide form means the same for ASCII; it is what other texts get.
    assert (compile_wide_pattern(pattern).search(text.encode()) is not None) is expected


@pytest.mark.case("T-41")
@pytest.mark.timeout(10)
def test_no_pattern_takes_for_ever():
    assert not matches_pattern("^(a+)+$", "a" * 20_000 + "b")
