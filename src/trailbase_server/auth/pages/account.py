"""Changing password, address and name by page."""

from collections.abc import Mapping

from trailbase_server.auth.change_email import request_email_change
from trailbase_server.auth.change_password import change_password
from trailbase_server.auth.change_username import change_username
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.pages.actions import act
from trailbase_server.auth.pages.links import (
    CHANGE_EMAIL,
    CHANGE_PASSWORD,
    CHANGE_USERNAME,
    PROFILE,
    page,
)
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import ask_to_log_in, open_visit
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import NotFoundError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

WITHOUT_NAMES = (IdentifierPolicy.UNDEFINED, IdentifierPolicy.ONLY_EMAIL)

submit_password = act(change_password, CHANGE_PASSWORD, "password changed")
submit_email = act(request_email_change, CHANGE_EMAIL, "email changed")
submit_username = act(change_username, CHANGE_USERNAME, "username changed")


async def show_change_password(state: AuthState, request: Request) -> Response:
    """
    Show the page that changes the password.

    Raises:
        BadRequestError: The target is not allowed.

    Spec:
        auth/pages
    """
    values = {"minimal_length": state.options.password_rules.minimal_length}
    return await _show(state, request, "change_password", CHANGE_PASSWORD, None, values)


async def show_change_email(state: AuthState, request: Request) -> Response:
    """
    Show the page that changes the address.

    Raises:
        BadRequestError: The target is not allowed.

    Spec:
        auth/pages
    """
    # The mail's link leads there; whoever has just asked for it gets another alert behind this one.
    done = page(PROFILE, alert="email changed")
    return await _show(state, request, "change_email", CHANGE_EMAIL, done, {})


async def show_change_username(state: AuthState, request: Request) -> Response:
    """
    Show the page that changes the username.

    Raises:
        BadRequestError: The target is not allowed.
        NotFoundError: Accounts have no names.

    Spec:
        auth/pages
    """
    if state.options.identifier_policy in WITHOUT_NAMES:
        raise NotFoundError
    done = page(PROFILE, alert="username changed")
    return await _show(state, request, "change_username", CHANGE_USERNAME, done, {})


async def _show(
    state: AuthState,
    request: Request,
    name: str,
    path: str,
    done: str | None,
    values: Mapping[str, object],
) -> Response:
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    if visit.user is None:
        return ask_to_log_in(visit)
    hidden = {
        "csrf_token": visit.csrf_token,
        "redirect_uri": given or done,
        "err_redirect_uri": page(path, redirect_uri=given),
    }
    shown = {"action": path, "hidden": hidden, "back_url": PROFILE, **values}
    return await render_page(visit, name, shown, targets=(given,))
