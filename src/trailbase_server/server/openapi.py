"""
The OpenAPI document, from the table of routes.

Three readers: ``trail openapi`` (what every server of this protocol offers, or all of ours), the
admin API (what this one offers now) and ``trail mcp``, whose tools it becomes.
"""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import orjson
from msgspec import Struct

from trailbase_server import WIRE_VERSION
from trailbase_server.admin import routes as admin_tables
from trailbase_server.auth.routes import ROUTES as AUTH_ROUTES
from trailbase_server.auth.routes import WELL_KNOWN_ROUTES
from trailbase_server.records.routes import ROUTES as RECORD_ROUTES
from trailbase_server.records.routes import TRANSACTION_ROUTES
from trailbase_server.server.operations import BODIES, QUERIES, RESPONSES, UPSTREAM
from trailbase_server.web.request import Request
from trailbase_server.web.response import TEXT_TYPE, Response
from trailbase_server.web.route import Audience, Route
from trailbase_server.web.router import ANY_METHOD

Document = dict[str, Any]

TAGS = {
    "auth": "Accounts, sessions and log-in.",
    "records": "Records of the configured APIs.",
    "admin": "Administration.",
}
BINARY = "application/octet-stream"
_NAME = re.compile(r"{(\w+)}")
_IMPLIED: dict[Audience, tuple[int, ...]] = {
    "nobody": (),
    "anyone": (),
    "user": (401,),
    "admin": (400, 401, 403),
}
_SECURITY: dict[Audience, list[dict[str, list[str]]]] = {
    "nobody": [],
    "anyone": [{}, {"bearer": []}],
    "user": [{"bearer": []}],
    "admin": [{"bearer": [], "csrf": []}],
}
SECURITY_SCHEMES: Document = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "csrf": {"type": "apiKey", "in": "header", "name": "CSRF-Token"},
}


def public_routes(*, ours: bool = True) -> list[Route]:
    """All operations for applications, switched on or not; without ``ours`` upstream's alone."""
    found = (*AUTH_ROUTES, *WELL_KNOWN_ROUTES, *RECORD_ROUTES, *TRANSACTION_ROUTES)
    return [route for route in found if ours or route.operation in UPSTREAM]


def administration_routes() -> list[Route]:
    """All operations of the admin API: every table of ``admin/routes.py``."""
    tables = [value for name, value in vars(admin_tables).items() if name.endswith("ROUTES")]
    return [route for table in tables for route in table] + list(OPENAPI_ROUTES)


def build_document(routes: Iterable[Route]) -> Document:
    """
    Describe operations.

    Args:
        routes: Those of other tags than ``TAGS`` are left out, and fences.

    Spec:
        server/openapi
    """
    shown = [one for one in routes if one.tag in TAGS and one.method != ANY_METHOD]
    paths: dict[str, Document] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _describe(route)
    tags = sorted({route.tag for route in shown})
    return {
        **frame(),
        "paths": paths,
        "components": {"securitySchemes": SECURITY_SCHEMES},
        "tags": [{"name": tag, "description": TAGS[tag]} for tag in tags],
    }


def frame() -> Document:
    """What every document begins with."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TrailBase",
            "description": "OpenApi definitions of TrailBase's APIs",
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            "version": f"{WIRE_VERSION} (0)",
        },
    }


def _describe(route: Route) -> Document:
    operation = route.operation
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _NAME.findall(route.path)
    ]
    parameters += QUERIES.get(operation, ())
    described: Document = {
        "operationId": operation,
        "summary": route.summary,
        "tags": [route.tag],
        **({"parameters": parameters} if parameters else {}),
    }
    if route.request_type is not None:
        described["requestBody"] = {"required": True, "content": {BINARY: {}}}
    elif operation in BODIES:
        described["requestBody"] = json_body(BODIES[operation])
    described["responses"] = _responses(route)
    described["security"] = _SECURITY[route.audience]
    return described


def json_body(schema: Document) -> Document:
    """A JSON body that has to be there."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _responses(route: Route) -> Document:
    content: Document = {}
    if route.response_type is not None:
        content = {"content": {BINARY: {}}}
    elif route.operation in RESPONSES:
        content = {"content": {"application/json": {"schema": RESPONSES[route.operation]}}}
    statuses = {error.status for error in route.errors} | set(_IMPLIED[route.audience])
    return {"200": {"description": "Done.", **content}} | refusals(statuses)


def refusals(statuses: Iterable[int]) -> Document:
    """Answers that are errors: a text, or nothing."""
    return {str(status): {"description": f"{phrase(status)}."} for status in sorted(statuses)}


def phrase(status: int) -> str:
    """What a status means."""
    return HTTPStatus(status).phrase


def render_document(document: Document) -> bytes:
    """Write a document as people read it."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


class OpenApiState(Struct, frozen=True):
    """
    What the handler needs.

    Attributes:
        routes: Those that are offered now.
    """

    routes: Callable[[], Iterable[Route]]


def get_openapi(state: OpenApiState, _request: Request) -> Response:
    """
    Answer with the document of what this server offers now, administration included.

    Spec:
        server/openapi
        admin-api/misc
    """
    return Response(200, render_document(build_document(state.routes())), [TEXT_TYPE])


OPENAPI_ROUTES = (
    Route(
        "GET",
        f"{admin_tables.PREFIX}/openapi.json",
        get_openapi,
        audience="admin",
        operation="openapi_handler",
        summary="Read the OpenAPI document of what is offered now.",
        tag="admin",
    ),
)
"""Bound to an ``OpenApiState``."""
