"""
Rows become JSON.

For each selection of columns an encoder is compiled once. Most values need no step of ours: orjson
renders them, and asks ``blob_text`` for each BLOB. Only columns with a role, and those that may
hold an infinite number, are touched one by one. JSON columns are checked, not re-rendered: their
text is embedded as it is stored, so numbers keep their spelling and depth costs nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import isinf
from typing import Any

import orjson

from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import InternalError
from trailbase_server.ids import encode_b64u, encode_b64u_all
from trailbase_server.records.columns import ApiColumn, ColumnRole
from trailbase_server.schema.model import DataType

Record = dict[str, Any]
"""A record on its way to JSON; values may be bytes or ready fragments."""

RowEncoder = Callable[[Row], Record]
PageEncoder = Callable[[Sequence[Row]], list[Record]]
ValueEncoder = Callable[[Any], Any]


class EncodeError(InternalError):
    """A stored value has no JSON form: 500."""


def blob_text(value: object) -> str:
    """
    Render what orjson cannot: a BLOB.

    Raises:
        TypeError: Anything else, which is a bug.
    """
    if isinstance(value, bytes):
        return encode_b64u(value)
    raise TypeError(type(value).__name__)


def dump_json(value: object) -> bytes:
    """Render records, or structures of records, as compact JSON."""
    return orjson.dumps(value, default=blob_text)


def compile_encoder(columns: Sequence[ApiColumn], wrapped: frozenset[str]) -> RowEncoder:
    """
    Build the encoder for rows of a selection.

    Args:
        columns: Selected columns; the order decides that of the members. Rows may have further
            values behind these, which are left out.
        wrapped: Names of references that are shown as ``{"id": …}``.

    Returns:
        A function from row to record.

    Spec:
        records/sqlite-json-read-list-events
    """
    names = tuple(column.name for column in columns)
    steps = tuple(
        (index, encoder)
        for index, column in enumerate(columns)
        if (encoder := _value_encoder(column, column.name in wrapped)) is not None
    )
    if not steps:
        return partial(_encode_plain, names)
    return partial(_encode_row, names, steps)


def compile_page_encoder(columns: Sequence[ApiColumn], wrapped: frozenset[str]) -> PageEncoder:
    """
    Build the encoder for a whole page of rows; the result is that of ``compile_encoder``.

    It goes column by column: the keys of a page are rendered in one step instead of one by one.

    Args:
        columns, wrapped: As of ``compile_encoder``.

    Returns:
        A function from rows to records.
    """
    names = tuple(column.name for column in columns)
    blobs = tuple(
        index
        for index, column in enumerate(columns)
        if column.data_type is DataType.BLOB
        and column.role is ColumnRole.PLAIN
        and column.name not in wrapped
    )
    steps = tuple(
        (index, encoder)
        for index, column in enumerate(columns)
        if (encoder := _value_encoder(column, column.name in wrapped)) is not None
    )
    return partial(_encode_page, names, blobs, steps)


def _encode_page(
    names: tuple[str, ...],
    blobs: tuple[int, ...],
    steps: tuple[tuple[int, ValueEncoder], ...],
    rows: Sequence[Row],
) -> list[Record]:
    if not rows:
        return []
    columns: list[Sequence[Any]] = list(zip(*rows))  # noqa: B905  # rows of one statement
    for index in blobs:
        columns[index] = encode_b64u_all(columns[index])
    for index, encode in steps:
        columns[index] = [None if value is None else encode(value) for value in columns[index]]
    # As in ``_encode_plain``, a row may be longer than the names.
    return [dict(zip(names, values)) for values in zip(*columns)]  # noqa: B905


def _encode_plain(names: tuple[str, ...], row: Row) -> Record:
    # A row may be longer. The keyword ``strict`` would cost more than the rest of the line.
    return dict(zip(names, row))  # noqa: B905


def _encode_row(
    names: tuple[str, ...], steps: tuple[tuple[int, ValueEncoder], ...], row: Row
) -> Record:
    record = dict(zip(names, row))  # noqa: B905  # as above
    for index, encode in steps:
        value = row[index]
        if value is not None:
            record[names[index]] = encode(value)
    return record


def _value_encoder(column: ApiColumn, is_wrapped: bool) -> ValueEncoder | None:
    if is_wrapped:
        return _wrap
    if column.role is ColumnRole.JSON:
        return _embed_json
    if column.role in (ColumnRole.FILE, ColumnRole.FILES):
        return _hide_object_ids
    if column.role is ColumnRole.GEOMETRY:
        return _geometry
    if column.data_type in (DataType.REAL, DataType.ANY):
        return _finite
    return None


def _wrap(value: SqlValue) -> Record:
    return {"id": value}


def _embed_json(value: SqlValue) -> Any:
    if not isinstance(value, str):
        return value
    _load(value)
    return orjson.Fragment(value)


def _hide_object_ids(value: SqlValue) -> Any:
    """Show the metadata of files without the key of the object store."""
    if not isinstance(value, str):
        return value
    entries = _load(value)
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict):
            entry.pop("id", None)
    return entries


def _geometry(value: SqlValue) -> Any:
    if not isinstance(value, bytes):
        return value
    # Imported when first needed: start-up time.
    from trailbase_server.schema.geometry import geometry_to_geojson  # noqa: PLC0415

    try:
        return geometry_to_geojson(value)
    except ValueError as exc:
        raise EncodeError(detail="a stored geometry is malformed") from exc


def _finite(value: SqlValue) -> SqlValue:
    # orjson would render infinity as null, which means something else.
    if isinstance(value, float) and isinf(value):
        raise EncodeError(detail="an infinite number has no JSON form")
    return value


def _load(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise EncodeError(detail="a JSON column holds text that is not JSON") from exc
