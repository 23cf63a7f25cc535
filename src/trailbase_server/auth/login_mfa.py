"""
The second half of a log-in: ``POST /login_mfa``, and the token that the first half hands out.

.. code-block:: text

    password right ──> pending token (120 s) ──> code right ──> session
                            │ 5 wrong codes
                            └──> void

The code comes from an authenticator app, or is a recovery code. Each is good once. Guesses are
counted by pending token and by account.
"""

from http import HTTPStatus

from trailbase_server.auth.factors import (
    stored_recovery_code,
    use_recovery_code,
    use_step,
)
from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.auth.replies import fail_on_page
from trailbase_server.auth.sign_in import LoginParams, answer_login, merge_login_params
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import TokenKind, mint_flow_token, read_flow_token, subject_of
from trailbase_server.auth.totp import matching_step
from trailbase_server.auth.users import User, find_user
from trailbase_server.crypto import digest, random_text
from trailbase_server.errors import (
    AppError,
    BadRequestError,
    DependencyError,
    TooManyRequestsError,
    UnauthorizedError,
)
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value, redirect

PENDING_LOGIN_TTL_S = 120  # time to find the device
JTI_LENGTH = 16  # characters


async def finish_login(
    state: AuthState, user: User, params: LoginParams, *, is_form: bool
) -> Response:
    """
    End the first half of a log-in: with a session, or by asking for a second factor.

    Args:
        state: Of this package.
        user: Who has proven who they are.
        params: What is wanted.
        is_form: A browser: it gets cookies and is sent on.

    Raises:
        BadRequestError: A form without a page for the second factor.
    """
    if user.totp_secret is not None:
        return _ask_second_factor(state, user, params, is_form=is_form)
    return await answer_login(state, user, params, is_form=is_form)


def _ask_second_factor(
    state: AuthState, user: User, params: LoginParams, *, is_form: bool
) -> Response:
    token = mint_flow_token(
        state.keys,
        TokenKind.PENDING_LOGIN,
        # The random id tells log-ins of the same second apart: each has its own guesses.
        {"sub": encode_b64u(user.id), "method": "pw", "jti": random_text(JTI_LENGTH)},
        state.clock.now_s() + PENDING_LOGIN_TTL_S,
    )
    if not is_form:
        return json_value({"mfa_token": token}, HTTPStatus.FORBIDDEN)
    if params.mfa_redirect_uri is None:
        raise BadRequestError("missing 'mfa_redirect_uri'")
    carried = {"mfa_token": token}
    if params.code_challenge is not None and params.redirect_uri is not None:
        # The page of the second factor ends what this one has begun (spec auth, F3).
        carried["redirect_uri"] = params.redirect_uri
        carried["response_type"] = params.response_type
        carried["pkce_code_challenge"] = params.code_challenge
    return redirect(render_location(add_parameters(params.mfa_redirect_uri, **carried)))


async def login_with_second_factor(state: AuthState, request: Request) -> Response:
    """
    End a half-finished log-in with a code.

    Raises:
        BadRequestError: A field is missing, or parameters are malformed.
        UnauthorizedError: Token or code are wrong, expired or used.
        DependencyError: The account has no second factor any more.
        TooManyRequestsError: Too many wrong codes.

    Spec:
        auth/post-login-mfa
    """
    query, body = read_query(request), read_body(request)
    token, code = body.required("mfa_token"), body.text("totp")
    if code is None:
        raise BadRequestError("TOTP missing")
    params = merge_login_params(state, query, body)
    error_target = state.check_redirect(merged("err_redirect_uri", query, body))
    try:
        user = await _check(state, token, code)
    except AppError as exc:
        return fail_on_page(exc, body, error_target)
    return await answer_login(state, user, params, is_form=body.is_form)


async def _check(state: AuthState, token: str, code: str) -> User:
    claims = read_flow_token(state.keys, TokenKind.PENDING_LOGIN, token, state.clock.now())
    user_id = subject_of(claims)
    if user_id is None:
        raise UnauthorizedError(detail="not a pending log-in")
    user = await find_user(state.database, user_id)
    if user is None or user.unverified_email is not None:
        raise UnauthorizedError(detail="the account is gone or unconfirmed")
    if user.totp_secret is None:
        raise DependencyError(detail="no second factor any more")
    key = digest(token)
    state.limits.pending.demand(key)
    await check_second_factor(state, user, code)
    state.limits.pending.exhaust(key)  # it is good for one log-in
    return user


async def check_second_factor(state: AuthState, user: User, code: str) -> None:
    """
    Check and use up a code of a user whose second factor is on.

    Args:
        state: Of this package.
        user: Has a secret.
        code: Of the authenticator app, or a recovery code.

    Raises:
        UnauthorizedError: It is wrong, or used.
        TooManyRequestsError: Too many wrong ones lately.
    """
    try:
        state.limits.second_factor.demand(user.id)
    except TooManyRequestsError:
        state.events.count("second_factor_locked")
        raise
    if not await _use(state, user, code):
        state.events.count("second_factor_wrong")
        raise UnauthorizedError(detail="wrong code")
    state.limits.second_factor.forget(user.id)


async def _use(state: AuthState, user: User, code: str) -> bool:
    database = state.session_database
    recovery = stored_recovery_code(state.keys, user.id, code)
    if recovery is not None:
        return await database.write(use_recovery_code, user.id, recovery)
    step = matching_step(user.totp_secret or "", code, state.clock.now_s())
    return step is not None and await database.write(use_step, user.id, step)
