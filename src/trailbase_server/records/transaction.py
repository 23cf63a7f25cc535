"""
Several operations on record APIs in one request.

With ``transaction`` all of them are one write job: everything or nothing, and the answer to a
failure is that of the operation that failed. Without it each operation is a job of its own; one
that fails is reported in its place and the others go on. Rules are evaluated within the job, so
they see what earlier operations did.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

import orjson
from msgspec import Struct

from trailbase_server.db.values import Row
from trailbase_server.errors import AppError, BadRequestError, UnprocessableError
from trailbase_server.records.columns import render_key
from trailbase_server.records.state import RecordsState
from trailbase_server.records.uploads import RecordChange, write_with_files
from trailbase_server.records.writes import (
    check_writable,
    prepare_create,
    prepare_delete,
    prepare_update,
    run_batch,
    run_write,
)
from trailbase_server.web.body import decode_json_only
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_bytes

MAX_OPERATIONS = 128  # per request
FIRST_SERVER_ERROR = 500
SWALLOWED = "QueryReturnedNoRows"  # upstream's text for an insert that met an existing row

OperationKind = Literal["Create", "Update", "Delete"]


class Operation(Struct, frozen=True):
    """
    One entry of the request.

    Attributes:
        kind: What to do.
        api_name: Name of the record API.
        record_id: Id as sent, empty for ``Create``.
        value: Any JSON; checked to be an object when its turn comes. None for ``Delete``.
    """

    kind: OperationKind
    api_name: str
    record_id: str
    value: Any


class Batch(Struct, frozen=True):
    """The request: operations in order, and whether they are one transaction."""

    operations: tuple[Operation, ...]
    is_atomic: bool


async def execute_transaction(state: RecordsState, request: Request) -> Response:
    """
    Run a batch of operations.

    Raises:
        UnsupportedMediaError: Not JSON.
        BadRequestError: Malformed, too many operations, or the failure of an atomic batch.
        UnprocessableError: JSON of another shape.
        ForbiddenError, NotFoundError, MethodNotAllowedError: The failure of an atomic batch.

    Spec:
        records/batch-post-api-transaction-v1-execute
    """
    batch = parse_batch(decode_json_only(request))
    if batch.is_atomic:
        results = await _run_atomic(state, batch.operations, request.identity)
    else:
        results = [await _run_single(state, op, request.identity) for op in batch.operations]
    return json_bytes(orjson.dumps({"results": results}))


def parse_batch(body: Any) -> Batch:
    """
    Check the shape of a request.

    Args:
        body: Parsed JSON.

    Raises:
        UnprocessableError: Another shape.
        BadRequestError: Too many operations, or two in one entry.

    Spec:
        records/batch-post-api-transaction-v1-execute
    """
    if not isinstance(body, dict) or not isinstance(body.get("operations"), list):
        raise UnprocessableError("expected an object with a list `operations`")
    is_atomic = body.get("transaction")
    if is_atomic is not None and not isinstance(is_atomic, bool):
        raise UnprocessableError("`transaction` is a boolean")
    operations = tuple(_parse_operation(entry) for entry in body["operations"])
    if len(operations) > MAX_OPERATIONS:
        raise BadRequestError(f"Batch size exceeds limit: {MAX_OPERATIONS}")
    return Batch(operations, bool(is_atomic))


def _parse_operation(entry: Any) -> Operation:
    if not isinstance(entry, dict) or not entry:
        raise UnprocessableError("an operation is an object with one member")
    if len(entry) > 1:
        raise BadRequestError("an operation is an object with one member")
    ((kind, fields),) = entry.items()
    if kind not in ("Create", "Update", "Delete") or not isinstance(fields, dict):
        raise UnprocessableError("expected one of `Create`, `Update`, `Delete`")
    if kind != "Delete" and "value" not in fields:
        raise UnprocessableError("missing field `value`")
    return Operation(
        kind,
        _text_member(fields, "api_name"),
        _text_member(fields, "record_id") if kind != "Create" else "",
        fields.get("value"),
    )


def _text_member(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise UnprocessableError(f"`{name}` is a string")
    return value


async def _run_atomic(
    state: RecordsState, operations: tuple[Operation, ...], identity: Identity | None
) -> list[dict[str, str]]:
    if len({state.api(op.api_name).table.database_schema for op in operations}) > 1:
        # SQLite commits several files one after the other: not all or nothing.
        raise BadRequestError("operations of one transaction belong to one database")
    changes = [_prepare(state, op, identity) for op in operations]
    if not changes:
        return []
    if any(change.api.file_columns for change in changes):
        outcomes = await write_with_files(state, changes, rules_first=False)
    else:
        outcomes = await state.database.write(run_batch, [change.write for change in changes])
    return [_result(op, rows) for op, rows in zip(operations, outcomes, strict=True)]


async def _run_single(
    state: RecordsState, op: Operation, identity: Identity | None
) -> dict[str, str]:
    try:
        change = _prepare(state, op, identity)
        if change.api.file_columns:
            (rows,) = await write_with_files(state, [change], rules_first=True)
        else:
            rows = await state.database.write(run_write, change.write)
    except AppError as exc:
        if exc.status >= FIRST_SERVER_ERROR:
            raise
        return {"Error": exc.public or HTTPStatus(exc.status).phrase}
    return _result(op, rows)


def _prepare(state: RecordsState, op: Operation, identity: Identity | None) -> RecordChange:
    api = state.api(op.api_name)
    check_writable(api)
    if op.kind == "Delete":
        write = prepare_delete(api, api.parse_id(op.record_id), identity)
        return RecordChange(api, write, None)
    key = api.parse_id(op.record_id) if op.kind == "Update" else None
    if not isinstance(op.value, dict):
        raise BadRequestError("Expected single record")
    if key is None:
        write = prepare_create(api, op.value, state.registry, identity)
    else:
        write = prepare_update(api, key, op.value, state.registry, identity)
    return RecordChange(api, write, key)


def _result(op: Operation, rows: list[Row]) -> dict[str, str]:
    if op.kind != "Create":
        return {"Id": op.record_id}
    # The new key is an integer or bytes.
    return {"Id": render_key(rows[0][0])} if rows else {"Error": SWALLOWED}  # type: ignore[arg-type]
