"""
Delete one record.

Order of checks: API 405, id 400, table permission 403, and with the change itself, in one turn of
the writer, the delete rule 403 (also for a record that does not exist), the record 404 and the
constraints 400.
"""

from trailbase_server.records.state import RecordsState
from trailbase_server.records.uploads import RecordChange, write_with_files
from trailbase_server.records.writes import check_writable, prepare_delete, run_write
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, text


async def delete_record(state: RecordsState, request: Request) -> Response:
    """
    Delete a record; the answer is the word ``deleted``.

    Raises:
        InvalidIdError: 400.
        MethodNotAllowedError: No such API, or a view.
        ForbiddenError: Table permission or delete rule.
        NotFoundError: No such record, and no rule.
        ConstraintError: 400, for instance when other records refer to it.

    Spec:
        records/delete-delete-api-records-v1-api-record
    """
    api = state.api(request.params["api"])
    check_writable(api)
    key = api.parse_id(request.params["record"])
    write = prepare_delete(api, key, request.identity)
    if api.file_columns:
        await write_with_files(state, [RecordChange(api, write, None)], rules_first=False)
    else:
        await state.database.write(run_write, write)
    return text("deleted")
