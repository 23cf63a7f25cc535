import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.ids import decode_b64u
from trailbase_server.records.columns import ApiColumn, ColumnRole
from trailbase_server.records.encode import EncodeError, blob_text, compile_encoder, dump_json
from trailbase_server.schema.model import Affinity, Column, DataType


def column(name, data_type=DataType.ANY, role=ColumnRole.PLAIN):
    return ApiColumn(
        name=name,
        data_type=data_type,
        role=role,
        schema=None,
        inline=False,
        hidden=False,
        nullable=True,
        has_default=False,
        generated=False,
        is_key=False,
        is_user_id=False,
        definition=Column(name, data_type.value.upper(), data_type, Affinity.BLOB),
    )


def encode(value, data_type=DataType.ANY, role=ColumnRole.PLAIN, wrapped=()):
    encoder = compile_encoder([column("c", data_type, role)], frozenset(wrapped))
    return json.loads(dump_json(encoder((value,))))["c"]


@pytest.mark.case("T-102")
@given(
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
def test_plain_values_come_out_as_they_are(value):
    assert encode(value) == value
    assert type(encode(value)) is type(value)


@given(st.binary())
def test_blobs_are_padded_url_safe_base64(value):
    assert decode_b64u(encode(value, DataType.BLOB)) == value


def test_whole_reals_keep_their_point():
    encoder = compile_encoder([column("r", DataType.REAL)], frozenset())
    assert dump_json(encoder((28.0,))) == b'{"r":28.0}'


@pytest.mark.case("T-102")
@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
@pytest.mark.parametrize("data_type", [DataType.REAL, DataType.ANY])
def test_an_infinite_number_is_our_problem(value, data_type):
    with pytest.raises(EncodeError) as caught:
        encode(value, data_type)
    assert caught.value.status == 500


def test_members_follow_the_selection_and_surplus_values_are_left_out():
    encoder = compile_encoder([column("b"), column("a")], frozenset())
    assert dump_json(encoder((1, 2, 3))) == b'{"b":1,"a":2}'


@pytest.mark.parametrize(
    "text", ['{"b": [1, 2.50, 12345678901234567890123], "a": null}', "[]", '"x"', "null", "7"]
)
def test_json_columns_are_embedded(text):
    assert encode(text, DataType.TEXT, ColumnRole.JSON) == json.loads(text)


def test_deep_json_is_embedded_too():
    text = "[" * 900 + "]" * 900
    encoder = compile_encoder([column("c", DataType.TEXT, ColumnRole.JSON)], frozenset())
    assert dump_json(encoder((text,))) == b'{"c":' + text.encode() + b"}"


@pytest.mark.parametrize("text", ["", "{a", "1 2", '{"a": NaN}'])
def test_text_that_is_not_json_never_breaks_out_of_its_column(text):
    with pytest.raises(EncodeError):
        encode(text, DataType.TEXT, ColumnRole.JSON)


def test_the_key_of_the_object_store_is_not_shown():
    assert encode('{"id":"o","filename":"f"}', DataType.TEXT, ColumnRole.FILE) == {"filename": "f"}
    many = '[{"id":"o","filename":"f"},{"filename":"g"}]'
    assert encode(many, DataType.TEXT, ColumnRole.FILES) == [{"filename": "f"}, {"filename": "g"}]


@pytest.mark.parametrize("role", list(ColumnRole))
@pytest.mark.parametrize("wrapped", [(), ("c",)])
def test_null_stays_null_whatever_the_role(role, wrapped):
    assert encode(None, DataType.BLOB, role, wrapped) is None


def test_wrapped_references_are_objects():
    assert encode(7, DataType.INTEGER, wrapped=["c"]) == {"id": 7}
    assert encode(b"\x00", DataType.BLOB, wrapped=["c"]) == {"id": "AA=="}


def test_a_malformed_geometry_is_our_problem():
    with pytest.raises(EncodeError):
        encode(b"\x01\x02", DataType.BLOB, ColumnRole.GEOMETRY)


def test_other_objects_are_a_bug():
    with pytest.raises(TypeError):
        blob_text(object())


def test_a_page_is_encoded_like_each_of_its_rows(site):
    api = site.state.api("diary")
    rows = site.database.read(api.list_sql)
    assert len(rows) > 1
    assert dump_json(api.encode_page(rows)) == dump_json([api.encode(row) for row in rows])
    assert api.encode_page([]) == []
