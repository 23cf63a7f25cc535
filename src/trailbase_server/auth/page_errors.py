"""
Where a browser hears how a request went: a form names a page with ``err_redirect_uri``, the link
of a mail opens the built-in one.

The reference answers many forms with a bare status (spec auth, F6). A client that sends JSON, and a
form that names no page, gets what the reference answers.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus

from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.auth.replies import is_tellable, redirect_with_alert
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import AppError, BadRequestError
from trailbase_server.web.request import Request
from trailbase_server.web.response import TEXT_TYPE, Response, redirect

AuthHandler = Callable[[AuthState, Request], Awaitable[Response]]

# Who logs in from a page of another site did not choose whose account that is.
_LOGINS = ("/login", "/login_mfa", "/otp/login", "/login_anonymous")


def told_on_pages(handler: AuthHandler, page: str | None = None) -> AuthHandler:
    """
    Tell browsers on a page how a request went.

    Args:
        handler: Handles it.
        page: The built-in page for a link that is opened in a browser; None: it is no such link.

    Spec:
        auth/functional-defects
    """

    @wraps(handler)
    async def told(state: AuthState, request: Request) -> Response:
        try:
            _check_origin(request)
            response = await handler(state, request)
        except AppError as exc:
            answer = tell_on_page(state, request, exc, page)
            if answer is None:
                raise
            return answer
        is_text = response.status == HTTPStatus.OK and TEXT_TYPE in response.headers
        if is_text and page is not None and _is_opened(state, request):
            return redirect_with_alert(page, response.body.decode())
        return response

    return told


def tell_on_page(
    state: AuthState, request: Request, error: AppError, page: str | None = None
) -> Response | None:
    """
    Tell a browser on the page that its form names what went wrong.

    Returns:
        None where there is no such form, no acceptable page, or the failure is ours.
    """
    if not is_tellable(error):
        return None
    target = _error_target(state, request)
    if target is None and page is not None and _is_opened(state, request):
        target = page
    if target is None:
        return None
    if isinstance(error, BadRequestError):
        alert = f"Bad request: {error.public}"
    else:
        status = HTTPStatus(error.status)
        alert = f"Failed: {status.value} {status.phrase}"
    return redirect(render_location(add_parameters(target, alert=alert)))


def _error_target(state: AuthState, request: Request) -> str | None:
    try:
        query = read_query(request)
        if request.method == "GET":
            return state.check_redirect(query.text("err_redirect_uri"))
        if not _is_form(request):
            return None
        return state.check_redirect(merged("err_redirect_uri", query, read_body(request)))
    except AppError:
        return None


def _is_form(request: Request) -> bool:
    kind = (request.header(b"content-type") or b"").lower()
    return kind.startswith(b"application/x-www-form-urlencoded")


def _is_opened(state: AuthState, request: Request) -> bool:
    """Does somebody look at the answer in a browser, and is there a page to look at?"""
    accepted = request.header(b"accept") or b""
    return state.pages.is_enabled and not request.head and b"text/html" in accepted


def _check_origin(request: Request) -> None:
    """
    Refuse forms of other sites that would leave cookies of an account their author chose.

    With a code, the application that asked for it is the one that is logged in.
    """
    if request.header(b"sec-fetch-site") != b"cross-site" or request.method != "POST":
        return
    if not request.path.endswith(_LOGINS) or not _is_form(request):
        return
    if merged("response_type", read_query(request), read_body(request)) != "code":
        raise BadRequestError("a form of another site cannot log anybody in")
