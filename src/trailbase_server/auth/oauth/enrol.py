"""
From a service's user to an account of ours: found by the service's id, else made.

Accounts are never linked by their address: whoever controls an address at some service would get
the account of its owner here. An address that is taken is a refusal.
"""

from typing import cast

from trailbase_server.auth.addresses import drop_claims
from trailbase_server.auth.identifiers import USERNAME_BYTES, parse_new_username
from trailbase_server.auth.oauth.provider import Profile
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_user
from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.db.base import Transaction, single_statement
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    DependencyError,
    UnauthorizedError,
)
from trailbase_server.ids import UserId, new_uuid4

TAIL_LENGTH = 6  # characters behind a name that is taken
TAILS = 5  # tries; one is nearly always enough
MADE_UP_NAME = "user"
_WITHOUT_NAME = (IdentifierPolicy.UNDEFINED, IdentifierPolicy.ONLY_EMAIL)
_EMAIL_OPTIONAL = (IdentifierPolicy.UNDEFINED, IdentifierPolicy.REQUIRE_USERNAME)
_FIND = "SELECT id, provider_avatar_url FROM _user WHERE provider_id = ?1 AND provider_user_id = ?2"


class AddressTakenError(BadRequestError):
    """The address belongs to an account that is not this service's."""


async def find_or_create(state: AuthState, provider_id: int, profile: Profile) -> User:
    """
    Find a service's user, or make an account for a new one. Only the picture is kept up to date.

    Args:
        state: Of this package.
        provider_id: Number of the service.
        profile: What it says.

    Raises:
        AddressTakenError: Somebody else has the address.
        ConflictError: So many have the name that nothing like it is left.
        DependencyError: New accounts need an address, and the service tells none.
        UnauthorizedError: The account's address is waiting for a confirmation.

    Spec:
        auth/creating-and-finding-users
    """
    rows = await state.database.query(_FIND, (provider_id, profile.subject))
    if rows:
        user_id = UserId(cast(bytes, rows[0][0]))
        if profile.avatar_url is not None and profile.avatar_url != rows[0][1]:
            await state.database.write(set_avatar_url, user_id, profile.avatar_url)
    else:
        policy = state.options.identifier_policy
        user_id = await state.database.write(
            find_or_insert,
            UserId(new_uuid4()),
            provider_id,
            profile.subject,
            address_for(policy, profile.email),
            names_for(policy, profile.username),
            profile.avatar_url,
        )
    user = await find_user(state.database, user_id)
    if user is None or user.unverified_email is not None:
        raise UnauthorizedError(detail="the account is gone or unconfirmed")
    return user


def address_for(policy: IdentifierPolicy, offered: str | None) -> str | None:
    """
    The address of a new account.

    Raises:
        DependencyError: It needs one, and none was offered.
    """
    if policy == IdentifierPolicy.ONLY_USERNAME:
        return None
    if offered is None and policy not in _EMAIL_OPTIONAL:
        raise DependencyError(detail="the service tells no address")
    return offered


def names_for(policy: IdentifierPolicy, offered: str | None) -> tuple[str, ...]:
    """
    The names to try for a new account, in this order; empty for an account without a name.

    A name that is not valid here is not taken over: where one is needed, it is made up.
    """
    if policy in _WITHOUT_NAME:
        return ()
    try:
        name = parse_new_username(offered or "")
    except BadRequestError:
        if policy == IdentifierPolicy.REQUIRE_EMAIL:
            return ()
        return tuple(MADE_UP_NAME + _tail() for _ in range(TAILS))
    room = USERNAME_BYTES.stop - 1 - TAIL_LENGTH
    stem = name.encode()[:room].decode(errors="ignore")
    return (name, *(stem + _tail() for _ in range(TAILS)))


def _tail() -> str:
    return random_text(TAIL_LENGTH, LOWER_ALPHANUMERIC)


def find_or_insert(
    tx: Transaction,
    user_id: UserId,
    provider_id: int,
    subject: str,
    email: str | None,
    names: tuple[str, ...],
    avatar_url: str | None,
) -> UserId:
    """
    Write job: find a service's user, who may have come in by another door meanwhile, or add one.

    Args:
        user_id: Of a new account.
        provider_id, subject: Who it is.
        email: Verified by the service.
        names: The first that is free is taken; none if there are none.
        avatar_url: Of the picture.

    Returns:
        The id of the account.

    Raises:
        AddressTakenError: Somebody else has the address.
        ConflictError: All names are taken.
    """
    rows = tx.read(_FIND, (provider_id, subject))
    if rows:
        return UserId(cast(bytes, rows[0][0]))
    if email is not None and tx.read("SELECT 1 FROM _user WHERE email = ?1", (email,)):
        raise AddressTakenError("the e-mail address belongs to another account")
    name = None
    if names:
        free = (
            name
            for name in names
            if not tx.read("SELECT 1 FROM _user WHERE username = ?1", (name,))
        )
        name = next(free, None)
        if name is None:
            raise ConflictError(detail="all names are taken")
    tx.run(
        "INSERT INTO _user "
        "(id, provider_id, provider_user_id, email, username, provider_avatar_url) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (user_id, provider_id, subject, email, name, avatar_url),
    )
    if email is not None:
        drop_claims(tx, user_id, email)
    return user_id


@single_statement
def set_avatar_url(tx: Transaction, user_id: UserId, avatar_url: str) -> None:
    """Write job: remember where the picture is now."""
    tx.run("UPDATE _user SET provider_avatar_url = ?2 WHERE id = ?1", (user_id, avatar_url))
