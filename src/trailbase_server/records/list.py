"""
List records: filter, order, page, count, expand.

The read rule is a row filter here: who may not read a row does not see it, and nobody gets 403 from
it. Order of checks: ``geojson`` and ``skip_cursor`` well-formed 400, API 405, table permission 403,
query string 400, geometry column 400, filter 400, limit 400, cursor 400, expansion 400.
"""

from collections.abc import Sequence
from typing import Any

from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.query.cursor import decode_cursor, encode_cursor, keyset_condition
from trailbase_server.query.order import compile_order
from trailbase_server.query.parse import ListQuery, OrderTerm, check_flags, parse_list_query
from trailbase_server.query.sql import compile_filter
from trailbase_server.records.access import READ, user_of
from trailbase_server.records.api import RecordApi
from trailbase_server.records.encode import Record, dump_json
from trailbase_server.records.expand import attach_data, check_expansions
from trailbase_server.records.state import RecordsState
from trailbase_server.web.request import Request
from trailbase_server.web.response import JSON_TYPE, Response

DEFAULT_LIMIT = 50  # records per page where the request does not say
NO_CURSOR = "Only TABLEs with PK primary order support cursors. Use offset instead."


def list_records(state: RecordsState, request: Request) -> Response:
    """
    Answer with a page of records.

    Raises:
        MethodNotAllowedError: No such API.
        ForbiddenError: No table permission.
        BadRequestError: Something in the query string.

    Spec:
        records/list-get-api-records-v1-api
    """
    check_flags(request.query)
    api = state.api(request.params["api"])
    api.check_permission(request.identity, READ)
    query = parse_list_query(request.query)
    return Response(
        200, dump_json(_page(state, api, query, user_of(request.identity))), [JSON_TYPE]
    )


def _page(
    state: RecordsState, api: RecordApi, query: ListQuery, user: bytes | None
) -> dict[str, Any]:
    read = state.database.read
    geometry = _geometry_column(api, query.geojson)
    where, params = _conditions(state, api, query, user)
    limit = _limit(api, query)
    terms = query.order or (OrderTerm(api.key.name, True),)
    has_cursor = not api.is_view and terms[0].column == api.key.name
    order_sql = compile_order(terms, api.filters, "_ROW_") if query.order else api.order_sql
    page_where, page_params = where, params
    if query.cursor is not None:
        if not has_cursor:
            raise BadRequestError(NO_CURSOR)
        after = decode_cursor(state.cursor_key, api.name, api.key.name, query.cursor)
        sql, values = keyset_condition(terms[:1], after, "_ROW_")
        page_where, page_params = [*where, sql], [*params, *values]
    expansions = check_expansions(api.expansions, query.expand)

    page: dict[str, Any] = {}
    rows: list[Row] = []
    if limit:
        sql = f"{api.list_sql}{_where(page_where)} ORDER BY {order_sql} LIMIT ? OFFSET ?"
        rows = read(sql, [*page_params, limit, query.offset or 0])
    records = api.encode_page(rows)
    if expansions:
        attach_data(read, expansions, records)
    if has_cursor and rows and not query.skip_cursor:
        last = rows[-1][api.key_index]
        page["cursor"] = encode_cursor(state.cursor_key, api.name, api.key.name, (last,))
    if query.count:
        page["total_count"] = read(api.count_sql + _where(where), params)[0][0]
    if geometry is None:
        page["records"] = records
        return page
    features = [
        _feature(api, geometry, row, record) for row, record in zip(rows, records, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features, **page}


def _conditions(
    state: RecordsState, api: RecordApi, query: ListQuery, user: bytes | None
) -> tuple[list[str], list[SqlValue]]:
    """Collect what a row must satisfy to be counted, and the values for it."""
    where: list[str] = []
    params: list[SqlValue] = []
    rule = api.read_rule
    if rule is not None:
        where.append(rule.condition)
        if rule.uses_user:
            params.append(user)
    if query.filter is not None:
        sql, values = compile_filter(query.filter, api.filters, "_ROW_")
        if " REGEXP " in sql:
            # Linear time, but in the length of a column that the client may have written.
            state.database.leave_loop()
        where.append(sql)
        params += values
    return where, params


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _limit(api: RecordApi, query: ListQuery) -> int:
    if query.limit is None:
        return min(DEFAULT_LIMIT, api.listing_hard_limit)
    if query.limit > api.listing_hard_limit:
        raise BadRequestError(f"limit exceeds max limit of {api.listing_hard_limit}")
    return query.limit


def _geometry_column(api: RecordApi, name: str | None) -> str | None:
    if name is None:
        return None
    column = api.filters.get(name)
    if column is None or not column.is_geometry:
        raise BadRequestError("Invalid geometry column")
    return name


def _feature(api: RecordApi, geometry: str, row: Row, record: Record) -> dict[str, Any]:
    shape = record.pop(geometry)
    return {
        "type": "Feature",
        "geometry": shape,
        "id": row[api.key_index],
        "properties": record,
    }
