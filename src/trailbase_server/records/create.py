"""
Create records: one, or several at once.

Order of checks: body 400, redirect 400, API 405, shape 400, then for each record: table permission
403, values 400, and with the change itself, in one turn of the writer, the create rule 403 and the
constraints 400. Several records are one transaction, and all rules come before the first insert.
Where files are involved the rules are checked once more before these are stored.
"""

from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from trailbase_server.db.values import Row
from trailbase_server.errors import BadRequestError
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import Key, render_key
from trailbase_server.records.state import RecordsState
from trailbase_server.records.uploads import RecordChange, write_with_files
from trailbase_server.records.writes import (
    Write,
    check_writable,
    prepare_create,
    read_fields,
    run_bulk,
    run_write,
)
from trailbase_server.web.body import Body, decode_body, received_body
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_bytes, redirect

MAX_RECORDS = 1024  # per request


async def create_records(state: RecordsState, request: Request) -> Response:
    """
    Insert one or more records and answer with their ids.

    Raises:
        BadRequestError: Body, shape, values, or a constraint.
        MethodNotAllowedError: No such API, or a view.
        ForbiddenError: Table permission or create rule.

    Spec:
        records/create-post-api-records-v1-api
    """
    if request.stream is not None:
        async with received_body(request, state.storage.spool) as body:
            return await _run(state, _prepare(state, request, body))
    creation = _prepare(state, request, decode_body(request))
    if len(creation.writes) > 1 or creation.files:
        return await _run(state, creation)
    # The usual case, here because each coroutine on the way costs.
    rows = await state.database.submit(run_write, creation.writes[0])
    return _answer(creation.target, [rows])


class _Creation(Struct, frozen=True):
    """
    What a request asks for.

    Attributes:
        target: Where the client wants to be sent, None for an answer with ids.
        writes: One for each record.
        files: The same, where the change may concern files; else empty.
    """

    target: str | None
    writes: list[Write]
    files: list[RecordChange]


def _prepare(state: RecordsState, request: Request, body: Body) -> _Creation:
    target = _redirect_target(request) if request.query else None
    api = state.api(request.params["api"])
    check_writable(api)
    records = _records(api, body)
    if not records:
        raise BadRequestError("no values provided")
    identity = request.identity
    writes = [prepare_create(api, record, state.registry, identity) for record in records]
    files = []
    if api.file_columns and _may_touch_files(api, records):
        files = [
            RecordChange(api, write, _replaced_key(state, api, record))
            for write, record in zip(writes, records, strict=True)
        ]
    return _Creation(target, writes, files)


async def _run(state: RecordsState, creation: _Creation) -> Response:
    if creation.files:
        results = await write_with_files(state, creation.files, rules_first=True)
    elif len(creation.writes) == 1:
        results = [await state.database.write(run_write, creation.writes[0])]
    else:
        results = await state.database.write(run_bulk, creation.writes)
    return _answer(creation.target, results)


def _answer(target: str | None, results: list[list[Row]]) -> Response:
    return json_bytes(_render_ids(results)) if target is None else redirect(target)


def _may_touch_files(api: RecordApi, records: list[dict[str, Any]]) -> bool:
    if api.conflict == "replace":
        return True
    return not all(record.keys().isdisjoint(api.file_columns) for record in records)


def _replaced_key(state: RecordsState, api: RecordApi, record: dict[str, Any]) -> Key | None:
    """Find the key of the record that an insert may replace, and whose files it may keep."""
    key = record.get(api.key.name) if api.conflict == "replace" else None
    # The conversion has succeeded once already.
    return None if key is None else api.converters[api.key.name](key, state.registry)  # type: ignore[return-value]  # of a key column


def _records(api: RecordApi, body: Body) -> list[dict[str, Any]]:
    value = body.value
    if body.kind != "json":
        return [read_fields(api, body)]
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise BadRequestError("Expected record or array of records")
    if len(value) > MAX_RECORDS:
        raise BadRequestError(f"Bulk creation exceeds limit: {MAX_RECORDS}")
    return value


def _render_ids(results: list[list[Row]]) -> bytes:
    # A row that met an existing one, where the API ignores such conflicts, has no id.
    keys: list[Any] = [rows[0][0] for rows in results if rows]
    if len(keys) == 1:
        return f'{{"ids":["{render_key(keys[0])}"]}}'.encode()
    ids = ",".join([f'"{render_key(key)}"' for key in keys])
    return f'{{"ids":[{ids}]}}'.encode()


def _redirect_target(request: Request) -> str | None:
    """
    Read ``redirect_uri``: a path on this server, or an address of the origin the client used.

    Upstream takes any address, which lends the server's good name to whoever can make a form.
    """
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict")
    except ValueError as exc:
        raise BadRequestError("invalid query string") from exc
    targets = [value for name, value in pairs if name == "redirect_uri"]
    if not targets:
        return None
    target = targets[0]
    if len(targets) > 1 or not _is_local(target, request.origin):
        raise BadRequestError("invalid redirect_uri")
    return target


def _is_local(target: str, origin: str) -> bool:
    if not target.isprintable() or "\\" in target:
        return False
    if target.startswith("/"):
        return not target.startswith("//")
    return bool(origin) and (target == origin or target.startswith(f"{origin}/"))
