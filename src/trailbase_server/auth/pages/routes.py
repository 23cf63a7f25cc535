"""
The pages as a table: paths, handlers, and who is looked up.

None of them is part of the API: they are left out of its description.
"""

from functools import wraps
from typing import TYPE_CHECKING

from trailbase_server.auth.pages import links
from trailbase_server.auth.pages.render import render_error
from trailbase_server.auth.replies import is_tellable
from trailbase_server.auth.routing import AuthHandler, limit_addresses
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import (
    AppError,
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.web.later import later
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import Audience, Route

if TYPE_CHECKING:
    from trailbase_server.auth.pages import (
        account,
        codes,
        download,
        leave,
        passwords,
        profile,
        register,
        second_factor,
        settings,
        sign_in,
    )
else:
    account = later("trailbase_server.auth.pages.account")
    codes = later("trailbase_server.auth.pages.codes")
    download = later("trailbase_server.auth.pages.download")
    leave = later("trailbase_server.auth.pages.leave")
    passwords = later("trailbase_server.auth.pages.passwords")
    profile = later("trailbase_server.auth.pages.profile")
    register = later("trailbase_server.auth.pages.register")
    second_factor = later("trailbase_server.auth.pages.second_factor")
    settings = later("trailbase_server.auth.pages.settings")
    sign_in = later("trailbase_server.auth.pages.sign_in")


def shown(handler: AuthHandler) -> AuthHandler:
    """Show a page in place of a bare refusal."""

    @wraps(handler)
    async def safe(state: AuthState, request: Request) -> Response:
        try:
            return await handler(state, request)
        except AppError as exc:
            if not is_tellable(exc):
                raise
            return await render_error(state, request, exc)

    return safe


def _show(path: str, handler: AuthHandler, operation: str, summary: str) -> Route:
    return _route("GET", path, shown(handler), operation, summary)


def _form(
    path: str,
    handler: AuthHandler,
    operation: str,
    summary: str,
    *,
    audience: Audience = "anyone",
    streams_forms: bool = False,
) -> Route:
    return _route(
        "POST",
        path,
        limit_addresses(shown(handler)),
        operation,
        summary,
        audience=audience,
        streams_forms=streams_forms,
    )


def _route(
    method: str,
    path: str,
    handler: AuthHandler,
    operation: str,
    summary: str,
    *,
    audience: Audience = "anyone",
    streams_forms: bool = False,
) -> Route:
    return Route(
        method,
        path,
        handler,
        audience=audience,
        operation=operation,
        summary=summary,
        errors=(BadRequestError, NotFoundError),
        tag="pages",
        streams_forms=streams_forms,
    )


_SETTINGS = f"{links.BASE}/admin/settings/"

PAGE_ROUTES = (
    _show(links.LOGIN, sign_in.show_login, "show_login", "Log in."),
    _show(
        links.LOGIN_MFA, sign_in.show_second_factor, "show_second_factor", "Enter a second factor."
    ),
    _form(
        links.CONTINUE, sign_in.continue_as_user, "continue_as_user", "Go on as who is logged in."
    ),
    _show(links.REGISTER, register.show_register, "show_register", "Make an account."),
    _show(
        links.VERIFY_EMAIL,
        register.show_verify_email,
        "show_verify_email",
        "Have a link sent again.",
    ),
    _show(
        links.RESET_REQUEST,
        passwords.show_reset_request,
        "show_reset_request",
        "Forgot the password.",
    ),
    _show(
        f"{links.RESET_UPDATE}/{{token}}",
        passwords.show_reset_update,
        "show_reset_update",
        "Set a new password.",
    ),
    _show(links.OTP_REQUEST, codes.show_otp_request, "show_otp_request", "Ask for a code by mail."),
    _show(links.OTP_LOGIN, codes.show_otp_login, "show_otp_login", "Enter the code of a mail."),
    _show(
        links.CHANGE_PASSWORD,
        account.show_change_password,
        "show_change_password",
        "Change the password.",
    ),
    _form(
        links.CHANGE_PASSWORD, account.submit_password, "submit_password", "Change the password."
    ),
    _show(
        links.CHANGE_EMAIL, account.show_change_email, "show_change_email", "Change the address."
    ),
    _form(links.CHANGE_EMAIL, account.submit_email, "submit_email", "Change the address."),
    _show(
        links.CHANGE_USERNAME,
        account.show_change_username,
        "show_change_username",
        "Change the username.",
    ),
    _form(
        links.CHANGE_USERNAME, account.submit_username, "submit_username", "Change the username."
    ),
    _show(links.TOTP, second_factor.show_totp, "show_totp", "Set the second factor up."),
    _form(links.TOTP, second_factor.submit_totp, "submit_totp", "Switch the second factor on."),
    _form(
        f"{links.TOTP}/off",
        second_factor.submit_totp_end,
        "submit_totp_end",
        "Switch the factor off.",
    ),
    _form(
        f"{links.TOTP}/recovery_codes",
        second_factor.submit_recovery_codes,
        "submit_recovery_codes",
        "Make recovery codes.",
    ),
    _show(links.PROFILE, profile.show_profile, "show_profile", "See one's own account."),
    _form(
        links.AVATAR,
        profile.submit_avatar,
        "submit_avatar",
        "Upload a picture.",
        streams_forms=True,
    ),
    _form(
        f"{links.AVATAR}/delete",
        profile.submit_avatar_deletion,
        "submit_avatar_deletion",
        "Delete the picture.",
    ),
    _form(
        f"{links.SESSIONS}/end",
        profile.submit_other_sessions_end,
        "submit_other_sessions_end",
        "End all other sessions.",
    ),
    _form(
        f"{links.SESSIONS}/end/{{id}}",
        profile.submit_session_end,
        "submit_session_end",
        "End a session.",
    ),
    _show(links.DELETE, profile.show_delete, "show_delete", "Ask before an account is deleted."),
    _form(links.DELETE, profile.submit_deletion, "submit_deletion", "Delete one's own account."),
    _show(links.LOGOUT, leave.show_logout, "show_logout", "Ask before logging out."),
    _form(links.LOGOUT, leave.submit_logout, "submit_logout", "Log out.", audience="nobody"),
    Route(
        "GET",
        f"{links.STATIC}/{{hash}}/{{name}}",
        download.get_asset,
        audience="nobody",
        operation="get_page_asset",
        summary="Read a style or a picture of the pages.",
        errors=(NotFoundError,),
        tag="pages",
    ),
    Route(
        "GET",
        _SETTINGS,
        settings.get_settings,
        audience="user",
        operation="get_page_settings",
        summary="Read the title and logo of the pages.",
        errors=(ForbiddenError,),
        tag="pages",
    ),
    Route(
        "POST",
        _SETTINGS,
        settings.update_settings,
        audience="user",
        operation="update_page_settings",
        summary="Choose the title and logo of the pages.",
        errors=(ForbiddenError, BadRequestError, UnsupportedMediaError, UnprocessableError),
        tag="pages",
    ),
)
