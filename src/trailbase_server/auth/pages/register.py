"""Registering by page, and confirming an address when the first mail was lost."""

from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.pages.links import API, LOGIN, REGISTER, VERIFY_EMAIL, page
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import open_visit
from trailbase_server.auth.redirects import add_parameters
from trailbase_server.auth.state import AuthState
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

# What the form asks for: of address and name, whether it is needed; absent: not asked.
_FIELDS: dict[IdentifierPolicy, dict[str, bool]] = {
    IdentifierPolicy.UNDEFINED: {"email": True},
    IdentifierPolicy.ONLY_EMAIL: {"email": True},
    IdentifierPolicy.ONLY_USERNAME: {"username": True},
    IdentifierPolicy.REQUIRE_EMAIL: {"email": True, "username": False},
    IdentifierPolicy.REQUIRE_USERNAME: {"username": True, "email": False},
    IdentifierPolicy.REQUIRE_EMAIL_AND_USERNAME: {"email": True, "username": True},
}


async def show_register(state: AuthState, request: Request) -> Response:
    """
    Show the page that makes an account.

    Raises:
        BadRequestError: The target is not allowed.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    # The API says nothing of its own about an account without an address.
    target = given or add_parameters(LOGIN, alert="registered")
    here = page(REGISTER, redirect_uri=given)
    values = {
        "action": f"{API}/register",
        "hidden": {"redirect_uri": target, "err_redirect_uri": here},
        "fields": _FIELDS[state.options.identifier_policy],
        "is_closed": state.options.disable_password_auth,
        "minimal_length": state.options.password_rules.minimal_length,
        "login_url": given if given and given.startswith(f"{LOGIN}?") else LOGIN,
        "verify_url": VERIFY_EMAIL,
    }
    return await render_page(visit, "register", values, targets=(given,))


async def show_verify_email(state: AuthState, request: Request) -> Response:
    """
    Show the page that has the link of a confirmation sent again.

    Raises:
        BadRequestError: The target is not allowed.

    Spec:
        auth/get-verify-email-trigger
    """
    visit = await open_visit(state, request)
    given = visit.query.target(state)
    values = {
        "action": f"{API}/verify_email/trigger",
        "hidden": {
            "redirect_uri": given or LOGIN,
            "err_redirect_uri": page(VERIFY_EMAIL, redirect_uri=given),
        },
        "login_url": LOGIN,
    }
    return await render_page(visit, "verify_email", values, targets=(given,))
