"""
The JSON schema of an API: what a client may send and what it gets.

Rendered when first asked for and kept with the plan; a change of schema makes new plans.
"""

from urllib.parse import parse_qsl

import orjson

from trailbase_server.errors import BadRequestError
from trailbase_server.records.access import SCHEMA, check_rule, user_of
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import referred_table
from trailbase_server.records.state import RecordsState
from trailbase_server.schema.json_schema import (
    ExpandedTable,
    Lookup,
    SchemaColumn,
    SchemaMode,
    build_json_schema,
    schema_columns,
)
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.roles import record_key
from trailbase_server.web.request import Request
from trailbase_server.web.response import JSON_TYPE, Response


def get_json_schema(state: RecordsState, request: Request) -> Response:
    """
    Answer with the schema for one mode.

    Raises:
        BadRequestError: Unknown mode.
        MethodNotAllowedError: No such API.
        ForbiddenError: Table permission or schema rule.

    Spec:
        records/json-schema-get-api-records-v1-api-schema
    """
    mode = _mode(request.query)
    api = state.api(request.params["api"])
    api.check_permission(request.identity, SCHEMA)
    if api.schema_rule is not None:
        check_rule(state.database.read, api.schema_rule, user_of(request.identity))
    body = render_json_schema(api, mode, state.catalog, state.registry.schema)
    return Response(200, body, [JSON_TYPE])


def render_json_schema(api: RecordApi, mode: SchemaMode, catalog: Catalog, lookup: Lookup) -> bytes:
    """
    Render the schema of an API, once per mode.

    Args:
        api: The plan.
        mode: What the schema is for.
        catalog: What the plan was compiled from.
        lookup: Finds registered schemas.

    Spec:
        records/json-schema-get-api-records-v1-api-schema
    """
    document = api.documents.get(mode)
    if document is None:
        schema = build_json_schema(
            api.name,
            [SchemaColumn(column.definition, column.nullable) for column in api.columns],
            mode,
            lookup,
            _expanded_tables(api, catalog),
        )
        document = api.documents[mode] = orjson.dumps(schema)
    return document


def _expanded_tables(api: RecordApi, catalog: Catalog) -> dict[str, ExpandedTable]:
    relation = catalog.table(api.table) or catalog.view(api.table)
    tables: dict[str, ExpandedTable] = {}
    if relation is None:
        return tables
    for name in api.expansions:
        target = referred_table(relation, name, catalog)
        key = record_key(target, catalog) if target is not None else None
        if target is not None and key is not None:
            tables[name] = ExpandedTable(target.name.name, key, schema_columns(target))
    return tables


def _mode(query: str) -> SchemaMode:
    modes = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "mode"]
    if not modes:
        return SchemaMode.INSERT
    try:
        (mode,) = modes
        return SchemaMode(mode)
    except ValueError as exc:
        raise BadRequestError("Invalid mode") from exc
