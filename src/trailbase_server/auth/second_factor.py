"""
Switching the second factor on and off: ``/totp/register``, ``/totp/confirm``, ``/totp/unregister``.

The offered secret is not stored: it lives in the URL that the client sends back with the first
code. Both switches end the other sessions of the account.
"""

import asyncio
from base64 import b64encode
from io import BytesIO

from trailbase_server.auth.authenticate import caller_of, refresh_token_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.factors import delete_recovery_codes, stored_recovery_code, use_step
from trailbase_server.auth.fields import read_body, read_query
from trailbase_server.auth.login_mfa import check_second_factor
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.totp import matching_step, new_secret, parse_url, render_url
from trailbase_server.auth.users import User, find_user, set_totp_secret
from trailbase_server.errors import BadRequestError, NotFoundError, UnauthorizedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value, text

QR_SCALE = 5  # pixels per module: some 300 pixels in all
_FLAGS = {None: False, "false": False, "true": True}


async def register_totp(state: AuthState, request: Request) -> Response:
    """
    Offer a secret. Nothing is stored.

    Raises:
        BadRequestError: A malformed parameter, or an account without a usable name.

    Spec:
        auth/totp-second-factor
    """
    identity = caller_of(request)
    flag = read_query(request).text("png")
    if flag not in _FLAGS:
        raise BadRequestError("png: expected true or false")
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    account = identity.email or identity.username
    if not account or ":" in account:
        raise BadRequestError("a second factor needs an account with a name")
    url = render_url(state.application_name, account, new_secret())
    # Drawing takes some milliseconds that the event loop has not got.
    png = await asyncio.to_thread(_draw, url) if _FLAGS[flag] else None
    return json_value({"totp_url": url, "png": png})


async def confirm_totp(state: AuthState, request: Request) -> Response:
    """
    Switch the second factor on. An account that has another one keeps it: it is switched off
    first, which takes a code of it.

    Raises:
        BadRequestError: The URL is not like ours, the code is wrong, or there is a factor already.
        NotFoundError: The account is gone.

    Spec:
        auth/totp-second-factor
    """
    identity = caller_of(request)
    body = read_body(request)
    url, code = body.required("totp_url"), body.required("totp")
    check_intent(state, request, identity, body.text("csrf_token"))
    secret = parse_url(url)
    if secret is None:
        raise BadRequestError("Invalid totp_url")
    step = matching_step(secret, code, state.clock.now_s())
    if step is None:
        raise BadRequestError("Invalid TOTP code")
    user = await _find(state, request)
    if user.totp_secret != secret:
        if not await state.database.write(set_totp_secret, user.id, secret, None):
            raise BadRequestError("there is a second factor already: switch it off first")
        await state.session_database.write(use_step, user.id, step)
        await state.session_database.write(delete_sessions, user.id, refresh_token_of(request))
    return text("TOTP confirmed")


async def unregister_totp(state: AuthState, request: Request) -> Response:
    """
    Switch the second factor off; recovery codes are void.

    Raises:
        BadRequestError: It is not on.
        UnauthorizedError: The code is wrong.
        TooManyRequestsError: Too many wrong ones lately.
        NotFoundError: The account is gone.

    Spec:
        auth/totp-second-factor
    """
    identity = caller_of(request)
    body = read_body(request)
    code = body.required("totp")
    check_intent(state, request, identity, body.text("csrf_token"))
    user = await _find(state, request)
    if user.totp_secret is None:
        raise BadRequestError("there is no second factor")
    await _check_again(state, user, code)
    await state.database.write(set_totp_secret, user.id, None, user.totp_secret)
    await state.session_database.write(delete_recovery_codes, user.id)
    await state.session_database.write(delete_sessions, user.id, refresh_token_of(request))
    return text("TOTP unregistered")


async def _check_again(state: AuthState, user: User, code: str) -> None:
    """Like ``check_second_factor``, but the code that has just logged its user in will do."""
    if stored_recovery_code(state.keys, user.id, code) is not None:
        await check_second_factor(state, user, code)
        return
    state.limits.second_factor.demand(user.id)
    if matching_step(user.totp_secret or "", code, state.clock.now_s()) is None:
        raise UnauthorizedError(detail="wrong code")
    state.limits.second_factor.forget(user.id)


async def _find(state: AuthState, request: Request) -> User:
    user = await find_user(state.database, caller_of(request).user_id)
    if user is None:
        raise NotFoundError
    return user


def _draw(url: str) -> str:
    import segno  # noqa: PLC0415  # imported when first needed: start-up time

    picture = BytesIO()
    segno.make(url, micro=False).save(picture, kind="png", scale=QR_SCALE)
    return b64encode(picture.getvalue()).decode("ascii")
