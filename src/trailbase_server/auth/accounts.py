"""
What the command line does with accounts: the same write jobs, without a request.

An operator names a user by e-mail address, id or name. Whatever cannot be done is an
``OperatorError`` with one line. Where a command changes who may log in as a user, that user's
sessions end: the reference keeps them (spec auth, S5).
"""

from trailbase_server.auth.factors import delete_recovery_codes, forget_user
from trailbase_server.auth.identifiers import parse_email, parse_username
from trailbase_server.auth.imports import ImportedUser
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.sign_in import Session, open_session
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import (
    NewUser,
    User,
    delete_user,
    find_by_email,
    find_by_username,
    find_user,
    insert_users,
    set_admin,
    set_email,
    set_password_hash,
    set_totp_secret,
    set_username,
    set_verified,
)
from trailbase_server.db.errors import ConstraintError, DatabaseError
from trailbase_server.errors import AppError, BadRequestError, ConflictError, OperatorError
from trailbase_server.ids import (
    UUID_BYTES,
    UUID_TEXT_LENGTH,
    UserId,
    decode_b64u,
    new_uuid4,
    parse_uuid_text,
)

B64_ID_LENGTH = 24  # characters: 16 bytes with padding
MINT_TTL_S = 12 * 3600  # of tokens minted for scripts


async def find_account(state: AuthState, reference: str) -> User:
    """
    Look up who an operator means.

    Args:
        state: Of this package.
        reference: A verified address, an id (UUID or padded URL-safe base64), or a name.

    Raises:
        OperatorError: There is nobody like that, or the address is malformed.

    Spec:
        auth/user-references
    """
    text = reference.strip()
    user_id = _parse_id(text)
    if "@" in text:
        user = await find_by_email(state.database, _checked_email(text))
    elif user_id is not None:
        user = await find_user(state.database, user_id)
    else:
        user = await find_by_username(state.database, text)
    if user is None:
        raise OperatorError(f"NotFound: there is no user '{text}'")
    return user


def _parse_id(text: str) -> UserId | None:
    if len(text) == UUID_TEXT_LENGTH:
        data = parse_uuid_text(text)
    elif len(text) == B64_ID_LENGTH:
        data = decode_b64u(text)
    else:
        return None
    return UserId(data) if data is not None and len(data) == UUID_BYTES else None


async def add_user(state: AuthState, email: str, password: str) -> UserId:
    """
    Add a user with a verified address.

    Args:
        state: Of this package.
        email: Checked; must be free.
        password: Must not be empty; no other rule applies to operators.

    Raises:
        OperatorError: The address is malformed or taken, or the password empty.
    """
    address = _checked_email(email)
    user_id = UserId(new_uuid4())
    password_hash = await _hash(state, password)
    await _insert(state, [(user_id, address, None, password_hash)])
    return user_id


async def add_administrator(state: AuthState, email: str, password: str) -> UserId:
    """
    Add an administrator with a verified address.

    Raises:
        OperatorError: See ``add_user``.
    """
    user_id = await add_user(state, email, password)
    await state.database.write(set_admin, user_id, True)
    return user_id


async def change_password(state: AuthState, user: User, password: str) -> None:
    """
    Set a password, end the user's sessions, lift a lock.

    Raises:
        OperatorError: The password is empty, or somebody else has just changed it.
    """
    password_hash = await _hash(state, password)
    if not await state.database.write(
        set_password_hash, user.id, password_hash, user.password_hash
    ):
        raise OperatorError("the user has been changed or deleted meanwhile")
    await end_sessions(state, user)
    state.lockout.forget(user.id)


async def change_email(state: AuthState, user: User, email: str) -> None:
    """
    Set a verified address and end the user's sessions.

    Raises:
        OperatorError: It is malformed or taken.
    """
    address = _checked_email(email)
    try:
        await state.database.write(set_email, user.id, address)
    except ConstraintError as exc:
        raise OperatorError(f"'{address}' is taken") from exc
    await end_sessions(state, user)


async def change_username(state: AuthState, user: User, username: str) -> None:
    """
    Set a name.

    Raises:
        OperatorError: It is malformed or taken.
    """
    try:
        name = parse_username(username)
        await state.database.write(set_username, user.id, name)
    except ConstraintError as exc:
        raise OperatorError(f"'{username.strip()}' is taken") from exc
    except BadRequestError as exc:
        raise OperatorError(exc.public) from exc


async def disable_second_factor(state: AuthState, user: User) -> None:
    """
    Switch the second factor of somebody off who has lost it, and end their sessions.

    Raises:
        OperatorError: It is not on, or has just been changed.
    """
    if user.totp_secret is None or not await state.database.write(
        set_totp_secret, user.id, None, user.totp_secret
    ):
        raise OperatorError("the user has no second factor")
    await state.session_database.write(delete_recovery_codes, user.id)
    await end_sessions(state, user)


async def remove_user(state: AuthState, user: User) -> None:
    """
    Delete an account, its sessions and its factors.

    Raises:
        OperatorError: Rows of other tables refer to it.
    """
    try:
        await state.database.write(delete_user, user.id)
    except ConstraintError as exc:
        raise OperatorError(f"rows of other tables refer to this user: {exc.detail}") from exc
    await end_sessions(state, user)
    await state.session_database.write(forget_user, user.id)


async def verify_user(state: AuthState, user: User, *, verified: bool) -> None:
    """
    Confirm a user's address, or take that back and end the sessions.

    Raises:
        OperatorError: The address belongs to somebody else by now.
    """
    try:
        await state.database.write(set_verified, user.id, verified)
    except ConstraintError as exc:
        raise OperatorError(f"'{user.unverified_email}' is taken") from exc
    if not verified:
        await end_sessions(state, user)


async def set_administrator(state: AuthState, user: User, *, admin: bool) -> None:
    """Make a user an administrator, or an ordinary user whose sessions end."""
    await state.database.write(set_admin, user.id, admin)
    if not admin:
        await end_sessions(state, user)


async def end_sessions(state: AuthState, user: User) -> None:
    """End all sessions of a user; auth tokens go on until they expire."""
    await state.session_database.write(delete_sessions, user.id)
    state.verified.forget(user.id)


async def mint_tokens(state: AuthState, user: User) -> Session:
    """
    Open a session of twelve hours.

    Raises:
        OperatorError: The user's address is not confirmed.
    """
    if user.unverified_email is not None:
        raise OperatorError("the user's address is not confirmed")
    return await open_session(state, user, refresh_ttl_s=MINT_TTL_S, auth_ttl_s=MINT_TTL_S)


async def import_users(state: AuthState, users: list[ImportedUser]) -> None:
    """
    Add many users, or none of them.

    Raises:
        OperatorError: An address is taken; the message names it.
    """
    rows = [
        (
            UserId(new_uuid4()),
            user.email if user.is_verified else None,
            None if user.is_verified else user.email,
            user.password_hash,
        )
        for user in users
    ]
    await _insert(state, rows)


async def _insert(state: AuthState, rows: list[NewUser]) -> None:
    try:
        await state.database.write(insert_users, rows)
    except ConflictError as exc:
        raise OperatorError(exc.public) from exc
    except DatabaseError as exc:
        raise OperatorError(f"Failed to insert: {exc.detail or exc.public}") from exc


async def _hash(state: AuthState, password: str) -> str:
    if not password:
        raise OperatorError("the password is empty")
    return await state.passwords.hash(password)


def _checked_email(text: str) -> str:
    try:
        return parse_email(text)
    except AppError as exc:
        raise OperatorError(f"{exc.public}: '{text}'") from exc
