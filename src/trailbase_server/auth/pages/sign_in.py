"""
Logging in by page: password, second factor, and going on as who one is already.

What an application asks for (target, code or tokens, PKCE) is carried from page to page until the
log-in ends, and every way to log in gets it.
"""

from msgspec import Struct

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import read_body
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.pages.links import (
    API,
    CONTINUE,
    LOGIN,
    LOGIN_MFA,
    LOGOUT,
    OTP_LOGIN,
    OTP_REQUEST,
    PROFILE,
    REGISTER,
    RESET_REQUEST,
    Query,
    page,
)
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import Visit, go, open_visit
from trailbase_server.auth.sign_in import LoginParams, answer_login, merge_login_params
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import BadRequestError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

_ONLY_EMAIL = (IdentifierPolicy.UNDEFINED, IdentifierPolicy.ONLY_EMAIL)


class Carried(Struct, frozen=True):
    """
    What a log-in is to end with, as far as it was given.

    Attributes:
        redirect_uri, mfa_redirect_uri: Checked targets.
        response_type, code_challenge: As received.
    """

    redirect_uri: str | None
    mfa_redirect_uri: str | None
    response_type: str | None
    code_challenge: str | None

    @property
    def parameters(self) -> dict[str, str | None]:
        """As parameters of a page."""
        return {
            "redirect_uri": self.redirect_uri,
            "mfa_redirect_uri": self.mfa_redirect_uri,
            "response_type": self.response_type,
            "pkce_code_challenge": self.code_challenge,
        }

    @property
    def hidden(self) -> dict[str, str | None]:
        """
        As fields of a form that logs in.

        A page of the second factor gets the target along where the API does not add it itself.
        """
        is_code = self.response_type == "code"
        own = LOGIN_MFA if is_code else page(LOGIN_MFA, redirect_uri=self.redirect_uri)
        return {
            **self.parameters,
            "redirect_uri": self.redirect_uri or LOGIN,
            "mfa_redirect_uri": self.mfa_redirect_uri or own,
        }


def read_carried(state: AuthState, query: Query) -> Carried:
    """
    Read what a log-in is to end with.

    Raises:
        BadRequestError: A target is not allowed.
    """
    return Carried(
        query.target(state),
        query.target(state, "mfa_redirect_uri"),
        query.text("response_type"),
        query.text("pkce_code_challenge"),
    )


async def show_login(state: AuthState, request: Request) -> Response:
    """
    Show the page that logs somebody in, or where they are logged in already: the profile; or, for
    an application that waits for a code, the question whether to go on as that user.

    Raises:
        BadRequestError: A target is not allowed.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    carried = read_carried(state, visit.query)
    if visit.user is not None and carried.response_type == "code":
        return await _offer_to_continue(visit, carried)
    if visit.user is not None:
        return go(page(PROFILE, alert=visit.alert))
    here = page(LOGIN, **carried.parameters)
    services = state.options.providers if state.callback_site is not None else ()
    ways = {
        "services": [(one.display_name, _service_url(one.name, carried, here)) for one in services],
        "register_url": None
        if state.options.disable_password_auth
        else page(REGISTER, redirect_uri=here if carried.redirect_uri else None),
        "otp_url": _otp_url(carried) if state.options.enable_otp else None,
        "reset_url": page(RESET_REQUEST, redirect_uri=here if carried.redirect_uri else None),
    }
    values = {
        "action": f"{API}/login",
        "hidden": {**carried.hidden, "err_redirect_uri": here},
        "identifier": _identifier(state.options.identifier_policy),
        **ways,
    }
    return await render_page(
        visit, "login", values, targets=(carried.redirect_uri, carried.mfa_redirect_uri)
    )


def _identifier(policy: IdentifierPolicy) -> str:
    if policy in _ONLY_EMAIL:
        return "email"
    return "username" if policy == IdentifierPolicy.ONLY_USERNAME else "email_or_username"


def _service_url(name: str, carried: Carried, here: str) -> str:
    given = {**carried.parameters, "redirect_uri": carried.redirect_uri or LOGIN}
    return page(f"{API}/oauth/{name}/login", **given, err_redirect_uri=here)


def _otp_url(carried: Carried) -> str:
    is_plain = not any(carried.parameters.values())
    # The request leads to the page that asks for the code, which knows the rest.
    given = None if is_plain else page(OTP_LOGIN, **carried.parameters)
    return page(OTP_REQUEST, redirect_uri=given)


async def show_second_factor(state: AuthState, request: Request) -> Response:
    """
    Show the page that asks for a second factor.

    Raises:
        BadRequestError: A target is not allowed, or there is no half-finished log-in.

    Spec:
        auth/pages
    """
    visit = await open_visit(state, request)
    carried = read_carried(state, visit.query)
    token = visit.query.text("mfa_token")
    if visit.user is not None and carried.response_type != "code":
        return go(carried.redirect_uri or LOGIN)
    if token is None:
        raise BadRequestError("missing mfa_token")
    here = page(LOGIN_MFA, mfa_token=token, **carried.parameters)
    values = {
        "action": f"{API}/login_mfa",
        "hidden": {**carried.hidden, "mfa_token": token, "err_redirect_uri": here},
        "again_url": page(LOGIN, **carried.parameters),
    }
    return await render_page(visit, "login_mfa", values, targets=(carried.redirect_uri,))


async def _offer_to_continue(visit: Visit, carried: Carried) -> Response:
    here = page(LOGIN, **carried.parameters)
    values = {
        "action": CONTINUE,
        "hidden": carried.parameters,
        "logout_action": LOGOUT,
        "logout_hidden": {"redirect_uri": here},
    }
    return await render_page(visit, "continue", values, targets=(carried.redirect_uri,))


async def continue_as_user(state: AuthState, request: Request) -> Response:
    """
    Give an application a code for who is logged in.

    Raises:
        BadRequestError: Parameters are malformed, or the form is forged.

    Spec:
        auth/functional-defects
    """
    visit = await open_visit(state, request)
    body = read_body(request)
    params = merge_login_params(state, body)
    if visit.user is None or params.code_challenge is None:
        return _begin_again(params)
    check_intent(state, request, caller_of(request), body.text("csrf_token"))
    return await answer_login(state, visit.user, params, is_form=True)


def _begin_again(params: LoginParams) -> Response:
    """Send somebody to the log-in that ends as an application has asked."""
    return go(
        page(
            LOGIN,
            redirect_uri=params.redirect_uri,
            response_type=params.response_type,
            pkce_code_challenge=params.code_challenge,
        )
    )
