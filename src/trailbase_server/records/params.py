"""
Values of a request become values of a row.

Each column has one converter, chosen when the API is compiled. Conversion is strict: no text
becomes a number, no number a text. ``None`` becomes NULL everywhere; whether that is allowed is for
the table to say. Forms know nothing but texts: ``read_form`` turns those of numeric and JSON
columns into what JSON would have carried, before the same converters see them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from math import isfinite
from typing import Any

import orjson

from trailbase_server.db.values import SqlValue
from trailbase_server.ids import UUID_TEXT_LENGTH, decode_blob_text
from trailbase_server.records.columns import MAX_INTEGER, MIN_INTEGER, ApiColumn, ColumnRole
from trailbase_server.records.file_entries import InvalidFileError, read_files
from trailbase_server.schema.json_text import InvalidJsonError, parse_json
from trailbase_server.schema.model import DataType
from trailbase_server.schema.registry import SchemaRegistry

Converter = Callable[[Any, SchemaRegistry], SqlValue]
"""From parsed JSON to what is stored; raises ``InvalidValueError``."""

MAX_IDS = 4096  # texts whose bytes are remembered, about 200 bytes each
_INTEGER_TEXT = re.compile(r"[+-]?[0-9]{1,20}\Z")
_REAL_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_BOOLEANS = {"true": True, "false": False}


class InvalidValueError(ValueError):
    """
    A value that does not fit its column.

    Args:
        reason: For the log; the client is told one of two constant texts.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


def compile_converters(columns: Iterable[ApiColumn]) -> dict[str, Converter]:
    """
    Choose the converters of an API's columns, by name.

    Spec:
        records/json-input-sqlite-create-update-batch
    """
    return {column.name: _converter(column) for column in columns}


def convert_record(
    converters: Mapping[str, Converter], record: Mapping[str, Any], registry: SchemaRegistry
) -> dict[str, SqlValue]:
    """
    Convert one record of a request.

    Args:
        converters: As of ``compile_converters``.
        record: Parsed JSON object; members that are no columns are left out.
        registry: Schemas of JSON columns.

    Returns:
        Values by column name, in the order of the request. A name with value None was sent as
        null, a missing one was not sent.

    Raises:
        InvalidValueError: A value does not fit its column.

    Spec:
        records/json-input-sqlite-create-update-batch
    """
    values: dict[str, SqlValue] = {}
    for name, value in record.items():
        convert = converters.get(name)
        if convert is not None:
            values[name] = convert(value, registry)
    return values


def read_form(
    columns: Mapping[str, ApiColumn], fields: Mapping[str, str | list[str]]
) -> dict[str, Any]:
    """
    Turn the texts of a form into what JSON would have carried.

    Args:
        columns: API columns by name.
        fields: Form fields; a list is a repeated multipart field.

    Returns:
        The same fields: numbers and booleans for INTEGER and REAL columns, parsed values for JSON
        columns. What cannot be read stays as it is, for the converter to refuse.

    Spec:
        records/form-input
    """
    record: dict[str, Any] = dict(fields)
    for name, text in fields.items():
        column = columns.get(name)
        if column is not None and isinstance(text, str):
            record[name] = _read_text(column, text)
    return record


def _read_text(column: ApiColumn, text: str) -> Any:
    if column.role is ColumnRole.JSON:
        try:
            return parse_json(text)
        except InvalidJsonError:
            return text
    if column.data_type is DataType.INTEGER:
        return int(text) if _INTEGER_TEXT.match(text) else _BOOLEANS.get(text, text)
    if column.data_type is DataType.REAL and _REAL_TEXT.match(text):
        return float(text)
    return text


def _converter(column: ApiColumn) -> Converter:
    if column.generated:
        return _refuse_generated
    if column.role is ColumnRole.JSON and column.schema is not None:
        return partial(_json, column.schema, column.inline, column.nullable)
    if column.role in (ColumnRole.FILE, ColumnRole.FILES):
        return partial(_files, column.name, column.role is ColumnRole.FILES)
    if column.role is ColumnRole.GEOMETRY:
        return _geometry
    return _PLAIN[column.data_type]


