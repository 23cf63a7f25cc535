"""Strict JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.schema.json_text import MAX_DEPTH, InvalidJsonError, is_json, parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_rendered_reads_back(value):
    assert parse_json(json.dumps(value)) == value


@given(st.text())
def test_any_text_is_json_or_refused(text):
    assert is_json(text) in (True, False)


@pytest.mark.parametrize(
    "text", ["3", "null", '"a"', " [1 , 2]\n", '{"a":1,"a":2}', '"\\ud83d\\ude00"', "-0", "1e5"]
)
def test_json_texts(text):
    assert is_json(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "{a", "NaN", "Infinity", "[1,]", "01", "\ufeff1", '"\\ud800"', "1e999", "'a'", "1 2"],
)
def test_texts_that_only_look_like_json(text):
    assert not is_json(text)
    with pytest.raises(InvalidJsonError):
        parse_json(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(opening, closing):
    assert is_json(opening * MAX_DEPTH + "1" * (opening != "[") + closing * MAX_DEPTH)
    deeper = MAX_DEPTH + 1
    assert not is_json(opening * deeper + "1" * (opening != "[") + closing * deeper)


def test_width_is_no_depth():
    assert is_json("[" + ",".join(["[]"] * 500) + "]")
