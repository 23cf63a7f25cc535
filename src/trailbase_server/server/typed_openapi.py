"""
The OpenAPI document of one depot: a set of paths for each record API, with its columns.

Made from the compiled APIs: what nobody may do is not in it, and what anybody may needs no token.
Their JSON schemas become components; references inside one lead to its new place.
"""

from typing import TYPE_CHECKING, Any

import orjson

from trailbase_server.records.access import CREATE, DELETE, READ, SCHEMA, UPDATE
from trailbase_server.records.api import RecordApi
from trailbase_server.records.json_schema import render_json_schema
from trailbase_server.records.routes import PREFIX
from trailbase_server.records.state import RecordsState
from trailbase_server.schema.json_schema import SchemaMode
from trailbase_server.server.openapi import (
    SECURITY_SCHEMES,
    Document,
    frame,
    json_body,
    refusals,
)
from trailbase_server.server.operations import FREE, QUERIES, array, members, optional

if TYPE_CHECKING:
    from collections.abc import Iterable

_COMPONENTS = "#/components/schemas/"
_REFUSED = {
    CREATE: (400, 401, 403, 405),
    READ: (400, 401, 403, 404, 405),
    UPDATE: (400, 401, 403, 404, 405),
    DELETE: (400, 401, 403, 404, 405),
    SCHEMA: (400, 401, 403, 405),
}
_RECORD = {"name": "record", "in": "path", "required": True, "schema": {"type": "string"}}


def build_typed_document(state: RecordsState, site: str | None) -> Document:
    """
    Describe the record APIs of a depot.

    Args:
        state: Of ``records``.
        site: Where clients reach the server, if that is known.

    Spec:
        server/developer-experience-p3
    """
    schemas: Document = {}
    paths: Document = {}
    for api in sorted(state.apis.values(), key=lambda one: one.name):
        for mode in SchemaMode:
            document = render_json_schema(api, mode, state.catalog, state.registry.schema)
            key = f"{api.name}.{mode.value}"
            schemas[key] = _moved(orjson.loads(document), f"{_COMPONENTS}{key}")
        paths |= _describe_api(api)
    return {
        **frame(),
        **({"servers": [{"url": site}]} if site else {}),
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY_SCHEMES},
        "tags": [{"name": name} for name in sorted(state.apis)],
    }


def _describe_api(api: RecordApi) -> Document:
    select, insert, update = (
        {"$ref": f"{_COMPONENTS}{api.name}.{mode}"} for mode in ("Select", "Insert", "Update")
    )
    page = optional(
        members(records=array(select)),
        cursor={"type": ["string", "null"]},
        total_count={"type": "integer"},
    )
    created = members(ids=array({"type": "string"}))
    base = f"{PREFIX}/{api.name}"
    listed, read = QUERIES["list_records_handler"], QUERIES["read_record_handler"]
    one, many = f"{base}/{{record}}", {"oneOf": [insert, array(insert)]}
    rows: list[tuple[str, str, str, int, Iterable[Document], Document | None, Document | None]] = [
        (base, "get", "list", READ, listed, None, page),
        (base, "post", "create", CREATE, (), many, created),
        (one, "get", "read", READ, (_RECORD, *read), None, select),
        (one, "patch", "update", UPDATE, (_RECORD,), update, None),
        (one, "delete", "delete", DELETE, (_RECORD,), None, None),
        (f"{base}/schema", "get", "schema", SCHEMA, QUERIES["json_schema_handler"], None, FREE),
    ]
    paths: Document = {}
    for path, method, verb, permission, parameters, body, answer in rows:
        if not api.authenticated & permission:
            continue
        is_public = bool(api.world & permission)
        content = {"content": {"application/json": {"schema": answer}}} if answer else {}
        paths.setdefault(path, {})[method] = {
            "operationId": f"{verb}_{api.name}",
            "summary": f"{verb.capitalize()} {api.name}.",
            "tags": [api.name],
            **({"parameters": list(parameters)} if parameters else {}),
            **({"requestBody": json_body(body)} if body else {}),
            "responses": {"200": {"description": "Done.", **content}}
            | refusals(_REFUSED[permission]),
            "security": [{}, {"bearer": []}] if is_public else [{"bearer": []}],
        }
    return paths


def _moved(value: Any, place: str) -> Any:
    """Make references of a schema lead to where it stands now."""
    if isinstance(value, dict):
        return {
            name: place + inner[1:]
            if name == "$ref" and isinstance(inner, str) and inner.startswith("#")
            else _moved(inner, place)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_moved(item, place) for item in value]
    return value
