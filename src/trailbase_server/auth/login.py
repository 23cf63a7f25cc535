"""
``POST /login``: password log-in with JSON, a form, or for an authorization code.

Official clients take the status 403 for "a second factor is needed": nothing else may answer it.
"""

from http import HTTPStatus

from trailbase_server.auth.cookies import TOKEN_COOKIES, remove_cookies
from trailbase_server.auth.credentials import check_credentials
from trailbase_server.auth.fields import Fields, merged, read_body, read_query
from trailbase_server.auth.identifiers import (
    Identifier,
    parse_email,
    parse_email_or_username,
    parse_username,
)
from trailbase_server.auth.login_mfa import finish_login
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.auth.sign_in import merge_login_params
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_identified
from trailbase_server.errors import AppError
from trailbase_server.web.errors import FIRST_SERVER_ERROR
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect


async def login(state: AuthState, request: Request) -> Response:
    """
    Log somebody in by password.

    Raises:
        BadRequestError: Identifier or parameters are malformed.
        UnauthorizedError: Wrong password, or no such account.
        TooManyRequestsError: The account is locked for a while.

    Spec:
        auth/post-login
    """
    query, body = read_query(request), read_body(request)
    identifier = _read_identifier(body)
    password = body.required("password")
    params = merge_login_params(state, query, body)
    error_target = state.check_redirect(merged("err_redirect_uri", query, body))
    try:
        found = await _find(state, identifier)
        user = await check_credentials(state, found, password, identifier.text)
    except AppError as exc:
        page = error_target or params.redirect_uri
        if not body.is_form or page is None:
            raise
        return _redirect_failure(request, page, exc)
    return await finish_login(state, user, params, is_form=body.is_form)


def _read_identifier(body: Fields) -> Identifier:
    name, value = body.first("email_or_username", "email", "username")
    if name == "email":
        return Identifier(parse_email(value), is_email=True)
    if name == "username":
        return Identifier(parse_username(value), is_email=False)
    return parse_email_or_username(value)


async def _find(state: AuthState, identifier: Identifier) -> User | None:
    return await find_identified(state.database, identifier.text, is_email=identifier.is_email)


def _redirect_failure(request: Request, target: str, error: AppError) -> Response:
    """Tell a browser on its own page; after an error of ours it shall start afresh."""
    status = HTTPStatus(error.status)
    alert = f"Login Failed: {status.value} {status.phrase}"
    location = render_location(add_parameters(target, alert=alert))
    dropped = error.status >= FIRST_SERVER_ERROR
    return redirect(location, remove_cookies(request, TOKEN_COOKIES) if dropped else None)
