"""A forgotten password by page: asking for the mail, and the page that its link opens."""

from urllib.parse import quote

from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.pages.links import (
    API,
    LOGIN,
    MAX_VALUE,
    RESET_REQUEST,
    RESET_UPDATE,
    page,
)
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import open_visit
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import BadRequestError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


async def show_reset_request(state: AuthState, request: Request) -> Response:
    """
    Show the page that asks for a mail.

    Raises:
        BadRequestError: The target is not allowed.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    is_named = state.options.identifier_policy == IdentifierPolicy.ONLY_USERNAME
    values = {
        "action": f"{API}/reset_password/request",
        "hidden": {
            "redirect_uri": given or LOGIN,
            "err_redirect_uri": page(RESET_REQUEST, redirect_uri=given),
        },
        "identifier": "username" if is_named else "email",
        "login_url": given if given and given.startswith(f"{LOGIN}?") else LOGIN,
    }
    return await render_page(visit, "reset_request", values, targets=(given,))


async def show_reset_update(state: AuthState, request: Request) -> Response:
    """
    Show the page that sets a new password.

    Raises:
        BadRequestError: The target is not allowed, or that is no token.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    token = request.params["token"]
    if len(token) > MAX_VALUE:
        raise BadRequestError("Invalid token")
    path = f"{RESET_UPDATE}/{quote(token, safe='')}"
    values = {
        "action": f"{API}/reset_password/update",
        "hidden": {
            "password_reset_token": token,
            "redirect_uri": given or LOGIN,
            "err_redirect_uri": page(path, redirect_uri=given),
        },
        "minimal_length": state.options.password_rules.minimal_length,
        "again_url": RESET_REQUEST,
    }
    return await render_page(visit, "reset_update", values, targets=(given,))
