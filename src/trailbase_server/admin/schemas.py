"""JSON schemas: those that columns may refer to, and those of record APIs (spec admin-api)."""

from urllib.parse import parse_qsl

import orjson

from trailbase_server.errors import BadRequestError, PreconditionError
from trailbase_server.records.json_schema import render_json_schema
from trailbase_server.records.state import RecordsState
from trailbase_server.schema.json_schema import SchemaMode
from trailbase_server.web.request import Request
from trailbase_server.web.response import TEXT_TYPE, Response, json_value


def list_schemas(state: RecordsState, _request: Request) -> Response:
    """
    Answer with all named schemas, each as JSON text.

    Spec:
        admin-api/json-schemas
    """
    schemas = [
        {"name": one.name, "schema": one.text, "builtin": one.is_builtin} for one in state.registry
    ]
    return json_value({"schemas": schemas})


def get_api_schema(state: RecordsState, request: Request) -> Response:
    """
    Answer with the schema of a record API as a file, whatever its rules say.

    Raises:
        BadRequestError: Unknown mode.
        PreconditionError: No such API.

    Spec:
        admin-api/json-schemas
    """
    mode = _mode(request.query)
    name = request.params["api"]
    plan = state.apis.get(name)
    if plan is None:
        raise PreconditionError(f"precondition failed: API {name} not found")
    document = render_json_schema(plan, mode, state.catalog, state.registry.schema)
    text = orjson.dumps(orjson.loads(document), option=orjson.OPT_INDENT_2)
    return Response(200, text, [TEXT_TYPE, (b"content-disposition", b"attachment")])


def _mode(query: str) -> SchemaMode:
    """Read the mode as the reference spells it; the command's lower case will do too."""
    modes = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "mode"]
    if len(modes) > 1:
        raise BadRequestError("duplicate field `mode`")
    try:
        return SchemaMode(modes[0].capitalize()) if modes else SchemaMode.INSERT
    except ValueError as exc:
        raise BadRequestError("Invalid mode") from exc
