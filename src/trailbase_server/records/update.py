"""
Update one record: only the columns that are sent change.

Order of checks: body 400, API 405, id 400, table permission 403, values 400, and with the change
itself, in one turn of the writer, the update rule 403 (also for a record that does not exist), the
record 404 and the constraints 400.
"""

from trailbase_server.errors import BadRequestError
from trailbase_server.records.state import RecordsState
from trailbase_server.records.uploads import RecordChange, write_with_files
from trailbase_server.records.writes import (
    check_writable,
    prepare_update,
    read_fields,
    run_write,
)
from trailbase_server.web.body import Body, decode_body, received_body
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


async def update_record(state: RecordsState, request: Request) -> Response:
    """
    Change some columns of a record; the answer is empty.

    A body without known columns changes nothing and succeeds.

    Raises:
        BadRequestError: Body, values, or a constraint.
        InvalidIdError: 400.
        MethodNotAllowedError: No such API, or a view.
        ForbiddenError: Table permission or update rule.
        NotFoundError: No such record, and no rule.

    Spec:
        records/update-patch-api-records-v1-api-record
    """
    if request.stream is None:
        return await _update(state, request, decode_body(request))
    async with received_body(request, state.storage.spool) as body:
        return await _update(state, request, body)


async def _update(state: RecordsState, request: Request, body: Body) -> Response:
    if not isinstance(body.value, dict):
        raise BadRequestError("Expected single record")
    api = state.api(request.params["api"])
    check_writable(api)
    key = api.parse_id(request.params["record"])
    record = body.value if body.kind == "json" else read_fields(api, body)
    write = prepare_update(api, key, record, state.registry, request.identity)
    if api.file_columns and not record.keys().isdisjoint(api.file_columns):
        await write_with_files(state, [RecordChange(api, write, key)], rules_first=True)
    else:
        await state.database.write(run_write, write)
    return Response()
