"""What a record API knows of each of its columns, and the text form of its keys."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from trailbase_server.db.dialect import quote
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import decode_blob_text, encode_b64u
from trailbase_server.schema.model import (
    Catalog,
    Column,
    DataType,
    ForeignKey,
    References,
    Table,
    View,
)
from trailbase_server.schema.parser import parse_qualified_name
from trailbase_server.schema.roles import (
    JsonByName,
    JsonInline,
    effective_column,
    find_table,
    foreign_key,
    has_default,
    is_generated,
    is_geometry,
    is_hidden,
    is_nullable,
    is_user_id,
    json_role,
)

MIN_INTEGER = -(2**63)  # SQLite's INTEGER
MAX_INTEGER = 2**63 - 1
_INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,20}\Z")

Key = int | bytes
"""Value of a record's key column."""


class InvalidIdError(BadRequestError):
    """The id in a path is none of the API's kind: 400."""

    def __init__(self) -> None:
        super().__init__("Invalid id")


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
        definition: The column as declared, with what table constraints say about it alone.
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


def compile_columns(
    relation: Table | View, catalog: Catalog, key: str, excluded: Collection[str] = ()
) -> tuple[ApiColumn, ...]:
    """
    Classify the columns of a table or view.

    Args:
        relation: A view has a mapping.
        catalog: Where references lead.
        key: Name of the record's key column.
        excluded: Names to leave out.

    Returns:
        Columns in table order.

    Spec:
        records/columns-classification
    """
    described: list[tuple[Column, Table | None, bool]]
    if isinstance(relation, Table):
        described = [
            (effective_column(relation, column), relation, False) for column in relation.columns
        ]
    else:
        mapping = relation.mapping
        described = [
            (item.column, catalog.table(item.table) if item.table else None, item.nullable_by_join)
            for item in (mapping.columns if mapping else ())
        ]
    return tuple(
        _classify(column, table, column.name == key, optional)
        for column, table, optional in described
        if column.name not in excluded
    )


def _classify(column: Column, table: Table | None, is_key: bool, is_optional: bool) -> ApiColumn:
    role, schema, inline = _role(column)
    return ApiColumn(
        name=column.name,
        data_type=column.data_type,
        role=role,
        schema=schema,
        inline=inline,
        hidden=is_hidden(column.name),
        nullable=is_optional or is_nullable(column),
        has_default=has_default(column) or is_key,
        generated=is_generated(column),
        is_key=is_key,
        is_user_id=table is not None and is_user_id(table, column),
        definition=column,
    )


def _role(column: Column) -> tuple[ColumnRole, str | None, bool]:
    match json_role(column):
        case JsonByName(name="std.FileUpload" as name):
            return ColumnRole.FILE, name, False
        case JsonByName(name="std.FileUploads" as name):
            return ColumnRole.FILES, name, False
        case JsonByName(name=name):
            return ColumnRole.JSON, name, False
        case JsonInline(schema_text=text):
            return ColumnRole.JSON, text, True
    if is_geometry(column):
        return ColumnRole.GEOMETRY, None, False
    return ColumnRole.PLAIN, None, False


def find_relation(catalog: Catalog, table_name: str) -> Table | View | None:
    """Look up what an API's ``table_name`` refers to."""
    name = parse_qualified_name(table_name)
    return catalog.table(name) or catalog.view(name)


def select_columns(columns: Iterable[ApiColumn]) -> tuple[ApiColumn, ...]:
    """
    Choose what is read of each row: visible columns by name, then the key if that is hidden.

    Members of records are sorted by name, and a row has the order of its selection.
    """
    visible = sorted((c for c in columns if not c.hidden), key=lambda c: c.name.encode())
    return (*visible, *(c for c in columns if c.hidden and c.is_key))


def column_list(selection: Iterable[ApiColumn]) -> str:
    """Render a selection of the relation ``_ROW_``."""
    # Qualified: SQLite takes a lone "word" that is no column for text.
    return ", ".join(f"_ROW_.{quote(column.name)}" for column in selection)


def find_reference(relation: Table | View, column: str) -> tuple[ForeignKey, str | None] | None:
    """
    Find the single-column foreign key of a column.

    Returns:
        The key and the database schema its target is in; None if the column is no reference.
    """
    if isinstance(relation, Table):
        found = foreign_key(relation, column)
        return None if found is None else (found, relation.name.database_schema)
    for item in relation.mapping.columns if relation.mapping else ():
        if item.column.name != column or item.table is None:
            continue
        for option in item.column.options:
            if isinstance(option, References):
                key = ForeignKey((column,), option.foreign_table, option.referred_columns)
                return key, item.table.database_schema
    return None


def referred_table(relation: Table | View, column: str, catalog: Catalog) -> Table | None:
    """Find the table a column refers to, in the same database."""
    reference = find_reference(relation, column)
    if reference is None:
        return None
    key, schema = reference
    return find_table(catalog, key.foreign_table, schema)
