"""
SQL as administrators type it: run a script, or ask whether a text parses.

Ours beyond the reference: only configured databases are attached, a script is bounded in time and
size, and ``read_only`` refuses every change.
"""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct

from trailbase_server.admin.values import render_value
from trailbase_server.errors import BadRequestError, PreconditionError, UnprocessableError
from trailbase_server.schema.columns import parse_data_type
from trailbase_server.sqlite.console import ScriptResult, is_syntax_error, run_console
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.web.audit import annotate
from trailbase_server.web.body import decode_json_object
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

_MODES = ("Expression", "Statement")
_DECLARED = ("TEXT", "INTEGER", "BLOB", "REAL")  # types that a result tells; others are Any


class SqlState(Struct, frozen=True):
    """
    What running SQL needs.

    Attributes:
        files: What to open, by the names of databases to attach; KeyError for an unknown one.
        refresh: Called after a script that has changed tables or views.
        prepare_error: Compiles a statement without running it: None, or what is wrong.
        is_demo: Anybody may be an administrator: nothing may be changed.
    """

    files: Callable[[Sequence[str]], DatabaseFiles]
    refresh: Callable[[], Awaitable[None]]
    prepare_error: Callable[[str], str | None]
    is_demo: bool = False


async def run_query(state: SqlState, request: Request) -> Response:
    """
    Run a script and answer with the rows of its last statement.

    Raises:
        UnprocessableError: The body is not ``{"query": …, "attached_databases": […]}``.
        BadRequestError: The script is wrong, or failed on the way.
        PreconditionError: It contains what is not allowed, or a database is not configured.

    Spec:
        admin-api/post-query
    """
    body = decode_json_object(request)
    sql = _text(body, "query")
    annotate(object=sql)
    read_only = state.is_demo or body.get("read_only") is True
    files = _choose(state, body.get("attached_databases"))
    result = await asyncio.to_thread(run_console, files, sql, read_only=read_only)
    if result.changes_schema:
        await state.refresh()
    if result.error is not None:
        raise BadRequestError(result.error)
    return json_value(_render(result))


def parse_sql(state: SqlState, request: Request) -> Response:
    """
    Answer whether a text is an expression or a statement; names in it are not looked up.

    Raises:
        UnprocessableError: The body is not ``{"query": <base64>, "mode": …}``.
        BadRequestError: ``query`` is not Base64 of UTF-8.

    Spec:
        admin-api/post-parse
    """
    body = decode_json_object(request)
    mode = body.get("mode")
    mode = _MODES[0] if mode is None else mode
    if mode not in _MODES:
        raise UnprocessableError(f"mode: expected one of {', '.join(_MODES)}")
    try:
        sql = b64decode(_text(body, "query"), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise BadRequestError(f"Base64 decoding: {exc}") from exc
    if mode == _MODES[0]:
        sql = f"SELECT {sql}"
    message = "null character" if "\0" in sql else _find_syntax_error(state, sql)
    return json_value({"ok": message is None, "message": message})


def _find_syntax_error(state: SqlState, sql: str) -> str | None:
    message = state.prepare_error(sql)
    return message if message is not None and is_syntax_error(message) else None


def _choose(state: SqlState, names: Any) -> DatabaseFiles:
    if names is None:
        names = []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UnprocessableError("attached_databases: expected a list of names")
    try:
        return state.files([name for name in dict.fromkeys(names) if name != "main"])
    except KeyError as exc:
        raise PreconditionError(f"precondition failed: Unknown database {exc}") from exc


def _render(result: ScriptResult) -> dict[str, Any]:
    columns = result.columns
    return {
        "columns": None if columns is None else [_render_column(*column) for column in columns],
        "rows": [[render_value(value) for value in row] for row in result.rows],
    }


def _render_column(name: str, declared: str | None) -> dict[str, Any]:
    data_type = parse_data_type(declared if declared in _DECLARED else "ANY")
    return {
        "name": name,
        "type_name": "",
        "data_type": data_type,
        "affinity_type": "Numeric" if data_type == "Any" else data_type,
        "options": [],
    }


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise UnprocessableError(f"{name}: expected a text")
    return value
