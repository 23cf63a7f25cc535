"""What a record API knows of each of its columns, and the text form of its keys."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from trailbase_server.ids import decode_blob_text, encode_b64u
from trailbase_server.schema.model import Column, DataType

MIN_INTEGER = -(2**63)  # SQLite's INTEGER
MAX_INTEGER = 2**63 - 1
_INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,20}\Z")

Key = int | bytes
"""Value of a record's key column."""


class ColumnRole(StrEnum):
    """What a column's values mean beyond their storage class."""

    PLAIN = "plain"
    JSON = "json"
    FILE = "file"
    FILES = "files"
    GEOMETRY = "geometry"


@dataclass(frozen=True, slots=True)
class ApiColumn:
    """
    A column of an API: every column of the table except the excluded ones.

    Attributes:
        name: As declared.
        data_type: Declared storage class.
        role: Decides encoding and conversion.
        schema: For JSON and file roles: name of a registered schema, or the text of an inline one.
        inline: ``schema`` is a text, not a name.
        hidden: Begins with ``_``: never read or filtered, may be written.
        nullable: NULL is a possible value.
        has_default: May be left out when inserting although it is not nullable.
        generated: Computed by the database; cannot be written.
        is_key: The record's key.
        is_user_id: References a user; filled in for the caller where the API says so.
        definition: The column as declared.
    """

    name: str
    data_type: DataType
    role: ColumnRole
    schema: str | None
    inline: bool
    hidden: bool
    nullable: bool
    has_default: bool
    generated: bool
    is_key: bool
    is_user_id: bool
    definition: Column


def parse_integer_key(text: str) -> int | None:
    """
    Read a decimal 64-bit integer with optional sign.

    Spec:
        records/record-ids
    """
    if not _INTEGER_TEXT.match(text):
        return None
    value = int(text)
    return value if MIN_INTEGER <= value <= MAX_INTEGER else None


def key_parser(data_type: DataType) -> Callable[[str], Key | None]:
    """Choose how ids in paths are read; the parser returns None for an invalid id."""
    return parse_integer_key if data_type is DataType.INTEGER else decode_blob_text


def render_key(key: Key) -> str:
    """
    Render a key the way create answers with it.

    Spec:
        records/record-ids
    """
    return encode_b64u(key) if isinstance(key, bytes) else str(key)
