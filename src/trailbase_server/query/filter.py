"""
Filters as trees, and the one place where the text of a filter value becomes an SQL value.

A tree is independent of any table: columns are names, values are texts. Only ``type_value`` brings
in the column's type.
"""

import re
from enum import StrEnum
from math import isfinite

from msgspec import Struct

from trailbase_server.db.values import SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import decode_b64u, decode_blob_text
from trailbase_server.schema.model import DataType

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1  # SQLite's INTEGER
_INTEGER = re.compile(r"[+-]?[0-9]{1,32}\Z")  # longer ones are out of range, or all zeros
_REAL = re.compile(
    r"[+-]?(?:inf(?:inity)?|nan|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)\Z", re.IGNORECASE
)


class InvalidFilterError(BadRequestError):
    """A filter on a column that is not there to be filtered, or a value that does not fit it."""

    def __init__(self) -> None:
        super().__init__("Invalid filter params")


class Operator(StrEnum):
    """Comparison operators with their wire spelling."""

    EQUAL = "$eq"
    NOT_EQUAL = "$ne"
    GREATER = "$gt"
    GREATER_EQUAL = "$gte"
    LESS = "$lt"
    LESS_EQUAL = "$lte"
    IS = "$is"
    LIKE = "$like"
    REGEXP = "$re"
    WITHIN = "@within"
    INTERSECTS = "@intersects"
    CONTAINS = "@contains"


class Comparison(Struct, frozen=True):
    """``column operator value``; the value is the decoded text of the query string."""

    column: str
    operator: Operator
    value: str


class And(Struct, frozen=True):
    """All of at least one node."""

    nodes: tuple["FilterNode", ...]


class Or(Struct, frozen=True):
    """Any of at least one node."""

    nodes: tuple["FilterNode", ...]


FilterNode = Comparison | And | Or


class FilterColumn(Struct, frozen=True):
    """
    A column that may be filtered and ordered by.

    Attributes:
        name: As declared.
        data_type: Declared type; decides how texts become values.
        is_geometry: Its values are geometries.
    """

    name: str
    data_type: DataType
    is_geometry: bool = False


def type_value(data_type: DataType, text: str) -> tuple[SqlValue, ...]:
    """
    Read the text of a filter value as the type of its column.

    Unlike upstream, which classifies the text first, a TEXT column compares with the text as it
    was sent and a BLOB column also takes UUIDs and base64 that looks like a number.

    Args:
        data_type: Declared type of the column.
        text: Decoded value.

    Returns:
        The value; for ANY columns two when the text may also stand for bytes (text first).

    Raises:
        InvalidFilterError: The text is no value of that type.

    Spec:
        records/value-typing
    """
    if data_type is DataType.TEXT:
        return (text,)
    if data_type is DataType.BLOB:
        blob = decode_blob_text(text)
        if blob is None:
            raise InvalidFilterError
        return (blob,)
    number = _number(text)
    if data_type is DataType.INTEGER:
        if not isinstance(number, int):
            raise InvalidFilterError
        return (number,)
    if data_type is DataType.REAL:
        if number is None:
            raise InvalidFilterError
        return (float(number),)
    if number is not None and isfinite(number):
        return (number,)
    blob = decode_b64u(text)
    return (text,) if blob is None else (text, blob)


def _number(text: str) -> int | float | None:
    if _INTEGER.match(text):
        value = int(text)
        return value if MIN_INTEGER <= value <= MAX_INTEGER else float(value)
    # A digit string may be as long as the query string: float() is linear, int() is not.
    return float(text) if _REAL.match(text) else None
