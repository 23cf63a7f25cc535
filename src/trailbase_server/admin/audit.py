"""The audit log, as administrators read it. Nobody writes it over HTTP."""

from typing import Any

from trailbase_server.audit.log import AuditLog, Proof
from trailbase_server.audit.search import export, search
from trailbase_server.query.parse import parse_list_query
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

NDJSON_TYPE = (b"content-type", b"application/x-ndjson")
FILE = (b"content-disposition", b'attachment; filename="audit.ndjson"')


async def list_audit(state: AuditLog, request: Request) -> Response:
    """
    Answer with a page of entries, the newest first unless told otherwise.

    Raises:
        BadRequestError: Something in the query string.

    Spec:
        server/audit-log-p2
        admin-api/list-query-syntax
    """
    page = await search(state.database, parse_list_query(request.query))
    return json_value(
        {"total_row_count": page.total, "cursor": page.cursor, "entries": page.entries}
    )


async def export_audit(state: AuditLog, request: Request) -> Response:
    """
    Answer with all entries that match, oldest first, one JSON object a line.

    Raises:
        BadRequestError: Something in the query string.

    Spec:
        server/audit-log-p2
    """
    stream = await export(state.database, parse_list_query(request.query))
    return Response(200, headers=[NDJSON_TYPE, FILE], stream=stream)


async def verify_audit(state: AuditLog, _request: Request) -> Response:
    """
    Answer whether the log is whole, with the digest to note elsewhere.

    Spec:
        server/audit-log-p2
    """
    return json_value(render_proof(await state.prove()))


def render_proof(proof: Proof) -> dict[str, Any]:
    """Render whether the log is whole as it goes over the wire."""
    return {
        "whole": proof.is_whole,
        "entries": proof.entries,
        "first": proof.first,
        "last": proof.last,
        "digest": proof.digest,
        "broken_at": proof.broken_at,
    }
