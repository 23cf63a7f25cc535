"""
How an operation of this package becomes a ``Route``: its path is below ``BASE``, and its POST
requests are counted by client address.
"""

from collections.abc import Awaitable, Callable
from functools import wraps

from trailbase_server.auth.page_errors import tell_on_page, told_on_pages
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import AppError
from trailbase_server.web.errors import error_response
from trailbase_server.web.rate_limit import too_many
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import Audience, Route

BASE = "/api/auth/v1"
AuthHandler = Callable[[AuthState, Request], Awaitable[Response]]


def limit_addresses(handler: AuthHandler) -> AuthHandler:
    """Count POST requests by client address before they are handled."""

    @wraps(handler)
    async def limited(state: AuthState, request: Request) -> Response:
        if not state.address_limit.burst:
            return await handler(state, request)
        if request.method != "POST":
            headers = [(b"x-ratelimit-whitelisted", b"true")]
        else:
            verdict = state.address_limit.take(request)
            headers = verdict.headers
            if verdict.wait_s:
                refusal = too_many(verdict.wait_s)
                response = tell_on_page(state, request, refusal) or error_response(refusal, request)
                response.headers += headers
                return response
        try:
            response = await handler(state, request)
        except AppError as exc:
            response = error_response(exc, request)
        response.headers += headers
        return response

    return limited


def route(
    method: str,
    path: str,
    handler: AuthHandler,
    operation: str,
    summary: str,
    *errors: type[AppError],
    audience: Audience = "nobody",
    streams_forms: bool = False,
    page: str | None = None,
) -> Route:
    """
    Describe one operation.

    Args:
        method, path, handler: What leads where; the path is below ``BASE``.
        operation, summary: For the documentation.
        errors: What the handler raises besides what its audience implies.
        audience: Who is looked up.
        streams_forms: The handler reads multipart forms by itself.
        page: Account page that a browser sees how it went on: for the links of mails.
    """
    return Route(
        method,
        f"{BASE}{path}",
        limit_addresses(told_on_pages(handler, page)),
        audience=audience,
        operation=operation,
        summary=summary,
        errors=errors,
        tag="auth",
        streams_forms=streams_forms,
    )
