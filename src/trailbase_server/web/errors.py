"""Errors become answers here and nowhere else: plain text or nothing (spec records/errors)."""

import logging

from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.errors import AppError
from trailbase_server.web.request import Request
from trailbase_server.web.request_id import ensure_request_id
from trailbase_server.web.response import TEXT_TYPE, Response

log = logging.getLogger(__name__)
FIRST_SERVER_ERROR = 500
UNAVAILABLE = 503
# Seconds after which a client may come again: what is full empties within about one.
RETRY_AFTER = (b"retry-after", b"1")


def error_response(error: BaseException, request: Request | None = None) -> Response:
    """
    Render a refusal.

    Args:
        error: An ``AppError`` or anything else; the latter is a bug and becomes an empty 500 whose
            id is logged.
        request: What is answered; whatever is logged carries its id.
    """
    if not isinstance(error, AppError):
        incident = random_text(8, LOWER_ALPHANUMERIC)
        log.error("internal error %s", incident, exc_info=error, extra=_marks(request))
        return Response(500, headers=[(b"x-incident", incident.encode())])
    if error.status >= FIRST_SERVER_ERROR:
        log.log(
            logging.WARNING if error.status == UNAVAILABLE else logging.ERROR,
            "%s: %s",
            type(error).__name__,
            error.detail or error.public,
            exc_info=error.__cause__,
            extra=_marks(request),
        )
        if error.status == FIRST_SERVER_ERROR:
            return Response(error.status)
    headers = [RETRY_AFTER] if error.status == UNAVAILABLE else []
    if not error.public:
        return Response(error.status, headers=headers)
    return Response(error.status, error.public.encode(), [TEXT_TYPE, *headers])


def _marks(request: Request | None) -> dict[str, str] | None:
    """Attributes of a log record about this request."""
    return None if request is None else {"request_id": ensure_request_id(request)}
