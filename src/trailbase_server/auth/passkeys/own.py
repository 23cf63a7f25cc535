"""
``/passkeys``: the caller's keys: seen, named, removed.

A key is known by the number of its row; what a device calls it and its public half are not shown.
The last key of an account that has no other way in stays.
"""

from typing import Any

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import Fields, read_body
from trailbase_server.auth.passkeys.enrol import read_name
from trailbase_server.auth.passkeys.fresh import check_fresh
from trailbase_server.auth.passkeys.relying_party import relying_party
from trailbase_server.auth.passkeys.store import (
    Passkey,
    delete_passkey,
    list_passkeys,
    rename_passkey,
)
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user
from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, json_value

MAX_DIGITS = 18  # of a number that fits the database


async def list_own_passkeys(state: AuthState, request: Request) -> Response:
    """
    List the caller's passkeys, the oldest first.

    Raises:
        NotFoundError: The feature is off.

    Spec:
        auth/missing-features-users-compare
    """
    relying_party(state)
    held = await list_passkeys(state.session_database, caller_of(request).user_id)
    return json_value({"passkeys": [_shown(passkey) for passkey in held]})


def _shown(passkey: Passkey) -> dict[str, Any]:
    return {
        "id": passkey.number,
        "name": passkey.name,
        "created": passkey.created,
        "last_used": passkey.last_used,
        "backup_eligible": passkey.backup_eligible,
        "backed_up": passkey.backed_up,
        "transports": passkey.transports,
    }


async def rename_own_passkey(state: AuthState, request: Request) -> Response:
    """
    Give a passkey of the caller another name.

    Raises:
        BadRequestError: Cookies alone, from a foreign page, or a name that does not do.
        NotFoundError: The feature is off, or the caller has no such passkey.

    Spec:
        auth/missing-features-users-compare
    """
    relying_party(state)
    identity, body = caller_of(request), read_body(request)
    check_intent(state, request, identity, body.text("csrf_token"))
    name = read_name(body)
    if name is None:
        raise BadRequestError("missing field `name`")
    number = _number(request)
    if not await state.session_database.write(rename_passkey, identity.user_id, number, name):
        raise NotFoundError
    return empty()


async def remove_own_passkey(state: AuthState, request: Request) -> Response:
    """
    Remove a passkey of the caller; sessions that began with it go on.

    Raises:
        BadRequestError: Cookies alone, from a foreign page; a wrong password; the only way in.
        ForbiddenError: The log-in was long ago.
        TooManyRequestsError: Too many wrong passwords.
        NotFoundError: The feature is off, or the caller has no such passkey.

    Spec:
        auth/missing-features-users-compare
    """
    relying_party(state)
    identity = caller_of(request)
    body = read_body(request) if request.body else Fields({})
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    number = _number(request)
    user = await find_user(state.database, identity.user_id)
    if user is None:
        raise NotFoundError
    await check_fresh(state, request, user, body)
    keeps_one = user.password_hash is None and not user.provider_id
    removed = await state.session_database.write(delete_passkey, user.id, number, keeps_one)
    if removed == "missing":
        raise NotFoundError
    if removed == "last":
        raise BadRequestError("this passkey is the only way into the account")
    return empty()


def _number(request: Request) -> int:
    text = request.params["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise NotFoundError
    return int(text)
