"""Read the audit log: pages by the grammar of lists, or all of it piece by piece."""

from collections.abc import AsyncIterator
from typing import Any, cast

import orjson
from msgspec import Struct

from trailbase_server.db.base import Database, Reader
from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import render_uuid_text
from trailbase_server.query.filter import FilterColumn
from trailbase_server.query.order import compile_order
from trailbase_server.query.parse import ListQuery
from trailbase_server.query.sql import compile_filter
from trailbase_server.schema.model import DataType

DEFAULT_LIMIT = 50  # entries per page where the request does not say
MAX_LIMIT = 1024  # as for other lists of administrators
EXPORT_BATCH = 200  # entries read at a time; at most 7 MB
MAX_CURSOR_DIGITS = 18  # of an id

_SHOWN = (
    *("id", "time", "actor_kind", "actor_id", "actor_name", "client_ip", "request_id"),
    *("action", "object", "before", "after", "outcome", "status", "message"),
)
_TEXTS = (
    *("actor_kind", "actor_name", "client_ip", "request_id", "action", "object"),
    *("outcome", "message"),
)
_COLUMNS = {
    "id": FilterColumn("id", DataType.INTEGER),
    "time": FilterColumn("time", DataType.REAL),
    "status": FilterColumn("status", DataType.INTEGER),
    "actor_id": FilterColumn("actor_id", DataType.BLOB),
    **{name: FilterColumn(name, DataType.TEXT) for name in _TEXTS},
}
_SELECT = f"SELECT {', '.join(_SHOWN)} FROM entry AS _ROW_"  # noqa: S608  # constants


class Page(Struct, frozen=True):
    """
    Some entries.

    Attributes:
        total: How many match in all.
        entries: As they go over the wire.
        cursor: Of the next page, None after the last or where an order was asked for.
    """

    total: int
    entries: list[dict[str, Any]]
    cursor: str | None


async def search(database: Database, query: ListQuery) -> Page:
    """
    Read a page, the newest entries first unless told otherwise.

    Raises:
        BadRequestError: Something in the query does not fit.

    Spec:
        server/audit-log-p2
        admin-api/list-query-syntax
    """
    limit = DEFAULT_LIMIT if query.limit is None else query.limit
    if limit > MAX_LIMIT:
        raise BadRequestError(f"limit exceeds max limit of {MAX_LIMIT}")
    order = compile_order(query.order, _COLUMNS, "_ROW_") if query.order else "_ROW_.id DESC"
    condition, params = _condition(query)
    before = _parse_cursor(query.cursor) if query.cursor and not query.order else None
    rows, total = await database.on_pool(
        _read_page, database, condition, params, before, order, limit, query.offset or 0
    )
    cursor = None
    if rows and len(rows) == limit and not query.order:
        cursor = str(rows[-1][0])
    return Page(total, [render_entry(row) for row in rows], cursor)


async def export(database: Database, query: ListQuery) -> AsyncIterator[bytes]:
    """
    Read all entries that match, oldest first, as JSON objects one a line.

    Returns:
        The pieces, read when they are asked for.

    Raises:
        BadRequestError: Something in the query does not fit.
    """
    condition, params = _condition(query)
    first = await database.on_pool(_read_more, database, condition, params, 0)
    return _pieces(database, condition, params, first)


async def _pieces(
    database: Database, condition: str, params: list[SqlValue], rows: list[Row]
) -> AsyncIterator[bytes]:
    while rows:
        yield b"".join(orjson.dumps(render_entry(row)) + b"\n" for row in rows)
        last = cast(int, rows[-1][0])
        rows = await database.on_pool(_read_more, database, condition, params, last)


def render_entry(row: Row) -> dict[str, Any]:
    """Render an entry as it goes over the wire."""
    entry = dict(zip(_SHOWN, row, strict=True))
    actor_id = cast("bytes | None", entry.pop("actor_id"))
    actor = {
        "kind": entry.pop("actor_kind"),
        "id": render_uuid_text(actor_id) if actor_id is not None else None,
        "name": entry.pop("actor_name"),
    }
    for name in ("before", "after"):
        text = entry[name]
        entry[name] = orjson.loads(cast(str, text)) if text is not None else None
    return {"id": entry.pop("id"), "time": entry.pop("time"), "actor": actor, **entry}


def _condition(query: ListQuery) -> tuple[str, list[SqlValue]]:
    if query.filter is None:
        return "TRUE", []
    condition, params = compile_filter(query.filter, _COLUMNS, "_ROW_")
    return f"({condition})", params


def _parse_cursor(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_CURSOR_DIGITS):
        raise BadRequestError("invalid cursor")
    return int(text)


def _read_page(
    reader: Reader,
    condition: str,
    params: list[SqlValue],
    before: int | None,
    order: str,
    limit: int,
    offset: int,
) -> tuple[list[Row], int]:
    [(total,)] = reader.read(f"SELECT count(*) FROM entry AS _ROW_ WHERE {condition}", params)  # noqa: S608  # names come from the table above
    where, values = condition, list(params)
    if before is not None:
        where, values = f"{condition} AND _ROW_.id < ?", [*values, before]
    rows = reader.read(
        f"{_SELECT} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?", [*values, limit, offset]
    )
    return rows, cast(int, total)


def _read_more(reader: Reader, condition: str, params: list[SqlValue], last: int) -> list[Row]:
    return reader.read(
        f"{_SELECT} WHERE {condition} AND _ROW_.id > ? ORDER BY _ROW_.id LIMIT ?",
        [*params, last, EXPORT_BATCH],
    )
