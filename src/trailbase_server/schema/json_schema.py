"""
The JSON schema of a table or view: what a record looks like to clients.

One document holds everything. Schemas of columns become definitions at the root, and their own
definitions and references move with them: ``#`` meant the column's schema and must not mean the
whole document. Definitions of an expanded table carry the expanding column in their name, so that
both tables may have a column of the same name.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import quote, unquote

import orjson
from msgspec import Struct

from trailbase_server.schema.builtin import GEOJSON_GEOMETRY, JsonSchema
from trailbase_server.schema.model import Column, DataType, Table, View
from trailbase_server.schema.roles import (
    JsonByName,
    JsonInline,
    effective_column,
    has_default,
    is_geometry,
    is_hidden,
    is_nullable,
    json_role,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
GEOMETRY_DEFINITION = "_geojson_geometry"
ANY_TYPES = ["number", "string", "boolean", "object", "array", "null"]
_TYPES = {
    DataType.INTEGER: "integer",
    DataType.REAL: "number",
    DataType.TEXT: "string",
    DataType.BLOB: "string",
}
# Members whose content is data, not schemas.
_VALUES = frozenset(("const", "default", "enum", "examples"))
_DEFS = "#/$defs/"


class SchemaMode(StrEnum):
    """What a schema is for, as spelled in requests."""

    INSERT = "Insert"
    UPDATE = "Update"
    SELECT = "Select"


class Lookup(Protocol):
    """``SchemaRegistry.schema``."""

    def __call__(self, name: str, /) -> JsonSchema | None:
        """Return the registered schema of this name."""
        ...


class SchemaColumn(Struct, frozen=True):
    """
    A column of the document.

    Attributes:
        column: As declared, table constraints included (``roles.effective_column``).
        nullable: NULL is a possible value, be it for an outer join.
    """

    column: Column
    nullable: bool


class ExpandedTable(Struct, frozen=True):
    """
    What an expanded column refers to.

    Attributes:
        title: Name of the table.
        key: The column referred to.
        columns: All its columns.
    """

    title: str
    key: Column
    columns: Sequence[SchemaColumn]


def schema_columns(relation: Table | View) -> tuple[SchemaColumn, ...]:
    """
    Describe the columns of a table or view; a view without mapping has none.

    Spec:
        records/json-schema-get-api-records-v1-api-schema
    """
    if isinstance(relation, Table):
        columns = [effective_column(relation, column) for column in relation.columns]
        return tuple(SchemaColumn(column, is_nullable(column)) for column in columns)
    return tuple(
        SchemaColumn(item.column, item.nullable_by_join or is_nullable(item.column))
        for item in (relation.mapping.columns if relation.mapping else ())
    )


def build_json_schema(
    title: str,
    columns: Sequence[SchemaColumn],
    mode: SchemaMode,
    lookup: Lookup,
    expansions: Mapping[str, ExpandedTable] | None = None,
) -> JsonSchema:
    """
    Make the schema of a record.

    Args:
        title: Name of the API.
        columns: Its columns in table order.
        mode: Which members are shown, and which are required.
        lookup: Finds registered schemas; a column whose schema is unknown is described by its type.
        expansions: By column name; matter when selecting only.

    Returns:
        A complete document in dialect 2020-12; every reference in it resolves.

    Spec:
        records/json-schema-get-api-records-v1-api-schema
        sqlite/table-view-schema-mode-insert-default-select-update-case-sensitive
    """
    builder = _Builder(lookup)
    body = builder.object(title, columns, mode, expansions or {}, prefix="")
    document = {"$schema": DIALECT, **body}
    if builder.definitions:
        document["$defs"] = builder.definitions
    return document


class _Builder:
    """Collects the definitions of one document."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._reserved: set[str] = set()
        self.definitions: dict[str, JsonSchema] = {}

    def object(
        self,
        title: str,
        columns: Sequence[SchemaColumn],
        mode: SchemaMode,
        expansions: Mapping[str, ExpandedTable],
        prefix: str,
    ) -> JsonSchema:
        """Describe a record; names of definitions begin with ``prefix``."""
        shown = [
            item
            for item in columns
            if mode is not SchemaMode.SELECT or not is_hidden(item.column.name)
        ]
        self._reserved |= {prefix + item.column.name for item in shown}
        properties = {}
        for item in shown:
            name = item.column.name
            expanded = expansions.get(name) if mode is SchemaMode.SELECT else None
            properties[name] = (
                self._property(item, prefix + name)
                if expanded is None
                else self._expansion(item, expanded, f"{title}.{name}")
            )
        required = [item.column.name for item in shown if _is_required(item, mode)]
        return {"title": title, "type": "object", "properties": properties, "required": required}

    def _property(self, item: SchemaColumn, definition_name: str) -> JsonSchema:
        schema = self._column_schema(item.column)
        if schema is not None:
            return self._define(definition_name, self._move(schema, definition_name), item.nullable)
        if is_geometry(item.column):
            return self._define(GEOMETRY_DEFINITION, GEOJSON_GEOMETRY, item.nullable)
        return _plain(item.column.data_type, item.nullable)

    def _expansion(self, item: SchemaColumn, table: ExpandedTable, name: str) -> JsonSchema:
        data = self.object(table.title, table.columns, SchemaMode.SELECT, {}, f"{name}.")
        definition = {
            "type": "object",
            "properties": {"id": _plain(table.key.data_type, nullable=False), "data": data},
            "required": ["id"],
        }
        return self._define(name, definition, item.nullable)

    def _column_schema(self, column: Column) -> JsonSchema | None:
        match json_role(column):
            case JsonByName(name=name):
                return self._lookup(name)
            case JsonInline(schema_text=text):
                try:
                    schema = orjson.loads(text)
                except orjson.JSONDecodeError:
                    return None
                if isinstance(schema, bool):
                    return {} if schema else {"not": {}}
                return schema if isinstance(schema, dict) else None
        return None

    def _define(self, name: str, definition: JsonSchema, nullable: bool) -> JsonSchema:
        """Add a definition; returns the reference to it."""
        reference = {"$ref": _DEFS + _pointer(name)}
        if nullable:
            with_null = _admit_null(definition)
            if with_null is None:
                self.definitions[name] = definition
                return {"anyOf": [reference, {"type": "null"}]}
            definition = with_null
        self.definitions[name] = definition
        return reference

    def _move(self, schema: JsonSchema, name: str) -> JsonSchema:
        """Copy a schema so that it works as a definition, and its definitions to the root."""
        if "$id" in schema:
            return schema  # a resource of its own: references stay inside
        nested = schema.get("$defs")
        nested = nested if isinstance(nested, dict) else {}
        names = {key: key for key in nested}
        moved = {key: _relocate(value, name, names) for key, value in nested.items()}
        if any(self._is_taken(key, value) for key, value in moved.items()):
            names = {key: f"{name}.{key}" for key in nested}
            moved = {names[key]: _relocate(value, name, names) for key, value in nested.items()}
        self.definitions.update(moved)
        result: JsonSchema = _relocate(schema, name, names)
        return result

    def _is_taken(self, name: str, definition: JsonSchema) -> bool:
        return name in self._reserved or self.definitions.get(name, definition) != definition


