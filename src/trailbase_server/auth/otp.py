"""
Logging in with a code from a mail: ``/otp/request`` and ``/otp/login``.

A code is short, so it is good for one log-in within five minutes, and guesses are counted: by what
was typed, which answers 429, and by account, which looks like a wrong code.
"""

from trailbase_server.auth.fields import Fields, merged, read_body, read_query
from trailbase_server.auth.identifiers import (
    Identifier,
    parse_email,
    parse_email_or_username,
    parse_username,
)
from trailbase_server.auth.letters import send_letter
from trailbase_server.auth.limits import identifier_key
from trailbase_server.auth.login_mfa import finish_login
from trailbase_server.auth.one_time_codes import insert_otp, new_otp, stored_otp, take_otp
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.auth.replies import fail_on_page
from trailbase_server.auth.sign_in import merge_login_params
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_by_username, find_identified, find_user
from trailbase_server.errors import AppError, BadRequestError, NotFoundError, UnauthorizedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect, text


async def request_otp(state: AuthState, request: Request) -> Response:
    """
    Mail a code, if there is such an account with a confirmed address and no second factor.

    The answer says nothing about that, nor does the time it takes.

    Raises:
        NotFoundError: The feature is off.
        BadRequestError: Identifier or target are malformed.
        TooManyRequestsError: Too soon after the last time.

    Spec:
        auth/e-mail-otp-sign-in
    """
    _check_enabled(state)
    query, body = read_query(request), read_body(request)
    identifier = _read_identifier(body)
    target = state.check_redirect(merged("redirect_uri", query, body))
    state.limits.otp_request.demand(identifier_key(identifier.text))
    await state.background.run(_send(state, identifier, target))
    notice = "If there is such an account, a code is on its way"
    if target is None:
        return text(notice)
    named = {"email" if identifier.is_email else "username": identifier.text}
    return redirect(render_location(add_parameters(target, **named, alert=notice)))


def _check_enabled(state: AuthState) -> None:
    if not state.options.enable_otp:
        raise NotFoundError


def _read_identifier(body: Fields) -> Identifier:
    name, value = body.first("email_or_username", "email", "username")
    if name == "email":
        return Identifier(parse_email(value), is_email=True)
    if name == "username":
        return Identifier(parse_username(value), is_email=False)
    return parse_email_or_username(value)


async def _send(state: AuthState, identifier: Identifier, target: str | None) -> None:
    user = await find_identified(state.database, identifier.text, is_email=identifier.is_email)
    # With a second factor a mail alone must not do.
    if user is None or user.email is None or user.totp_secret is not None:
        return
    if not state.limits.otp_request.take(user.id):
        return
    code = new_otp()
    stored = stored_otp(state.keys, user.email, code)
    now_s = state.clock.now_s()
    await state.session_database.write(insert_otp, user.id, user.email, stored, now_s)
    await send_letter(state, "otp", user.email, {"code": code, "redirect_uri": target})


async def login_with_otp(state: AuthState, request: Request) -> Response:
    """
    Log somebody in with the code of a mail.

    Raises:
        NotFoundError: The feature is off, or the account has just been deleted.
        BadRequestError: A field is missing or malformed.
        UnauthorizedError: The code is wrong, expired or used.
        TooManyRequestsError: Too many attempts.

    Spec:
        auth/e-mail-otp-sign-in
    """
    _check_enabled(state)
    query, body = read_query(request), read_body(request)
    params = merge_login_params(state, query, body)
    error_target = state.check_redirect(merged("err_redirect_uri", query, body))
    code = merged("code", query, body)
    if code is None:
        raise BadRequestError("missing field `code`")
    identifier = _read_login_identifier(query, body)
    try:
        user = await _check(state, identifier, code.strip())
    except AppError as exc:
        return fail_on_page(exc, body, error_target)
    return await finish_login(state, user, params, is_form=body.is_form)


def _read_login_identifier(query: Fields, body: Fields) -> Identifier:
    email, username = merged("email", query, body), merged("username", query, body)
    if email is not None:
        return Identifier(parse_email(email), is_email=True)
    if username is not None:
        return Identifier(parse_username(username), is_email=False)
    raise BadRequestError("missing field: one of email, username")


async def _check(state: AuthState, identifier: Identifier, code: str) -> User:
    state.limits.otp_login.demand(identifier_key(identifier.text))
    address: str | None = identifier.text
    if not identifier.is_email:
        named = await find_by_username(state.database, identifier.text)
        address = named.email if named is not None else None
    if address is None or not state.limits.otp_guesses.take(identifier_key(address)):
        raise UnauthorizedError(detail="no such account, or too many wrong codes")
    stored, now_s = stored_otp(state.keys, address, code), state.clock.now_s()
    user_id = await state.session_database.write(take_otp, address, code, stored, now_s)
    if user_id is None:
        raise UnauthorizedError(detail="wrong code")
    user = await find_user(state.database, user_id)
    if user is None:
        raise NotFoundError
    if user.email is None or user.email.lower() != address.lower():
        raise UnauthorizedError(detail="the account has another address by now")
    state.limits.otp_guesses.forget(identifier_key(address))
    return user
