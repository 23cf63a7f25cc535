"""
Who may add and remove passkeys: whoever has shown lately that they are the owner of the account.

A stolen token must not buy a key that outlives it. So either the session that the request carries
began a short while ago, or the password comes along, and with a second factor its code, too: a
passkey stands for both.
"""

from typing import cast

from trailbase_server.auth.authenticate import refresh_token_of
from trailbase_server.auth.credentials import check_credentials
from trailbase_server.auth.fields import Fields
from trailbase_server.auth.login_mfa import check_second_factor
from trailbase_server.auth.sessions import is_refresh_token, stored_form
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User
from trailbase_server.errors import BadRequestError, ForbiddenError, UnauthorizedError
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request

FRESH_S = 15 * 60  # since the log-in: time to find the page and the device


async def check_fresh(state: AuthState, request: Request, user: User, body: Fields) -> None:
    """
    Check that it is the owner of an account who asks.

    Args:
        state: Of this package.
        request: Carries a refresh token in its header or cookie, as clients send it.
        user: Whose token it carries.
        body: Has ``password``, and ``totp``, if the log-in was long ago.

    Raises:
        ForbiddenError: The log-in was long ago, and no password came along.
        BadRequestError: Password or code are wrong, or the code is missing.
        TooManyRequestsError: Too many wrong ones.
    """
    if await _has_just_logged_in(state, request, user.id):
        return
    password = body.text("password")
    if password is None:
        raise ForbiddenError(detail="the log-in was long ago")
    code = body.text("totp")
    if user.totp_secret is not None and code is None:
        raise BadRequestError("TOTP missing")
    try:
        await check_credentials(state, user, password)
        if user.totp_secret is not None and code is not None:
            await check_second_factor(state, user, code)
    except UnauthorizedError as exc:
        raise BadRequestError("wrong password or code", detail=exc.detail) from exc


async def _has_just_logged_in(state: AuthState, request: Request, user_id: UserId) -> bool:
    token, now_s = refresh_token_of(request), state.clock.now_s()
    if token is None or not is_refresh_token(token):
        return False
    rows = await state.session_database.query(
        "SELECT created FROM _session WHERE user = ?1 AND refresh_token IN (?2, ?3) "
        "AND expires > ?4",
        (user_id, stored_form(token), token, now_s),
    )
    return bool(rows) and now_s - cast(int, rows[0][0]) < FRESH_S
