"""
Forms of people who are logged in: the API does the work, a page tells how it went.

.. code-block:: text

    nobody is logged in (any more)  ──> log-in, and back to the page
    the API refuses                 ──> the page, with a message
    done                            ──> the next page, with a message

They come with cookies, so each carries the CSRF token of its page; for multipart forms, whose
fields come late, it is in the query.
"""

from http import HTTPStatus

from trailbase_server.auth.fields import Fields, read_body
from trailbase_server.auth.pages.links import LOGIN, PROFILE, Query, page
from trailbase_server.auth.pages.visit import go
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.auth.replies import is_tellable
from trailbase_server.auth.routing import AuthHandler
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import AppError, BadRequestError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect


def act(
    handler: AuthHandler, source: str, done: str, *, target: str = PROFILE, has_body: bool = True
) -> AuthHandler:
    """
    Make the handler of a form from one of the API.

    Args:
        handler: Does the work and checks that it is meant.
        source: Page that the form is on, and that refusals are told on.
        done: Alert about a success.
        target: Page to go on to.
        has_body: The form is small and read here; else its CSRF token is in the query.
    """

    async def acted(state: AuthState, request: Request) -> Response:
        if request.identity is None:
            return go(page(LOGIN, redirect_uri=source))
        try:
            take_csrf_token(request, has_body=has_body)
            response = await handler(state, request)
        except AppError as exc:
            return refuse(exc, source)
        if response.status == HTTPStatus.SEE_OTHER:  # the form named its targets
            return response
        cookies = [header for header in response.headers if header[0] == b"set-cookie"]
        return redirect(render_location(add_parameters(target, alert=done)), cookies)

    return acted


def take_csrf_token(request: Request, *, has_body: bool = True) -> Fields | None:
    """
    Move the CSRF token of a form to where the API looks for it.

    Args:
        request: Of the form.
        has_body: It is in the body, which is read; else in the query.

    Returns:
        The fields of the body, None where it is not read.

    Raises:
        BadRequestError: The form is malformed.
    """
    body = read_body(request) if has_body else None
    token = body.text("csrf_token") if body is not None else Query(request.query).text("csrf_token")
    if token is not None and token.isascii():
        request.headers = [*request.headers, (b"csrf-token", token.encode())]
    return body


def refuse(error: AppError, source: str) -> Response:
    """
    Tell on a page why something was refused.

    Raises:
        AppError: ``error``, if we have failed.
    """
    if not is_tellable(error):
        raise error
    return go(add_parameters(source, alert=alert_of(error)))


def alert_of(error: AppError) -> str:
    """What a refusal is called in an address."""
    if isinstance(error, BadRequestError):
        return f"Bad request: {error.public}"
    return f"Failed: {int(error.status)}"
