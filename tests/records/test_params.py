"""Values of requests become values of rows: a table per kind of column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.writing import SCHEMAS
from trailbase_server.ids import encode_b64u
from trailbase_server.records.columns import ApiColumn, ColumnRole
from trailbase_server.records.params import (
    InvalidValueError,
    compile_converters,
    convert_record,
    read_form,
)
from trailbase_server.schema.model import Affinity, Column, DataType
from trailbase_server.schema.registry import SchemaRegistry

REGISTRY = SchemaRegistry(SCHEMAS)
NULL_OR_LIST = '{"type":["array","null"]}'
REFUSED = InvalidValueError
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def column(name, data_type, role=ColumnRole.PLAIN, schema=None, **more):
    given_flags = dict.fromkeys(("inline", "hidden", "has_default", "generated"), False)
    given_flags |= {"nullable": True, "is_key": False, "is_user_id": False, **more}
    definition = Column(name, data_type, data_type, Affinity.BLOB)
    return ApiColumn(
        name=name,
        data_type=data_type,
        role=role,
        schema=schema,
        definition=definition,
        **given_flags,
    )


COLUMNS = {
    c.name: c
    for c in (
        column("i", DataType.INTEGER),
        column("r", DataType.REAL),
        column("t", DataType.TEXT),
        column("b", DataType.BLOB),
        column("a", DataType.ANY),
        column("gen", DataType.TEXT, generated=True),
        column("size", DataType.TEXT, ColumnRole.JSON, "size"),
        column("word", DataType.TEXT, ColumnRole.JSON, "word"),
        column("list", DataType.TEXT, ColumnRole.JSON, NULL_OR_LIST, inline=True, nullable=False),
        column("file", DataType.TEXT, ColumnRole.FILE, "std.FileUpload"),
        column("files", DataType.TEXT, ColumnRole.FILES, "std.FileUploads"),
        column("place", DataType.BLOB, ColumnRole.GEOMETRY),
    )
}
CONVERTERS = compile_converters(COLUMNS.values())
UUID = "5eed0000-0000-4000-a000-000000000777"


def convert(name, value):
    return convert_record(CONVERTERS, {name: value}, REGISTRY)[name]


@pytest.mark.parametrize(
    ("value", "expected"),
    # In the order i, r, t, b, a.
    [
        (None, (None,) * 5),
        (True, (1, REFUSED, REFUSED, REFUSED, 1)),
        (5, (5, 5.0, REFUSED, REFUSED, 5)),
        (2**63 - 1, (2**63 - 1, 2.0**63, REFUSED, REFUSED, 2**63 - 1)),
        (-(2**63), (-(2**63), -(2.0**63), REFUSED, REFUSED, -(2**63))),
        (2**63, (REFUSED, 2.0**63, REFUSED, REFUSED, REFUSED)),
        (5.0, (REFUSED, 5.0, REFUSED, REFUSED, 5.0)),
        ("5", (REFUSED, REFUSED, "5", REFUSED, "5")),
        ("", (REFUSED, REFUSED, "", b"", "")),
        ("AQI=", (REFUSED, REFUSED, "AQI=", b"\x01\x02", "AQI=")),
        ("AQI", (REFUSED, REFUSED, "AQI", REFUSED, "AQI")),
        ("+/8A", (REFUSED, REFUSED, "+/8A", REFUSED, "+/8A")),
        (UUID, (REFUSED, REFUSED, UUID, bytes.fromhex(UUID.replace("-", "")), UUID)),
        ([0, 255], (REFUSED, REFUSED, REFUSED, b"\x00\xff", b"\x00\xff")),
        ([], (REFUSED, REFUSED, REFUSED, b"", b"")),
        ([256], (REFUSED,) * 5),
        ([-1], (REFUSED,) * 5),
        ([1.0], (REFUSED,) * 5),
        ([True], (REFUSED,) * 5),
        (["a"], (REFUSED,) * 5),
        ({"data": "AA=="}, (REFUSED,) * 5),
    ],
)
def test_plain_columns_are_strict(value, expected):
    for name, wanted in zip("irtba", expected, strict=True):
        if wanted is REFUSED:
            with pytest.raises(InvalidValueError):
                convert(name, value)
        else:
            got = convert(name, value)
            assert (got, type(got)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("size", {"w": 1, "a": [1]}, '{"a":[1],"w":1}'),
        ("size", None, None),
        ("size", {"h": 1}, REFUSED),
        ("size", {"w": "1"}, REFUSED),
        ("size", '{"w":1}', REFUSED),
        ("size", 5, REFUSED),
        ("size", True, REFUSED),
        ("list", [1, "x"], '[1,"x"]'),
        ("list", None, "null"),
        ("list", {}, REFUSED),
        ("list", "[]", REFUSED),
        ("word", "abc", '"abc"'),
        ("word", '"abc"', '"abc"'),
        ("word", ' "abc" ', ' "abc" '),
        ("word", "123", '"123"'),
        ("word", "a", REFUSED),
        ("word", ["abc"], REFUSED),
        ("file", None, None),
        ("file", {"filename": "a_1.png"}, '{"filename":"a_1.png"}'),
        ("file", {"data": "AA"}, REFUSED),
        ("file", [{"data": "AA=="}], REFUSED),
        ("files", [{"filename": "a_1.png", "id": "x"}], '[{"filename":"a_1.png"}]'),
        ("files", {"data": "AA=="}, REFUSED),
        ("files", None, None),
        ("place", None, None),
        ("place", "POINT (1 2)", REFUSED),
        ("place", {"type": "Circle", "coordinates": [1, 2]}, REFUSED),
        ("place", [1, 2], REFUSED),
        ("place", 5, REFUSED),
        ("gen", "x", REFUSED),
        ("gen", None, REFUSED),
    ],
)
def test_columns_with_a_role_follow_it(name, value, expected):
    if expected is REFUSED:
        with pytest.raises(InvalidValueError):
            convert(name, value)
    else:
        assert convert(name, value) == expected


def test_a_geometry_becomes_wkb():
    point = convert("place", {"type": "Point", "coordinates": [1.5, 2.25]})
    assert point.hex() == "0101000000000000000000f83f0000000000000240"


def test_unknown_members_are_dropped_and_order_is_kept():
    record = {"t": "x", "nope": object(), "I": 1, "": 2, "i": None}
    assert list(convert_record(CONVERTERS, record, REGISTRY).items()) == [("t", "x"), ("i", None)]


@pytest.mark.case("T-39")
@given(st.sampled_from(list(COLUMNS)), JSON_VALUES)
def test_any_json_value_is_stored_or_refused(name, value):
    try:
        stored = convert(name, value)
    except InvalidValueError:
        return
    assert stored is None or isinstance(stored, int | float | str | bytes)
    if isinstance(stored, int):
        assert -(2**63) <= stored < 2**63


@pytest.mark.case("T-102")
@given(st.binary())
def test_bytes_survive_in_every_spelling(data):
    for value in (encode_b64u(data), list(data)):
        assert convert("b", value) == data


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("i", "12", 12),
        ("i", "-3", -3),
        ("i", "true", 1),
        ("i", "false", 0),
        ("i", "twelve", REFUSED),
        ("i", "1.5", REFUSED),
        ("i", "", REFUSED),
        ("i", "9" * 19, REFUSED),
        ("i", "9" * 5000, REFUSED),
        ("i", "٣", REFUSED),
        ("r", "1.5", 1.5),
        ("r", "2", 2.0),
        ("r", "-1e3", -1000.0),
        ("r", "1,5", REFUSED),
        ("r", "inf", REFUSED),
        ("r", "1e999", REFUSED),
        ("r", "1_0", REFUSED),
        ("t", "12", "12"),
        ("a", "12", "12"),
        ("b", "AQI=", b"\x01\x02"),
        ("b", "AQI", REFUSED),
        ("size", '{"w": 1.0}', '{"w":1.0}'),
        ("size", '{"w": "x"}', REFUSED),
        ("size", "wide", REFUSED),
        ("word", "abc", '"abc"'),
        ("word", '"abc"', '"abc"'),
        ("list", ["a", "b"], '["a","b"]'),
        ("t", ["a", "b"], REFUSED),
        ("i", ["1", "2"], REFUSED),
    ],
)
def test_forms_can_set_numbers_and_json(name, text, expected):
    record = read_form(COLUMNS, {name: text, "nope": "1"})
    if expected is REFUSED:
        with pytest.raises(InvalidValueError):
            convert_record(CONVERTERS, record, REGISTRY)
    else:
        got = convert_record(CONVERTERS, record, REGISTRY)
        assert got == {name: expected}
        assert type(got[name]) is type(expected)
