"""
Check somebody's password: for logging in, and for changing it.

Whoever has no account, no password or an unconfirmed address is answered like somebody with a wrong
password, after the same work, and is locked out after as many attempts.
"""

from msgspec.structs import replace

from trailbase_server.auth.limits import identifier_key
from trailbase_server.auth.password import needs_rehash
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, set_password_hash
from trailbase_server.errors import TooManyRequestsError, UnauthorizedError


async def check_credentials(
    state: AuthState, user: User | None, password: str, typed: str = ""
) -> User:
    """
    Compare a password with a user's.

    Args:
        state: Of this package.
        user: Who it should belong to; None if there is no such account.
        password: As typed.
        typed: The name or address that was typed; counts where there is no account.

    Returns:
        The user; with a new hash if the stored one was imported or made with old parameters.

    Raises:
        UnauthorizedError: Wrong, whatever the reason.
        TooManyRequestsError: Too many wrong ones lately.
        InternalError: The stored hash is unusable.
        UnavailableError: Too many are being checked.

    Spec:
        auth/post-login
        auth/per-identifier-in-memory-per-process-lost-on-restart
    """
    try:
        return await _check(state, user, password, typed)
    except UnauthorizedError:
        state.events.count("password_wrong")
        raise
    except TooManyRequestsError:
        state.events.count("password_locked")
        raise


async def _check(state: AuthState, user: User | None, password: str, typed: str) -> User:
    if user is None or user.password_hash is None or user.unverified_email is not None:
        # A lock of its own table: a flood of names that nobody has must not push out those of
        # accounts. Ours: the reference never locks them, which tells which accounts there are.
        async with state.stranger_lockout.attempt(user.id if user else identifier_key(typed)):
            await state.passwords.verify(None, password)
            raise UnauthorizedError(detail="no such account, no password, or unconfirmed")
    async with state.lockout.attempt(user.id) as attempt:
        if not await state.passwords.verify(user.password_hash, password):
            raise UnauthorizedError(detail="wrong password")
        attempt.succeeded = True
    if needs_rehash(user.password_hash):
        return await _rehash(state, user, user.password_hash, password)
    return user


async def _rehash(state: AuthState, user: User, old_hash: str, password: str) -> User:
    new_hash = await state.passwords.hash(password)
    if await state.database.write(set_password_hash, user.id, new_hash, old_hash):
        return replace(user, password_hash=new_hash)
    return user
