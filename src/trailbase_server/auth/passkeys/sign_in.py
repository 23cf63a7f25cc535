"""
Logging in with a passkey: ``/passkeys/login/begin`` and ``…/finish``.

.. code-block:: text

    begin   anybody ──> challenge (300 s)
    finish  known credential, its signature, its owner ──> session

Nobody says who they are: the device does. So there is nothing to ask about accounts, and whatever
is wrong at the end is the same 401. A device that made sure of its user is two factors: what one
has, and what one knows or is. Otherwise a second factor is asked for, as after a password.

The lock after wrong passwords does not count here: a key cannot be guessed, and a stranger who
guesses passwords must not lock its owner out.
"""

import asyncio
import logging

from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.login_mfa import finish_login
from trailbase_server.auth.passkeys.challenge import TTL_S, mint_challenge, read_challenge
from trailbase_server.auth.passkeys.credential import Assertion, parse_assertion
from trailbase_server.auth.passkeys.relying_party import RelyingParty, relying_party
from trailbase_server.auth.passkeys.store import find_passkey, use_passkey
from trailbase_server.auth.passkeys.verify import FalseCredentialError, Signed, verify_assertion
from trailbase_server.auth.replies import fail_on_page, redirect_with_alert
from trailbase_server.auth.sign_in import answer_login, merge_login_params
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_user
from trailbase_server.errors import AppError, UnauthorizedError
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

log = logging.getLogger(__name__)
REFUSED = "passkey refused"  # for the page that a form comes from


async def begin_passkey_login(state: AuthState, request: Request) -> Response:  # noqa: ARG001  # a handler
    """
    Hand out what ``navigator.credentials.get`` needs, as JSON below ``publicKey``.

    Raises:
        NotFoundError: The feature is off.

    Spec:
        auth/missing-features-users-compare
    """
    party = relying_party(state)
    challenge = mint_challenge(state.keys, "login", state.clock.now_s())
    options = {
        "challenge": encode_b64u(challenge).rstrip("="),
        "timeout": TTL_S * 1000,
        "rpId": party.id,
        "allowCredentials": [],
        "userVerification": state.options.passkeys.user_verification,
    }
    return json_value({"publicKey": options})


async def login_with_passkey(state: AuthState, request: Request) -> Response:
    """
    Log the owner of a passkey in: with tokens, or cookies and a redirect, or a code.

    Raises:
        NotFoundError: The feature is off.
        BadRequestError: A malformed credential, or parameters that do not do.
        UnauthorizedError: It is unknown, false, used before, or its account is gone or unconfirmed.

    Spec:
        auth/missing-features-users-compare
    """
    party = relying_party(state)
    query, body = read_query(request), read_body(request)
    params = merge_login_params(state, query, body)
    error_target = state.check_redirect(merged("err_redirect_uri", query, body))
    try:
        assertion = parse_assertion(body.structure("credential"))
        user, signed = await _check(state, party, assertion)
    except UnauthorizedError:
        # Behind the bare status, the page would speak of a wrong password.
        if body.is_form and error_target is not None:
            return redirect_with_alert(error_target, REFUSED)
        raise
    except AppError as exc:
        return fail_on_page(exc, body, error_target)
    if signed.user_verified:
        return await answer_login(state, user, params, is_form=body.is_form)
    return await finish_login(state, user, params, is_form=body.is_form)


async def _check(
    state: AuthState, party: RelyingParty, assertion: Assertion
) -> tuple[User, Signed]:
    now_s = state.clock.now_s()
    challenge = read_challenge(state.keys, "login", assertion.client_data.challenge, now_s)
    if challenge is None:
        raise UnauthorizedError(detail="not a challenge of ours, or over")
    passkey = await find_passkey(state.session_database, assertion.credential)
    if passkey is None:
        raise UnauthorizedError(detail="unknown credential")
    if assertion.user_handle != passkey.user_id:
        raise UnauthorizedError(detail="the credential of somebody else")
    needs_user = state.options.passkeys.user_verification == "required"
    try:
        signed = await asyncio.to_thread(
            verify_assertion, party, assertion, passkey, needs_user=needs_user
        )
    except FalseCredentialError as exc:
        raise UnauthorizedError(detail=exc.detail) from exc
    used = await state.session_database.write(
        use_passkey, challenge, passkey.number, signed.sign_count, int(signed.backed_up), now_s
    )
    if used == "cloned":
        # Sent once by two devices: one of them is a copy, and nobody knows which one.
        log.warning(
            "passkey %d of account %s is refused: its count went from %d to %d; is it a copy?",
            passkey.number,
            encode_b64u(passkey.user_id),
            passkey.sign_count,
            signed.sign_count,
        )
    if used != "ok":
        raise UnauthorizedError(detail=used)
    user = await find_user(state.database, passkey.user_id)
    if user is None or user.unverified_email is not None:
        raise UnauthorizedError(detail="the account is gone or unconfirmed")
    return user, signed
