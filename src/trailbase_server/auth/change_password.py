"""``POST /change_password``: by somebody who is logged in and knows the old one."""

from trailbase_server.auth.authenticate import caller_of, refresh_token_of
from trailbase_server.auth.credentials import check_credentials
from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.password import check_password
from trailbase_server.auth.replies import fail_on_page, notify
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user, set_password_hash
from trailbase_server.errors import (
    AppError,
    BadRequestError,
    InternalError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
)
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


async def change_password(state: AuthState, request: Request) -> Response:
    """
    Replace the caller's password and end their other sessions.

    The session whose refresh token came with the request goes on.

    Raises:
        BadRequestError: A target or the new password does not do, or the old one is wrong.
        NotFoundError: The account is gone.

    Spec:
        auth/post-change-password
    """
    query, body = read_query(request), read_body(request)
    user_id = caller_of(request).user_id
    old, new = body.required("old_password"), body.required("new_password")
    repeated = body.text("new_password_repeat")
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    target = state.check_redirect(merged("redirect_uri", query, body))
    error_target = state.check_redirect(merged("err_redirect_uri", query, body)) or target
    try:
        check_password(state.options.password_rules, new, new if repeated is None else repeated)
        await _replace(state, user_id, old, new)
    except BadRequestError as exc:
        return fail_on_page(exc, body, error_target)
    await state.session_database.write(delete_sessions, user_id, refresh_token_of(request))
    return notify("password changed", target)


async def _replace(state: AuthState, user_id: UserId, old: str, new: str) -> None:
    user = await find_user(state.database, user_id)
    if user is None:
        raise NotFoundError
    try:
        user = await check_credentials(state, user, old)
    except (UnauthorizedError, TooManyRequestsError, InternalError) as exc:
        raise BadRequestError(_reason(exc), detail=exc.detail) from exc
    new_hash = await state.passwords.hash(new)
    if not await state.database.write(set_password_hash, user_id, new_hash, user.password_hash):
        raise BadRequestError("the password has been changed meanwhile")


def _reason(error: AppError) -> str:
    if isinstance(error, TooManyRequestsError):
        return "too many attempts, try again later"
    return "wrong old password"
