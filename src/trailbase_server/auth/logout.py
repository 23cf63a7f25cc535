"""``POST /logout`` ends one session, ``GET /logout`` all sessions of the caller."""

from trailbase_server.auth.cookies import (
    AUTH_COOKIE,
    REFRESH_COOKIE,
    read_cookies,
    remove_cookies,
)
from trailbase_server.auth.fields import read_json, read_query
from trailbase_server.auth.redirects import render_location
from trailbase_server.auth.sessions import delete_session, delete_sessions, find_session
from trailbase_server.auth.state import AuthState
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, redirect, text


async def end_session(state: AuthState, request: Request) -> Response:
    """
    End the session of the refresh token in the body, if there is one. Needs no credentials.

    Spec:
        auth/get-logout-and-post-logout
    """
    token = read_json(request).required("refresh_token")
    await state.session_database.write(delete_session, token)
    return empty()


async def logout(state: AuthState, request: Request) -> Response:
    """
    End all sessions of the caller, if it is known who that is, and drop their cookies.

    Raises:
        BadRequestError: The redirect target is not acceptable; nothing has changed.

    Spec:
        auth/get-logout-and-post-logout
    """
    target = state.check_redirect(read_query(request).text("redirect_uri"))
    if not request.head:  # HEAD changes nothing
        user_id = await _find_caller(state, request)
        if user_id is not None:
            await state.session_database.write(delete_sessions, user_id)
            state.verified.forget(user_id)
    cookies = remove_cookies(request)
    if target is None and state.has_public_dir:
        target = "/"
    if target is not None:
        return redirect(render_location(target), cookies)
    response = text("logged out")
    response.headers += cookies
    return response


async def _find_caller(state: AuthState, request: Request) -> UserId | None:
    """Like ``read_credentials``, but nobody gets a new token for leaving."""
    authorization = request.header(b"authorization")
    cookies = read_cookies(request)
    if authorization is not None and authorization.startswith(b"Bearer "):
        identity = state.verified.bearer(authorization)
    else:
        identity = state.verified.cookie(cookies.get(AUTH_COOKIE, ""))
        if identity is None and REFRESH_COOKIE in cookies:
            return await find_session(
                state.session_database, cookies[REFRESH_COOKIE], state.clock.now_s()
            )
    request.identity = identity
    return identity.user_id if identity is not None else None