def _refuse_generated(_value: Any, _registry: SchemaRegistry) -> SqlValue:
    raise InvalidValueError("a generated column cannot be written")


def _integer(value: Any, _registry: SchemaRegistry) -> SqlValue:
    if value is None:
        return None
    if isinstance(value, int):
        if MIN_INTEGER <= value <= MAX_INTEGER:
            return int(value)  # of a boolean, too
        raise InvalidValueError("an integer beyond 64 bits")
    raise InvalidValueError("not an integer")


def _real(value: Any, _registry: SchemaRegistry) -> SqlValue:
    if value is None or isinstance(value, float):
        if value is None or isfinite(value):
            return value
        raise InvalidValueError("an infinite number")
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    raise InvalidValueError("not a number")


def _text(value: Any, _registry: SchemaRegistry) -> SqlValue:
    if value is None or isinstance(value, str):
        return value
    raise InvalidValueError("not a text")


def _blob(value: Any, _registry: SchemaRegistry) -> SqlValue:
    if value is None:
        return None
    if isinstance(value, str):
        data = _id(value) if len(value) <= UUID_TEXT_LENGTH else decode_blob_text(value)
        if data is None:
            raise InvalidValueError("neither base64 nor a UUID")
        return data
    return _bytes(value)


def _any(value: Any, registry: SchemaRegistry) -> SqlValue:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return _integer(value, registry)
    if isinstance(value, float):
        return _real(value, registry)
    return _bytes(value)


def _bytes(value: Any) -> bytes:
    """Read an array of bytes."""
    if isinstance(value, list) and all(type(item) is int for item in value):
        try:
            return bytes(value)
        except ValueError as exc:
            raise InvalidValueError("not an array of bytes") from exc
    raise InvalidValueError("not an array of bytes")


# References to the same few rows come again and again: who writes, and to what.
_id = lru_cache(MAX_IDS)(decode_blob_text)

_PLAIN: Mapping[DataType, Converter] = {
    DataType.INTEGER: _integer,
    DataType.REAL: _real,
    DataType.TEXT: _text,
    DataType.BLOB: _blob,
    DataType.ANY: _any,
}


def _json(
    schema: str, inline: bool, nullable: bool, value: Any, registry: SchemaRegistry
) -> SqlValue:
    if value is None:
        # Null means NULL where that can be stored; else it is a value that the schema may admit.
        if nullable or registry.validate(schema, None, inline=inline) is not None:
            return None
        return "null"
    if isinstance(value, str):
        return _json_text(schema, inline, value, registry)
    problem = registry.validate(schema, value, inline=inline)
    if problem is not None:
        raise InvalidValueError(problem)
    return _render(value)


def _json_text(schema: str, inline: bool, text: str, registry: SchemaRegistry) -> str:
    """
    Take a text for a JSON column.

    Only where the schema admits texts at all. There a text that is JSON by itself is stored as it
    is, as upstream does; any other is a JSON string.
    """
    if not registry.admits_text(schema, inline=inline):
        raise InvalidValueError("a text in place of a JSON value")
    try:
        is_json = registry.validate(schema, parse_json(text), inline=inline) is None
    except InvalidJsonError:
        is_json = False
    if is_json:
        return text
    problem = registry.validate(schema, text, inline=inline)
    if problem is not None:
        raise InvalidValueError(problem)
    return _render(text)


def _render(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _files(column: str, is_list: bool, value: Any, _registry: SchemaRegistry) -> SqlValue:
    if value is None:
        return None
    try:
        return read_files(column, value, is_list=is_list)
    except InvalidFileError as exc:
        raise InvalidValueError(str(exc)) from exc


def _geometry(value: Any, _registry: SchemaRegistry) -> SqlValue:
    if value is None:
        return None
    # Imported when first needed: start-up time.
    from trailbase_server.schema.geometry import (  # noqa: PLC0415
        InvalidGeometryError,
        geometry_from_geojson,
    )

    try:
        return geometry_from_geojson(value)
    except InvalidGeometryError as exc:
        raise InvalidValueError(str(exc)) from exc
