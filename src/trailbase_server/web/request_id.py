"""
Ids that tie an answer to lines of logs.

A proxy that is believed may send one (``x-request-id``); a stranger may not, who would choose what
our logs can be searched for. It is sent back and logged. Without one, an answer that is an error
gets one of ours: somebody will ask about it. All other answers do without, so that they cost
nothing: their row in the access log is found by time, user and path.
"""

import re

from trailbase_server.ids import new_uuid7, render_uuid_text
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response

HEADER = b"x-request-id"
FIRST_ERROR = 400  # status
# Nothing that would have to be escaped in a line of a log, in JSON or in a header.
_SANE = re.compile(rb"[A-Za-z0-9._~:+/=@-]{1,128}\Z")


def sent_request_id(headers: Headers) -> str:
    """The id that a believed proxy has sent; empty if there is none, or none that will do."""
    for name, value in headers:
        if name == HEADER:
            return value.decode("ascii") if _SANE.match(value) else ""
    return ""


def ensure_request_id(request: Request) -> str:
    """The id of a request, from now on at the latest."""
    if not request.request_id:
        request.request_id = render_uuid_text(new_uuid7())
    return request.request_id


def mark_answer(request: Request, response: Response) -> None:
    """Send the request's id with an answer that needs one."""
    if request.request_id or response.status >= FIRST_ERROR:
        response.headers.append((HEADER, ensure_request_id(request).encode()))
