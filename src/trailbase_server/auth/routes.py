"""
The operations of this package as data: ``server/app`` binds them to an ``AuthState``.

Where the audience is "nobody", credentials that happen to come along must not matter: the handler
reads what it wants by itself.
"""

from typing import TYPE_CHECKING

from trailbase_server.auth.login import login
from trailbase_server.auth.logout import end_session, logout
from trailbase_server.auth.pages.links import LOGIN, VERIFY_EMAIL
from trailbase_server.auth.passkeys.routes import PASSKEY_ROUTES
from trailbase_server.auth.refresh import refresh_session
from trailbase_server.auth.routing import route
from trailbase_server.auth.status import read_status
from trailbase_server.errors import (
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
from trailbase_server.web.later import later
from trailbase_server.web.route import Route

if TYPE_CHECKING:
    from trailbase_server.auth import (
        anonymous,
        avatar,
        change_email,
        change_password,
        change_username,
        code_exchange,
        delete,
        jwks,
        login_mfa,
        otp,
        own_sessions,
        recovery,
        register,
        reset_password,
        second_factor,
        verify_email,
    )
    from trailbase_server.auth.oauth import (
        callback,
        link,
        listing,
        start,
    )
else:
    anonymous = later("trailbase_server.auth.anonymous")
    avatar = later("trailbase_server.auth.avatar")
    change_email = later("trailbase_server.auth.change_email")
    change_password = later("trailbase_server.auth.change_password")
    change_username = later("trailbase_server.auth.change_username")
    code_exchange = later("trailbase_server.auth.code_exchange")
    delete = later("trailbase_server.auth.delete")
    jwks = later("trailbase_server.auth.jwks")
    login_mfa = later("trailbase_server.auth.login_mfa")
    otp = later("trailbase_server.auth.otp")
    own_sessions = later("trailbase_server.auth.own_sessions")
    recovery = later("trailbase_server.auth.recovery")
    register = later("trailbase_server.auth.register")
    reset_password = later("trailbase_server.auth.reset_password")
    second_factor = later("trailbase_server.auth.second_factor")
    verify_email = later("trailbase_server.auth.verify_email")
    callback = later("trailbase_server.auth.oauth.callback")
    link = later("trailbase_server.auth.oauth.link")
    listing = later("trailbase_server.auth.oauth.listing")
    start = later("trailbase_server.auth.oauth.start")

_JSON_ERRORS = (BadRequestError, UnsupportedMediaError, UnprocessableError)
_OAUTH_ERRORS = (
    BadRequestError,
    UnauthorizedError,
    MethodNotAllowedError,
    ConflictError,
    DependencyError,
    UnavailableError,
)

ROUTES = (
    route(
        "POST",
        "/register",
        register.register_user,
        "register_user_handler",
        "Register a new account.",
        BadRequestError,
        ForbiddenError,
    ),
    route(
        "GET",
        "/verify_email/trigger",
        verify_email.request_verification,
        "request_email_verification_handler",
        "Mail the link that confirms an address once more.",
        BadRequestError,
        TooManyRequestsError,
    ),
    route(
        "GET",
        "/verify_email/confirm/{token}",
        verify_email.confirm_email,
        "verify_email_handler",
        "Confirm an address.",
        BadRequestError,
        UnauthorizedError,
        page=VERIFY_EMAIL,
    ),
    route(
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
    route(
        "POST",
        "/login_mfa",
        login_mfa.login_with_second_factor,
        "login_mfa_handler",
        "End a log-in with a second factor.",
        BadRequestError,
        UnauthorizedError,
        DependencyError,
        TooManyRequestsError,
    ),
    route(
        "POST",
        "/token",
        code_exchange.exchange_code,
        "auth_code_to_token_handler",
        "Exchange an authorization code for tokens.",
        *_JSON_ERRORS,
        NotFoundError,
    ),
    route(
        "POST",
        "/refresh",
        refresh_session,
        "refresh_handler",
        "Get a new auth token for a session.",
        *_JSON_ERRORS,
        UnauthorizedError,
    ),
    route(
        "GET",
        "/status",
        read_status,
        "login_status_handler",
        "Read the caller's tokens, refreshed.",
        UnauthorizedError,
    ),
    route(
        "GET",
        "/logout",
        logout,
        "logout_handler",
        "End all sessions of the caller.",
        BadRequestError,
    ),
    route(
        "POST",
        "/logout",
        end_session,
        "post_logout_handler",
        "End one session.",
        *_JSON_ERRORS,
    ),
    route(
        "POST",
        "/change_password",
        change_password.change_password,
        "change_password_handler",
        "Change the caller's password.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    route(
        "POST",
        "/change_email/request",
        change_email.request_email_change,
        "change_email_request_handler",
        "Mail a link to a new address, or give the address up.",
        BadRequestError,
        ForbiddenError,
        ConflictError,
        TooManyRequestsError,
        audience="user",
    ),
    route(
        "POST",
        "/change_email",
        change_email.request_email_change_plainly,
        "change_email_handler",
        "Mail a link to a new address; for callers with a token in a header.",
        BadRequestError,
        ForbiddenError,
        ConflictError,
        TooManyRequestsError,
        audience="user",
    ),
    route(
        "GET",
        "/change_email/confirm/{token}",
        change_email.confirm_email_change,
        "change_email_confirm_handler",
        "Replace the address of an account.",
        BadRequestError,
        ConflictError,
        page=LOGIN,
    ),
    route(
        "POST",
        "/change_username",
        change_username.change_username,
        "change_username_handler",
        "Change the caller's username.",
        BadRequestError,
        NotFoundError,
        ConflictError,
        audience="user",
    ),
    route(
        "POST",
        "/reset_password/request",
        reset_password.request_reset,
        "reset_password_request_handler",
        "Mail a token that sets a new password.",
        BadRequestError,
        TooManyRequestsError,
    ),
    route(
        "POST",
        "/reset_password/update",
        reset_password.update_password,
        "reset_password_update_handler",
        "Set a new password with a token.",
        BadRequestError,
        UnauthorizedError,
    ),
    route(
        "POST",
        "/otp/request",
        otp.request_otp,
        "request_otp_handler",
        "Mail a code to log in with.",
        BadRequestError,
        NotFoundError,
        TooManyRequestsError,
    ),
    route(
        "POST",
        "/otp/login",
        otp.login_with_otp,
        "login_otp_handler",
        "Log in with the code of a mail.",
        BadRequestError,
        UnauthorizedError,
        NotFoundError,
        TooManyRequestsError,
    ),
    route(
        "POST",
        "/login_anonymous",
        anonymous.login_anonymously,
        "login_anonymous_user_handler",
        "Make an anonymous account and log it in.",
        BadRequestError,
        NotFoundError,
        ConflictError,
    ),
    route(
        "POST",
        "/promote_anonymous",
        anonymous.promote_anonymous,
        "promote_anonymous_user_handler",
        "Give an anonymous account a password and a name.",
        BadRequestError,
        NotFoundError,
        DependencyError,
        audience="user",
    ),
    route(
        "GET",
        "/sessions",
        own_sessions.list_sessions,
        "list_sessions_handler",
        "List the caller's sessions.",
        audience="user",
    ),
    route(
        "DELETE",
        "/sessions",
        own_sessions.end_other_sessions,
        "end_other_sessions_handler",
        "End the caller's other sessions.",
        BadRequestError,
        audience="user",
    ),
    route(
        "DELETE",
        "/sessions/{id}",
        own_sessions.end_own_session,
        "end_own_session_handler",
        "End one of the caller's sessions.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    route(
        "GET",
        "/avatar/{user_id}",
        avatar.get_avatar,
        "get_avatar_handler",
        "Read somebody's picture.",
        BadRequestError,
        NotFoundError,
    ),
    route(
        "POST",
        "/avatar",
        avatar.create_avatar,
        "create_avatar_handler",
        "Upload a picture of the caller.",
        BadRequestError,
        NotFoundError,
        audience="user",
        streams_forms=True,
    ),
    route(
        "DELETE",
        "/avatar",
        avatar.delete_avatar,
        "delete_avatar_handler",
        "Delete the caller's picture.",
        BadRequestError,
        audience="user",
    ),
    route(
        "GET",
        "/totp/register",
        second_factor.register_totp,
        "register_totp_request_handler",
        "Offer a secret for a second factor.",
        BadRequestError,
        audience="user",
    ),
    route(
        "POST",
        "/totp/confirm",
        second_factor.confirm_totp,
        "register_totp_confirm_handler",
        "Switch the second factor on.",
        BadRequestError,
        NotFoundError,
        audience="user",
    ),
    route(
        "POST",
        "/totp/unregister",
        second_factor.unregister_totp,
        "unregister_totp_handler",
        "Switch the second factor off.",
        BadRequestError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
    route(
        "POST",
        "/totp/recovery_codes",
        recovery.create_recovery_codes,
        "create_recovery_codes_handler",
        "Make recovery codes for a lost authenticator.",
        BadRequestError,
        NotFoundError,
        TooManyRequestsError,
        audience="user",
    ),
    route(
        "GET",
        "/totp/recovery_codes",
        recovery.read_recovery_codes,
        "read_recovery_codes_handler",
        "Tell how many recovery codes are left.",
        audience="user",
    ),
    *PASSKEY_ROUTES,
    route(
        "GET",
        "/oauth/providers",
        listing.list_providers,
        "list_configured_providers_handler",
        "List the services to log in with.",
    ),
    route(
        "GET",
        "/oauth/{provider}/login",
        start.begin_login,
        "login_with_external_auth_provider",
        "Send a browser to a service to log in there.",
        BadRequestError,
        MethodNotAllowedError,
        DependencyError,
        UnavailableError,
    ),
    route(
        "POST",
        "/oauth/{provider}/link",
        link.begin_link,
        "link_external_account_handler",
        "Send the caller to a service that becomes a way into their account.",
        BadRequestError,
        ForbiddenError,
        NotFoundError,
        MethodNotAllowedError,
        ConflictError,
        DependencyError,
        TooManyRequestsError,
        UnavailableError,
        audience="user",
    ),
    route(
        "DELETE",
        "/oauth/{provider}/link",
        link.unlink,
        "unlink_external_account_handler",
        "Take a service away from the caller's account.",
        BadRequestError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        TooManyRequestsError,
        audience="user",
    ),
    route(
        "GET",
        "/oauth/{provider}/callback",
        callback.end_login,
        "callback_from_external_auth_provider",
        "Log in whom a service sends back.",
        *_OAUTH_ERRORS,
    ),
    route(
        "POST",
        "/oauth/{provider}/callback",
        callback.receive_form,
        "post_callback_from_external_auth_provider",
        "Take the answer of a service that sends it as a form.",
        BadRequestError,
        MethodNotAllowedError,
    ),
    route(
        "DELETE",
        "/delete",
        delete.delete_account,
        "delete_handler",
        "Delete the caller's account.",
        BadRequestError,
        audience="user",
    ),
)

WELL_KNOWN_ROUTES = (
    Route(
        "GET",
        "/.well-known/jwks.json",
        jwks.read_jwks,
        audience="nobody",
        operation="read_jwks_handler",
        summary="Read the key that verifies auth tokens, as a JSON Web Key Set.",
        tag="auth",
    ),
)
"""Where other software looks for them."""
