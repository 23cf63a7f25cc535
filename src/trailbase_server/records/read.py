"""
Read one record: one statement for the row and the read rule, one pass to bytes.

Order of checks: API 405, id 400, table permission 403, read rule 403 (also for a row that does not
exist: who may not read a row may not learn that it is missing), expansion 400, row 404.
"""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.records.access import READ, read_ruled, user_of
from trailbase_server.records.api import RecordApi
from trailbase_server.records.encode import dump_json
from trailbase_server.records.expand import Expansion, attach_data, check_expansions
from trailbase_server.records.state import RecordsState
from trailbase_server.web.request import Request
from trailbase_server.web.response import JSON_TYPE, Response


def read_record(state: RecordsState, request: Request) -> Response:
    """
    Answer with one record.

    Raises:
        MethodNotAllowedError: No such API.
        InvalidIdError, InvalidExpansionError: 400.
        ForbiddenError: Table permission or read rule.
        NotFoundError: No such row, and no rule.

    Spec:
        records/read-get-api-records-v1-api-record
    """
    api = state.api(request.params["api"])
    key = api.parse_id(request.params["record"])
    api.check_permission(request.identity, READ)
    read = state.database.read
    rule = api.read_rule
    if rule is None:
        expansions = _expansions(api, request.query) if request.query else ()
        rows = read(api.read_sql, (key,))
        if not rows:
            raise NotFoundError
    else:
        params = (user_of(request.identity), key) if rule.uses_user else (key,)
        rows = read_ruled(read, api.read_sql, params)
        expansions = _expansions(api, request.query) if request.query else ()
    record = api.encode(rows[0])
    if expansions:
        attach_data(read, expansions, (record,))
    return Response(200, dump_json(record), [JSON_TYPE])


def _expansions(api: RecordApi, query: str) -> Sequence[Expansion]:
    values = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "expand"]
    if len(values) > 1:
        raise BadRequestError("Invalid query")
    if not values or not values[0]:
        return ()
    return check_expansions(api.expansions, values[0].split(","))
