from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.ids import (
    decode_b64u,
    decode_base64,
    decode_blob_text,
    encode_b64u,
    encode_b64u_all,
    new_uuid4,
    new_uuid7,
    parse_uuid_text,
    render_uuid_text,
)


@given(st.binary(max_size=64))
def test_every_value_survives_the_round_trip(data):
    assert decode_b64u(encode_b64u(data)) == data


@given(st.text(max_size=24))
def test_only_the_canonical_spelling_is_read(text):
    data = decode_b64u(text)
    assert data is None or urlsafe_b64encode(data).decode() == text


@pytest.mark.parametrize(
    "text",
    ["QQ", "QQ=", "QR==", "Q Q=", "QQ==\n", "+/8A", "====", "Q===", "QQ==QQ==", "ä===", "QQ==x"],
)
def test_anything_else_is_refused(text):
    assert decode_b64u(text) is None


@given(st.binary(max_size=64), st.text(max_size=24))
def test_the_standard_alphabet_is_read_as_strictly(data, text):
    assert decode_base64(b64encode(data).decode()) == data
    found = decode_base64(text)
    assert found is None or b64encode(found).decode() == text


@pytest.mark.parametrize("text", ["QQ", "QQ=", "QR==", "Q Q=", "QQ==\n", "-_8A", "ä===", "QQ==x"])
def test_anything_else_in_the_standard_alphabet_is_refused(text):
    assert decode_base64(text) is None


def test_a_blob_may_be_written_as_uuid_or_as_base64():
    text = "01900000-0000-7000-8000-00000000BEEF"
    data = bytes.fromhex("0190000000007000800000000000beef")
    assert decode_blob_text(text) == data
    assert decode_blob_text(encode_b64u(data)) == data
    assert decode_blob_text(text.replace("-", "")) != data
    assert parse_uuid_text(text + "\n") is None


@given(st.binary(min_size=16, max_size=16))
def test_uuid_text_survives_the_round_trip(data):
    assert parse_uuid_text(render_uuid_text(data)) == data


def test_new_ids_carry_their_version_and_version_seven_ascends():
    assert new_uuid4()[6] >> 4 == 4
    made = [new_uuid7() for _ in range(1000)]
    assert made == sorted(set(made))
    assert made[0][6] >> 4 == 7


VALUES = st.one_of(st.binary(min_size=16, max_size=16), st.binary(max_size=20), st.none())


@given(st.one_of(st.lists(st.binary(min_size=16, max_size=16)), st.lists(VALUES)))
def test_many_values_are_rendered_like_each_of_them(values):
    expected = [value if value is None else encode_b64u(value) for value in values]
    assert encode_b64u_all(values) == expected


def test_padding_after_a_whole_group_is_not_canonical():
    assert decode_b64u("AAAA") == b"\0\0\0"
    assert decode_b64u("AAAA=") is None
    assert decode_base64("AAAA=") is None
