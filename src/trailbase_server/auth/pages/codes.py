"""Logging in by page with a code from a mail: asking for it, and entering it."""

from trailbase_server.auth.pages.links import (
    API,
    LOGIN,
    OTP_LOGIN,
    OTP_REQUEST,
    PROFILE,
    page,
    unwrap,
)
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.sign_in import Carried, read_carried
from trailbase_server.auth.pages.visit import go, open_visit
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import NotFoundError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


async def show_otp_request(state: AuthState, request: Request) -> Response:
    """
    Show the page that asks for a code.

    Raises:
        BadRequestError: The target is not allowed.
        NotFoundError: The feature is off.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    if not state.options.enable_otp:
        raise NotFoundError
    target = given or OTP_LOGIN
    if visit.user is not None:
        return go(target)
    here = page(OTP_REQUEST, redirect_uri=given)
    values = {
        "action": f"{API}/otp/request",
        "hidden": {"redirect_uri": target, "err_redirect_uri": here},
        "login_url": page(LOGIN, redirect_uri=unwrap(given)),
    }
    return await render_page(visit, "otp_request", values, targets=(given,))


async def show_otp_login(state: AuthState, request: Request) -> Response:
    """
    Show the page that takes a code.

    Raises:
        BadRequestError: A target is not allowed.
        NotFoundError: The feature is off.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    query = visit.query
    asked = read_carried(state, query)
    inner = state.check_redirect(unwrap(asked.redirect_uri))
    carried = Carried(inner, asked.mfa_redirect_uri, asked.response_type, asked.code_challenge)
    if not state.options.enable_otp:
        raise NotFoundError
    if visit.user is not None and carried.response_type != "code":
        return go(page(PROFILE, alert=visit.alert))
    email, username = query.text("email"), query.text("username")
    here = page(OTP_LOGIN, email=email, username=username, **carried.parameters)
    is_plain = not any(carried.parameters.values())
    again = None if is_plain else page(OTP_LOGIN, **carried.parameters)
    values = {
        "action": f"{API}/otp/login",
        "hidden": {
            **carried.hidden,
            "email": email,
            "username": None if email else username,
            "err_redirect_uri": here,
        },
        "asks_for": None if email or username else "email",
        "who": email or username,
        "code": query.text("code"),
        "again_url": page(OTP_REQUEST, redirect_uri=again),
    }
    return await render_page(visit, "otp_login", values, targets=(carried.redirect_uri,))
