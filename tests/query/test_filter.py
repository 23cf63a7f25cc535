"""How the text of a filter value becomes an SQL value."""

import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.ids import encode_b64u
from trailbase_server.query.filter import InvalidFilterError, type_value
from trailbase_server.schema.model import DataType

REFUSED = InvalidFilterError
TYPES = ("INTEGER", "REAL", "TEXT", "BLOB", "ANY")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", (12, 12.0, "12", REFUSED, 12)),
        ("1234", (1234, 1234.0, "1234", b"\xd7m\xf8", 1234)),
        ("-5", (-5, -5.0, "-5", REFUSED, -5)),
        ("+5", (5, 5.0, "+5", REFUSED, 5)),
        ("007", (7, 7.0, "007", REFUSED, 7)),
        (str(2**63 - 1), (2**63 - 1, float(2**63), str(2**63 - 1), REFUSED, 2**63 - 1)),
        (str(2**63), (REFUSED, float(2**63), str(2**63), REFUSED, float(2**63))),
        ("1.0", (REFUSED, 1.0, "1.0", REFUSED, 1.0)),
        ("1e3", (REFUSED, 1000.0, "1e3", REFUSED, 1000.0)),
        (".5", (REFUSED, 0.5, ".5", REFUSED, 0.5)),
        ("inf", (REFUSED, math.inf, "inf", REFUSED, "inf")),
        ("TRUE", (REFUSED, REFUSED, "TRUE", b"M\x15\x04", ("TRUE", b"M\x15\x04"))),
        ("1_0", (REFUSED, REFUSED, "1_0", REFUSED, "1_0")),
        (" 1", (REFUSED, REFUSED, " 1", REFUSED, " 1")),
        ("٣", (REFUSED, REFUSED, "٣", REFUSED, "٣")),
        ("", (REFUSED, REFUSED, "", b"", ("", b""))),
        ("AQI=", (REFUSED, REFUSED, "AQI=", b"\x01\x02", ("AQI=", b"\x01\x02"))),
        ("AQI", (REFUSED, REFUSED, "AQI", REFUSED, "AQI")),
        ("hello world", (REFUSED, REFUSED, "hello world", REFUSED, "hello world")),
    ],
)
def test_texts_are_read_as_the_type_of_the_column(text, expected):
    for name, wanted in zip(TYPES, expected, strict=True):
        data_type = DataType[name]
        if wanted is REFUSED:
            with pytest.raises(REFUSED, match="Invalid filter params"):
                type_value(data_type, text)
        else:
            values = wanted if isinstance(wanted, tuple) else (wanted,)
            got = type_value(data_type, text)
            assert got == values
            assert list(map(type, got)) == list(map(type, values))


@given(st.uuids())
def test_a_blob_column_takes_uuids_in_both_spellings(uuid: UUID):
    for text in (str(uuid), str(uuid).upper(), encode_b64u(uuid.bytes)):
        assert type_value(DataType.BLOB, text) == (uuid.bytes,)


@pytest.mark.case("T-39")
@given(st.text(), st.sampled_from(list(DataType)))
def test_any_text_is_a_value_or_refused(text, data_type):
    try:
        assert type_value(data_type, text)
    except InvalidFilterError:
        assert data_type not in (DataType.TEXT, DataType.ANY)


@pytest.mark.case("T-39")
def test_endless_digits_take_no_time():
    assert type_value(DataType.REAL, "9" * 60_000) == (math.inf,)
    with pytest.raises(InvalidFilterError):
        type_value(DataType.INTEGER, "9" * 60_000)