def _is_required(item: SchemaColumn, mode: SchemaMode) -> bool:
    match mode:
        case SchemaMode.INSERT:
            return not item.nullable and not has_default(item.column)
        case SchemaMode.SELECT:
            return not item.nullable
        case SchemaMode.UPDATE:
            return False


def _plain(data_type: DataType, nullable: bool) -> JsonSchema:
    if data_type is DataType.ANY:
        return {"type": list(ANY_TYPES)}
    name = _TYPES[data_type]
    return {"type": ["null", name] if nullable else name}


def _admit_null(definition: JsonSchema) -> JsonSchema | None:
    """Extend ``type`` by null; None if that is not enough."""
    types = definition.get("type")
    if types is None or "enum" in definition or "const" in definition:
        return None
    types = types if isinstance(types, list) else [types]
    return {**definition, "type": types if "null" in types else ["null", *types]}


def _pointer(name: str) -> str:
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="!$&'()*+,;=:@~")


def _relocate(value: Any, home: str, names: Mapping[str, str]) -> Any:
    """
    Copy a part of a schema with its references changed.

    Args:
        value: The part.
        home: Definition that the schema becomes.
        names: Where its own definitions go: old name to new.
    """
    if isinstance(value, list):
        return [_relocate(item, home, names) for item in value]
    if not isinstance(value, dict) or "$id" in value:
        return value
    copy = {
        key: member if key in _VALUES else _relocate(member, home, names)
        for key, member in value.items()
    }
    reference = value.get("$ref")
    if isinstance(reference, str):
        copy["$ref"] = _relocate_reference(reference, home, names)
    return copy


def _relocate_reference(reference: str, home: str, names: Mapping[str, str]) -> str:
    if reference != "#" and not reference.startswith("#/"):
        return reference
    if reference.startswith(_DEFS):
        first, slash, rest = reference.removeprefix(_DEFS).partition("/")
        name = names.get(unquote(first).replace("~1", "/").replace("~0", "~"))
        if name is not None:
            return f"{_DEFS}{_pointer(name)}{slash}{rest}"
    return f"{_DEFS}{_pointer(home)}{reference[1:]}"
