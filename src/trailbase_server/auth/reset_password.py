"""
A forgotten password: ``/reset_password/request`` mails a token, ``/reset_password/update`` takes it
with a new password.

The token marks the password it replaces, so it is good once, and void as soon as the password has
changed in any other way. All sessions end; a second factor stays.
"""

from trailbase_server.auth.fields import Fields, merged, read_body, read_query
from trailbase_server.auth.identifiers import Identifier, parse_email, parse_username
from trailbase_server.auth.letters import password_mark, send_reset
from trailbase_server.auth.limits import identifier_key
from trailbase_server.auth.password import check_password
from trailbase_server.auth.replies import fail_on_page, notify
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import TokenKind, read_flow_token
from trailbase_server.auth.users import find_by_email, find_identified, set_password_hash
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import AppError, BadRequestError, UnauthorizedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


async def request_reset(state: AuthState, request: Request) -> Response:
    """
    Mail a reset token, if there is such an account with a confirmed address.

    The answer says nothing about that, nor does the time it takes.

    Raises:
        BadRequestError: Target or identifier are malformed.
        TooManyRequestsError: Too soon after the last time.

    Spec:
        auth/password-reset
    """
    query, body = read_query(request), read_body(request)
    target = state.check_redirect(merged("redirect_uri", query, body))
    identifier = _read_identifier(body)
    state.limits.reset.demand(identifier_key(identifier.text))
    await state.background.run(_send(state, identifier))
    return notify("If there is such an account, a mail is on its way", target)


def _read_identifier(body: Fields) -> Identifier:
    name, value = body.first("email", "username")
    if name == "email":
        return Identifier(parse_email(value), is_email=True)
    return Identifier(parse_username(value), is_email=False)


async def _send(state: AuthState, identifier: Identifier) -> None:
    user = await find_identified(state.database, identifier.text, is_email=identifier.is_email)
    if user is not None and user.email is not None and state.limits.reset.take(user.id):
        await send_reset(state, user, user.email)


async def update_password(state: AuthState, request: Request) -> Response:
    """
    Set a new password with a token, end all sessions and lift a lock.

    Raises:
        BadRequestError: Target, password or token do not do.
        UnauthorizedError: The token is used, or its account is gone.

    Spec:
        auth/password-reset
    """
    query, body = read_query(request), read_body(request)
    password, repeated = body.required("password"), body.required("password_repeat")
    _, token = body.first("password_reset_token", "password_reset_code")
    target = state.check_redirect(merged("redirect_uri", query, body))
    error_target = state.check_redirect(merged("err_redirect_uri", query, body))
    try:
        check_password(state.options.password_rules, password, repeated)
        await _update(state, token, password)
    except AppError as exc:
        return fail_on_page(exc, body, error_target)
    return notify("password updated", target)


async def _update(state: AuthState, token: str, password: str) -> None:
    claims = read_flow_token(state.keys, TokenKind.RESET_PASSWORD, token, state.clock.now())
    if claims is None:
        raise BadRequestError("Invalid token")
    user = await find_by_email(state.database, claims["sub"])
    if user is None or not is_same_secret(claims["pwd"], password_mark(state.keys, user)):
        raise UnauthorizedError(detail="the token is used, or its account is gone")
    new_hash = await state.passwords.hash(password)
    if not await state.database.write(set_password_hash, user.id, new_hash, user.password_hash):
        raise UnauthorizedError(detail="the token is used")
    await state.session_database.write(delete_sessions, user.id)
    state.verified.forget(user.id)
    state.lockout.forget(user.id)
