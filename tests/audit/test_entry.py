"""What is recorded: nothing secret, nothing endless, whatever is handed over."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.audit.entry import (
    MAX_TEXT_CHARS,
    MAX_VALUE_BYTES,
    SECRETS,
    bounded_text,
    encode_values,
)


def encoded(values):
    return json.loads(encode_values(values))


def test_nothing_stays_nothing():
    assert encode_values(None) is None
    assert encoded({}) == {}


def test_secrets_are_hidden_at_every_level_by_their_name():
    values = {"email": "a@b.test", "Password": "x", "list": [{"totp_secret": "y", "token": None}]}
    assert encoded(values) == {
        "email": "a@b.test",
        "Password": "<REDACTED>",
        "list": [{"totp_secret": "<REDACTED>", "token": None}],
    }


def test_values_that_are_too_large_are_named_only():
    found = encoded({"schema": "x" * MAX_VALUE_BYTES, "name": "boat"})
    assert found["names"] == ["schema", "name"]
    assert found["too_large_bytes"] > MAX_VALUE_BYTES
    many = encoded({f"{number}" * 50: "x" * 500 for number in range(1000)})
    assert len(many["names"]) == 50


def test_texts_are_cut_and_made_unicode():
    assert len(bounded_text("x" * 10_000_000)) == MAX_TEXT_CHARS
    assert bounded_text("a\ud800b") == "a?b"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5) | st.sampled_from(sorted(SECRETS)), JSON, max_size=4))
def test_any_values_become_json_without_secrets(values):
    found = encoded(values)
    assert all(found[name] in (None, "<REDACTED>") for name in SECRETS & values.keys())


def test_depth_has_an_end():
    deep = value = {}
    for _ in range(5000):
        value["x"] = value = {}
    assert len(encode_values(deep)) < 500
