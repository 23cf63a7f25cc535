"""The operations of this package as data: ``server/app`` binds them to an ``AuthState``."""

from trailbase_server.auth.change_password import change_password
from trailbase_server.auth.code_exchange import exchange_code
from trailbase_server.auth.delete import delete_account
from trailbase_server.auth.login import login
from trailbase_server.auth.logout import end_session, logout
from trailbase_server.auth.refresh import refresh_session
from trailbase_server.auth.register import register_user
from trailbase_server.auth.status import read_status
from trailbase_server.errors import (
    AppError,
    BadRequestError,
    DependencyError,
    ForbiddenError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.web.route import Audience, Handler, Route

BASE = "/api/auth/v1"
_JSON_ERRORS = (BadRequestError, UnsupportedMediaError, UnprocessableError)


def _route(
    method: str,
    path: str,
    handler: Handler,
    operation: str,
    summary: str,
    *errors: type[AppError],
    audience: Audience = "nobody",
) -> Route:
    return Route(
        method,
        f"{BASE}{path}",
        handler,
        audience=audience,
        operation=operation,
        summary=summary,
        errors=errors,
        tag="auth",
    )


# Where the audience is "nobody", credentials that happen to come along must not matter: the handler
# reads what it wants by itself.
ROUTES = (
    _route(
        "POST",
        "/register",
        register_user,
        "register_user_handler",
        "Register a new account.",
        BadRequestError,
        ForbiddenError,
        DependencyError,
    ),
    _route(
        "POST",
        "/login",
        login,
        "login_handler",
        "Log in with a password.",
        BadRequestError,
        UnauthorizedError,
        ForbiddenError,
        TooManyRequestsError,
    ),
    _route(
        "POST",
        "/token",
        exchange_code,
        "auth_code_to_token_handler",
        "Exchange an authorization code for tokens.",
        *_JSON_ERRORS,
        NotFoundError,
    ),
    _route(
        "POST",
        "/refresh",
        refresh_session,
        "refresh_handler",
        "Get a new auth token for a session.",
        *_JSON_ERRORS,
        UnauthorizedError,
    ),
    _route(
        "GET",
        "/status",
        read_status,
        "login_status_handler",
        "Read the caller's tokens, refreshed.",
        UnauthorizedError,
    ),
    _route(
        "GET",
        "/logout",
        logout,
        "logout_handler",
        "End all sessions of the caller.",
        BadRequestError,
    ),
    _route(
        "POST",
        "/logout",
        end_session,
        "post_logout_handler",
        "End one session.",
        *_JSON_ERRORS,
    ),
    _route(
        "POST",
        "/change_password",
        change_password,
        "change_password_handler",
        "Change the caller's password.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    _route(
        "DELETE",
        "/delete",
        delete_account,
        "delete_handler",
        "Delete the caller's account.",
        BadRequestError,
        audience="user",
    ),
)
