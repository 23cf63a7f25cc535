"""
The operations of this package as data: ``server/app`` binds them to an ``AuthState``.

Where the audience is "nobody", credentials that happen to come along must not matter: the handler
reads what it wants by itself.
"""

from collections.abc import Awaitable, Callable
from functools import wraps

from trailbase_server.auth.anonymous import login_anonymously, promote_anonymous
from trailbase_server.auth.avatar import create_avatar, delete_avatar, get_avatar
from trailbase_server.auth.change_email import (
    confirm_email_change,
    request_email_change,
    request_email_change_plainly,
)
from trailbase_server.auth.change_password import change_password
from trailbase_server.auth.change_username import change_username
from trailbase_server.auth.code_exchange import exchange_code
from trailbase_server.auth.delete import delete_account
from trailbase_server.auth.login import login
from trailbase_server.auth.login_mfa import login_with_second_factor
from trailbase_server.auth.logout import end_session, logout
from trailbase_server.auth.oauth.callback import end_login, receive_form
from trailbase_server.auth.oauth.listing import list_providers
from trailbase_server.auth.oauth.start import begin_login
from trailbase_server.auth.otp import login_with_otp, request_otp
from trailbase_server.auth.own_sessions import (
    end_other_sessions,
    end_own_session,
    list_sessions,
)
from trailbase_server.auth.recovery import create_recovery_codes, read_recovery_codes
from trailbase_server.auth.refresh import refresh_session
from trailbase_server.auth.register import register_user
from trailbase_server.auth.reset_password import request_reset, update_password
from trailbase_server.auth.second_factor import confirm_totp, register_totp, unregister_totp
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.status import read_status
from trailbase_server.auth.verify_email import confirm_email, request_verification
from trailbase_server.errors import (
    AppError,
    BadRequestError,
    ConflictError,
    DependencyError,
    ForbiddenError,
    MethodNotAllowedError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, text
from trailbase_server.web.route import Audience, Route

BASE = "/api/auth/v1"
AuthHandler = Callable[[AuthState, Request], Awaitable[Response]]
_JSON_ERRORS = (BadRequestError, UnsupportedMediaError, UnprocessableError)
_OAUTH_ERRORS = (
    BadRequestError,
    UnauthorizedError,
    MethodNotAllowedError,
    ConflictError,
    DependencyError,
    UnavailableError,
)


def _limited(handler: AuthHandler) -> AuthHandler:
    """Count POST requests by client address before they are handled."""

    @wraps(handler)
    async def limited(state: AuthState, request: Request) -> Response:
        if not state.address_limit.burst:
            return await handler(state, request)
        if request.method != "POST":
            headers = [(b"x-ratelimit-whitelisted", b"true")]
        else:
            verdict = state.address_limit.take(request.client_ip)
            headers = verdict.headers
            if verdict.wait_s:
                response = text(f"Too Many Requests! Wait for {verdict.wait_s}s", 429)
                response.headers += headers
                return response
        try:
            response = await handler(state, request)
        except AppError as exc:
            response = error_response(exc)
        response.headers += headers
        return response

    return limited


def _route(
    method: str,
    path: str,
    handler: AuthHandler,
    operation: str,
    summary: str,
    *errors: type[AppError],
    audience: Audience = "nobody",
    streams_forms: bool = False,
) -> Route:
    return Route(
        method,
        f"{BASE}{path}",
        _limited(handler),
        audience=audience,
        operation=operation,
        summary=summary,
        errors=errors,
        tag="auth",
        streams_forms=streams_forms,
    )


ROUTES = (
    _route(
        "POST",
        "/register",
        register_user,
        "register_user_handler",
        "Register a new account.",
        BadRequestError,
        ForbiddenError,
    ),
    _route(
        "GET",
        "/verify_email/trigger",
        request_verification,
        "request_email_verification_handler",
        "Mail the link that confirms an address once more.",
        BadRequestError,
        TooManyRequestsError,
    ),
    _route(
        "GET",
        "/verify_email/confirm/{token}",
        confirm_email,
        "verify_email_handler",
        "Confirm an address.",
        BadRequestError,
        UnauthorizedError,
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
        "/login_mfa",
        login_with_second_factor,
        "login_mfa_handler",
        "End a log-in with a second factor.",
        BadRequestError,
        UnauthorizedError,
        DependencyError,
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
        "POST",
        "/change_email/request",
        request_email_change,
        "change_email_request_handler",
        "Mail a link to a new address, or give the address up.",
        BadRequestError,
        ForbiddenError,
        ConflictError,
        TooManyRequestsError,
        audience="user",
    ),
    _route(
        "POST",
        "/change_email",
        request_email_change_plainly,
        "change_email_handler",
        "Mail a link to a new address; for callers with a token in a header.",
        BadRequestError,
        ForbiddenError,
        ConflictError,
        TooManyRequestsError,
        audience="user",
    ),
    _route(
        "GET",
        "/change_email/confirm/{token}",
        confirm_email_change,
        "change_email_confirm_handler",
        "Replace the address of an account.",
        BadRequestError,
        ConflictError,
    ),
    _route(
        "POST",
        "/change_username",
        change_username,
        "change_username_handler",
        "Change the caller's username.",
        BadRequestError,
        NotFoundError,
        ConflictError,
        audience="user",
    ),
    _route(
        "POST",
        "/reset_password/request",
        request_reset,
        "reset_password_request_handler",
        "Mail a token that sets a new password.",
        BadRequestError,
        TooManyRequestsError,
    ),
    _route(
        "POST",
        "/reset_password/update",
        update_password,
        "reset_password_update_handler",
        "Set a new password with a token.",
        BadRequestError,
        UnauthorizedError,
    ),
    _route(
        "POST",
        "/otp/request",
        request_otp,
        "request_otp_handler",
        "Mail a code to log in with.",
        BadRequestError,
        NotFoundError,
        TooManyRequestsError,
    ),
    _route(
        "POST",
        "/otp/login",
        login_with_otp,
        "login_otp_handler",
        "Log in with the code of a mail.",
        BadRequestError,
        UnauthorizedError,
        NotFoundError,
        TooManyRequestsError,
    ),
    _route(
        "POST",
        "/login_anonymous",
        login_anonymously,
        "login_anonymous_user_handler",
        "Make an anonymous account and log it in.",
        BadRequestError,
        NotFoundError,
        ConflictError,
    ),
    _route(
        "POST",
        "/promote_anonymous",
        promote_anonymous,
        "promote_anonymous_user_handler",
        "Give an anonymous account a password and a name.",
        BadRequestError,
        NotFoundError,
        DependencyError,
        audience="user",
    ),
    _route(
        "GET",
        "/sessions",
        list_sessions,
        "list_sessions_handler",
        "List the caller's sessions.",
        audience="user",
    ),
    _route(
        "DELETE",
        "/sessions",
        end_other_sessions,
        "end_other_sessions_handler",
        "End the caller's other sessions.",
        BadRequestError,
        audience="user",
    ),
    _route(
        "DELETE",
        "/sessions/{id}",
        end_own_session,
        "end_own_session_handler",
        "End one of the caller's sessions.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    _route(
        "GET",
        "/avatar/{user_id}",
        get_avatar,
        "get_avatar_handler",
        "Read somebody's picture.",
        BadRequestError,
        NotFoundError,
    ),
    _route(
        "POST",
        "/avatar",
        create_avatar,
        "create_avatar_handler",
        "Upload a picture of the caller.",
        BadRequestError,
        NotFoundError,
        audience="user",
        streams_forms=True,
    ),
    _route(
        "DELETE",
        "/avatar",
        delete_avatar,
        "delete_avatar_handler",
        "Delete the caller's picture.",
        BadRequestError,
        audience="user",
    ),
    _route(
        "GET",
        "/totp/register",
        register_totp,
        "register_totp_request_handler",
        "Offer a secret for a second factor.",
        BadRequestError,
        audience="user",
    ),
    _route(
        "POST",
        "/totp/confirm",
        confirm_totp,
        "register_totp_confirm_handler",
        "Switch the second factor on.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    _route(
        "POST",
        "/totp/unregister",
        unregister_totp,
        "unregister_totp_handler",
        "Switch the second factor off.",
        BadRequestError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
    _route(
        "POST",
        "/totp/recovery_codes",
        create_recovery_codes,
        "create_recovery_codes_handler",
        "Make recovery codes for a lost authenticator.",
        BadRequestError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
    _route(
        "GET",
        "/totp/recovery_codes",
        read_recovery_codes,
        "read_recovery_codes_handler",
        "Tell how many recovery codes are left.",
        audience="user",
    ),
    _route(
        "GET",
        "/oauth/providers",
        list_providers,
        "list_configured_providers_handler",
        "List the services to log in with.",
    ),
    _route(
        "GET",
        "/oauth/{provider}/login",
        begin_login,
        "login_with_external_auth_provider",
        "Send a browser to a service to log in there.",
        BadRequestError,
        MethodNotAllowedError,
    ),
    _route(
        "GET",
        "/oauth/{provider}/callback",
        end_login,
        "callback_from_external_auth_provider",
        "Log in whom a service sends back.",
        *_OAUTH_ERRORS,
    ),
    _route(
        "POST",
        "/oauth/{provider}/callback",
        receive_form,
        "post_callback_from_external_auth_provider",
        "Take the answer of a service that sends it as a form.",
        BadRequestError,
        MethodNotAllowedError,
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
