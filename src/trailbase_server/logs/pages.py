"""
Pages of the access log, as administrators see them: list queries on ``_logs``.

Spec: server/reading-admin.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from trailbase_server.db.base import Reader
from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import UUID_BYTES, render_uuid_text
from trailbase_server.logs.indexes import ERRORS, is_about_errors
from trailbase_server.query.filter import FilterColumn, FilterNode
from trailbase_server.query.order import compile_order
from trailbase_server.query.parse import ListQuery
from trailbase_server.query.sql import compile_filter
from trailbase_server.schema.model import DataType

DEFAULT_LIMIT = 50  # entries of a page where the request does not say
MAX_LIMIT = 1024  # some 500 KiB of JSON
REDACTED = "<demo>"
COUNTRY_DATABASE = "GeoLite2-Country"
CITY_DATABASE = "GeoLite2-City"

_SHOWN = (
    *("id", "created", "status", "method", "url", "latency"),
    *("client_ip", "referer", "user_agent", "user_id"),
)
_PRIVATE = ("client_ip", "referer", "user_agent")  # hidden from visitors of a demo
_TYPES = {
    "id": DataType.INTEGER,
    "created": DataType.REAL,
    "status": DataType.INTEGER,
    "method": DataType.TEXT,
    "url": DataType.TEXT,
    "latency": DataType.REAL,
    "client_ip": DataType.TEXT,
    "referer": DataType.TEXT,
    "user_agent": DataType.TEXT,
    "user_id": DataType.BLOB,
    "data": DataType.TEXT,
}
_COLUMNS = {name: FilterColumn(name, data_type) for name, data_type in _TYPES.items()}
_SELECT = f"SELECT {', '.join(_SHOWN)} FROM _logs AS _ROW_"  # noqa: S608  # constants
_CURSOR = re.compile(r"[0-9]{1,19}\Z")
_MAX_ID = 2**63 - 1


class Place(Protocol):
    """Where an address is."""

    @property
    def country_code(self) -> str | None:
        """ISO code."""
        ...

    @property
    def name(self) -> str | None:
        """Of the city, in English."""
        ...


class Places(Protocol):
    """A database of addresses."""

    @property
    def kind(self) -> str:
        """What it knows, by its name."""
        ...

    def country(self, address: str) -> str | None:
        """ISO code of a valid address."""
        ...

    def city(self, address: str) -> Place | None:
        """Place of a valid address."""
        ...


@dataclass(frozen=True, slots=True)
class LogView:
    """
    How the log is shown.

    Attributes:
        places: Tells where addresses are, None if there is no such database.
        demo: Addresses and headers of others are hidden, and nobody can filter by them.
    """

    places: Places | None = None
    demo: bool = False


def list_log(reader: Reader, query: ListQuery, view: LogView) -> dict[str, Any]:
    """
    Read a page, the newest entries first unless told otherwise.

    Args:
        reader: Of ``logs.db``, where reading may take its time.
        query: Of the request.
        view: What is shown.

    Raises:
        BadRequestError: The limit, the cursor, an unknown column.

    Spec:
        admin-api/get-logs-list
    """
    limit = DEFAULT_LIMIT if query.limit is None else query.limit
    if limit > MAX_LIMIT:
        raise BadRequestError(f"limit exceeds max limit of {MAX_LIMIT}")
    conditions, params = compile_log_filter(query.filter, view)
    counted = f"SELECT count(*) FROM _logs AS _ROW_{_where(conditions)}"  # noqa: S608  # names come from the table above
    [(total,)] = reader.read(counted, params)
    if query.order:
        order = compile_order(query.order, _columns(view), "_ROW_")
    else:
        order = "_ROW_.id DESC"
        if query.cursor is not None:
            conditions.append("_ROW_.id < ?")
            params.append(_parse_cursor(query.cursor))
    rows = reader.read(
        f"{_SELECT}{_where(conditions)} ORDER BY {order} LIMIT ? OFFSET ?",
        [*params, limit, query.offset or 0],
    )
    return {
        "total_row_count": total,
        "cursor": str(rows[-1][0]) if rows and not query.order else None,
        "entries": [_render_entry(row, view) for row in rows],
    }


def compile_log_filter(node: FilterNode | None, view: LogView) -> tuple[list[str], list[SqlValue]]:
    """
    Turn a filter into conditions on ``_ROW_`` and their values.

    Raises:
        InvalidFilterError: A column that is not there, or not to be asked about.
    """
    if node is None:
        return [], []
    condition, params = compile_filter(node, _columns(view), "_ROW_")
    return [condition, ERRORS] if is_about_errors(node) else [condition], params


def _columns(view: LogView) -> dict[str, FilterColumn]:
    if not view.demo:
        return _COLUMNS
    return {name: column for name, column in _COLUMNS.items() if name not in _PRIVATE}


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _parse_cursor(text: str) -> int:
    if not _CURSOR.match(text) or int(text) > _MAX_ID:
        raise BadRequestError("Bad cursor")
    return int(text)


def _render_entry(row: Row, view: LogView) -> dict[str, Any]:
    entry = dict(zip(_SHOWN, row, strict=True))
    address = cast(str, entry["client_ip"])
    user_id = entry["user_id"]
    is_user = isinstance(user_id, bytes) and len(user_id) == UUID_BYTES
    shown = {
        **_without(entry, ("latency",)),
        "latency_ms": entry["latency"],
        **_render_place(address, view.places),
        "user_id": render_uuid_text(user_id) if isinstance(user_id, bytes) and is_user else None,
    }
    if view.demo:
        shown.update({name: REDACTED for name in _PRIVATE if shown[name]})
    return shown


def _render_place(address: str, places: Places | None) -> dict[str, Any]:
    country: str | None = None
    city: dict[str, str | None] | None = None
    if places is not None and address:
        if places.kind == COUNTRY_DATABASE:
            country = places.country(address)
        elif places.kind == CITY_DATABASE:
            place = places.city(address)
            if place is not None:
                city = {"country_code": place.country_code, "name": place.name}
    return {"client_geoip_cc": country, "client_geoip_city": city}


def _without(entry: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}
