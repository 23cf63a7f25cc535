"""
Download files of a record.

Order of checks: API 405, id 400, table permission 403, read rule 403 (also for a record that does
not exist), column 400, record 404, file 404, range 416.
"""

from collections.abc import Sequence

from trailbase_server.db.errors import OverBudgetError
from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.records.access import READ, read_ruled, user_of
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import ColumnRole
from trailbase_server.records.state import RecordsState
from trailbase_server.storage.download import CACHE_CHECKED, CACHE_FOREVER, send_object
from trailbase_server.storage.metadata import stored_entries
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

_SINGLE = (ColumnRole.FILE,)
_LISTED = (ColumnRole.FILE, ColumnRole.FILES)


async def download_file(state: RecordsState, request: Request) -> Response:
    """
    Answer with the file of a column that holds one.

    Raises:
        BadRequestError: No such column, or it holds something else.
        ForbiddenError: Table permission or read rule.
        NotFoundError: No such record or file.
        MethodNotAllowedError: No such API.

    Spec:
        records/download
    """
    entries = stored_entries(await _read_column(state, request, _SINGLE, "Not a file"))
    if not entries:
        raise NotFoundError
    return await send_object(state.storage, request, entries[0], CACHE_CHECKED)


async def download_listed_file(state: RecordsState, request: Request) -> Response:
    """
    Answer with a file by its unique name.

    Raises: As of ``download_file``.

    Spec:
        records/download
    """
    entries = stored_entries(await _read_column(state, request, _LISTED, "Not a files list"))
    name = request.params["filename"]
    for entry in entries:
        if entry.get("filename") == name:
            return await send_object(state.storage, request, entry, CACHE_FOREVER)
    raise NotFoundError


async def _read_column(
    state: RecordsState, request: Request, roles: Sequence[ColumnRole], mismatch: str
) -> SqlValue:
    try:
        return _read_column_now(state, request, roles, mismatch)
    except OverBudgetError:
        return await state.database.on_pool(_read_column_now, state, request, roles, mismatch)


def _read_column_now(
    state: RecordsState, request: Request, roles: Sequence[ColumnRole], mismatch: str
) -> SqlValue:
    """Read a column of the record, if the caller may."""
    api = state.api(request.params["api"])
    key = api.parse_id(request.params["record"])
    api.check_permission(request.identity, READ)
    name, rule, rows = request.params["column"], api.read_rule, list[Row]()
    if rule is None:
        index = _column_index(api, name, roles, mismatch)
        rows = state.database.read(api.read_sql, (key,))
    else:
        params = (user_of(request.identity), key) if rule.uses_user else (key,)
        rows = read_ruled(state.database.read, api.read_sql, params)
        index = _column_index(api, name, roles, mismatch)
    if not rows:
        raise NotFoundError
    return rows[0][index]


def _column_index(api: RecordApi, name: str, roles: Sequence[ColumnRole], mismatch: str) -> int:
    for index, column in enumerate(api.selection):
        if column.name == name and not column.hidden:
            if column.role not in roles:
                raise BadRequestError(mismatch)
            return index
    raise BadRequestError("Invalid field/column name")
