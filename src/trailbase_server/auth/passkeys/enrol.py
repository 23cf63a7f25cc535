"""
Adding a passkey to one's account: ``/passkeys/register/begin`` and ``…/finish``.

.. code-block:: text

    begin   log-in is fresh ──> challenge, bound to the account (300 s)
    finish  challenge is ours, unused; signed by the new key ──> stored

Only ``begin`` asks for a fresh log-in: its challenge is good for nobody else and not for long.
"""

import asyncio
import logging
from typing import Any

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import Fields, read_body
from trailbase_server.auth.passkeys.challenge import TTL_S, mint_challenge, read_challenge
from trailbase_server.auth.passkeys.credential import parse_attestation
from trailbase_server.auth.passkeys.fresh import check_fresh
from trailbase_server.auth.passkeys.relying_party import RelyingParty, relying_party
from trailbase_server.auth.passkeys.store import (
    MAX_PASSKEYS,
    Passkey,
    insert_passkey,
    list_passkeys,
)
from trailbase_server.auth.passkeys.verify import ALGORITHMS, verify_attestation
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_user
from trailbase_server.errors import BadRequestError, ConflictError, NotFoundError
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

log = logging.getLogger(__name__)
MAX_NAME_LENGTH = 64  # characters: what fits a line of a page
DEFAULT_NAME = "Passkey"


async def begin_registration(state: AuthState, request: Request) -> Response:
    """
    Hand out what ``navigator.credentials.create`` needs, as JSON below ``publicKey``.

    Raises:
        NotFoundError: The feature is off, or the account is gone.
        BadRequestError: Cookies alone, from a foreign page; a wrong password; too many passkeys.
        ForbiddenError: The log-in was long ago.
        TooManyRequestsError: Too many wrong passwords.

    Spec:
        auth/missing-features-users-compare
    """
    party = relying_party(state)
    user, body = await _caller(state, request)
    await check_fresh(state, request, user, body)
    held = await list_passkeys(state.session_database, user.id)
    if len(held) >= MAX_PASSKEYS:
        raise BadRequestError("too many passkeys: remove one first")
    challenge = mint_challenge(state.keys, "register", state.clock.now_s(), user.id)
    return json_value({"publicKey": _creation_options(state, party, user, held, challenge)})


async def finish_registration(state: AuthState, request: Request) -> Response:
    """
    Store a new passkey.

    Raises:
        NotFoundError: The feature is off, or the account is gone.
        BadRequestError: Cookies alone, from a foreign page; a malformed or false credential; a
            challenge that is not ours, over or used; too many passkeys.
        ConflictError: The credential is known already.

    Spec:
        auth/missing-features-users-compare
    """
    party = relying_party(state)
    user, body = await _caller(state, request)
    attestation = parse_attestation(body.structure("credential"))
    name = read_name(body) or DEFAULT_NAME
    now_s = state.clock.now_s()
    challenge = read_challenge(
        state.keys, "register", attestation.client_data.challenge, now_s, user.id
    )
    if challenge is None:
        raise BadRequestError("the challenge is not valid (any more)")
    needs_user = state.options.passkeys.user_verification == "required"
    signed = await asyncio.to_thread(verify_attestation, party, attestation, needs_user=needs_user)
    passkey = Passkey(
        0,
        user.id,
        attestation.credential,
        signed.public_key,
        signed.sign_count,
        signed.backup_eligible,
        signed.backed_up,
        attestation.transports,
        name,
        now_s,
        None,
    )
    number = await state.session_database.write(insert_passkey, challenge, passkey)
    match number:
        case "replayed":
            raise BadRequestError("the challenge is not valid (any more)")
        case "full":
            raise BadRequestError("too many passkeys: remove one first")
        case "taken":
            raise ConflictError(detail="the credential is known already")
    log.info("a passkey was added to account %s", encode_b64u(user.id))
    return json_value({"id": number, "name": name})


def read_name(body: Fields) -> str | None:
    """
    The name for a passkey in a body; None for none.

    Raises:
        BadRequestError: It is empty, too long, or cannot be shown.
    """
    text = body.text("name")
    if text is None:
        return None
    name = text.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise BadRequestError(f"name: expected 1 to {MAX_NAME_LENGTH} printable characters")
    return name


async def _caller(state: AuthState, request: Request) -> tuple[User, Fields]:
    identity, body = caller_of(request), read_body(request)
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    user = await find_user(state.database, identity.user_id)
    if user is None:
        raise NotFoundError
    return user, body


def _creation_options(
    state: AuthState, party: RelyingParty, user: User, held: list[Passkey], challenge: bytes
) -> dict[str, Any]:
    shown = user.email or user.username or state.application_name
    return {
        "rp": {"id": party.id, "name": party.name},
        "user": {"id": _spelled(user.id), "name": shown, "displayName": user.username or shown},
        "challenge": _spelled(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "timeout": TTL_S * 1000,
        # A device that has a key of this account says so, instead of making a second one.
        "excludeCredentials": [
            {
                "type": "public-key",
                "id": _spelled(passkey.credential),
                "transports": passkey.transports,
            }
            for passkey in held
        ],
        "authenticatorSelection": {
            # Kept by the device under our domain: log-ins begin without a name.
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": state.options.passkeys.user_verification,
        },
        "attestation": "none",
    }


def _spelled(data: bytes) -> str:
    return encode_b64u(data).rstrip("=")
