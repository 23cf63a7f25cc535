"""
Logging out by page: a question, and a button that ends this session.

A link alone logs nobody out: any page could have one. Other sessions go on; the profile ends those.
"""

from trailbase_server.auth.cookies import AUTH_COOKIE, REFRESH_COOKIE, read_cookies, remove_cookies
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import read_body
from trailbase_server.auth.pages.actions import refuse
from trailbase_server.auth.pages.links import LOGIN, LOGOUT, PROFILE, page
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import open_visit
from trailbase_server.auth.redirects import render_location
from trailbase_server.auth.sessions import delete_session
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import AppError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect


async def show_logout(state: AuthState, request: Request) -> Response:
    """
    Ask whether to log out; who is not logged in is sent on, without the rest of their cookies.

    Raises:
        BadRequestError: The target is not allowed.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    if visit.user is None:
        return redirect(render_location(given or LOGIN), remove_cookies(request))
    values = {
        "action": LOGOUT,
        "hidden": {"csrf_token": visit.csrf_token, "redirect_uri": given},
        "back_url": PROFILE,
    }
    return await render_page(visit, "logout", values, targets=(given,))


async def submit_logout(state: AuthState, request: Request) -> Response:
    """
    End the session of this browser.

    The route looks nobody up: that could make a new token for somebody who leaves.

    Raises:
        BadRequestError: The target is not allowed, or the form is malformed.

    Spec:
        auth/get-logout-and-post-logout
    """
    body = read_body(request)
    target = state.check_redirect(body.text("redirect_uri") or None)
    cookies = read_cookies(request)
    identity = state.verified.cookie(cookies.get(AUTH_COOKIE, ""))
    if identity is not None:
        try:
            check_intent(state, request, identity, body.text("csrf_token"))
        except AppError as exc:
            return refuse(exc, LOGOUT)
    request.identity = identity
    if REFRESH_COOKIE in cookies:
        await state.session_database.write(delete_session, cookies[REFRESH_COOKIE])
    done = target or page(LOGIN, alert="logged out")
    return redirect(render_location(done), remove_cookies(request))
