"""
What has to be tidied up now and then: expired rows, abandoned anonymous accounts, what is left of
deleted ones.

Rows are looked for with reads, which may be slow on a large table, and deleted by number in small
jobs, so that no log-in waits for it.
"""

import logging
from collections.abc import AsyncIterator
from typing import cast

import orjson

from trailbase_server.auth.factors import forget_user, list_users
from trailbase_server.auth.passkeys.store import has_passkey
from trailbase_server.auth.rotation import delete_old_rotations
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import delete_user, find_user
from trailbase_server.db.base import Transaction, single_statement
from trailbase_server.db.dialect import quote
from trailbase_server.db.errors import ConstraintError
from trailbase_server.ids import UserId

log = logging.getLogger(__name__)
GRACE_S = 60  # after the end of a row: clocks differ
BATCH = 500  # rows deleted by one job
EXPIRING = ("_session", "_authorization_code", "_otp_code")
_ABANDONED = (
    "password_hash IS NULL AND provider_id = 0 AND email IS NULL AND unverified_email IS NULL "
    "AND NOT admin AND created < ?2"
)
# Whatever has changed an account gives it time anew: another mail, an operator.
_UNCONFIRMED = (
    "unverified_email IS NOT NULL AND email IS NULL AND provider_id = 0 AND NOT admin "
    "AND max(created, updated) < ?2"
)


async def delete_expired(state: AuthState) -> int:
    """
    Delete sessions and codes that are over; returns how many.

    Spec:
        auth/background-jobs
    """
    database, before, total = state.session_database, state.clock.now_s() - GRACE_S, 0
    for table in EXPIRING:
        last = 0
        while True:
            rows = await database.query(
                f"SELECT id FROM {quote(table)} WHERE id > ?1 AND expires < ?2 "  # noqa: S608  # quoted
                "ORDER BY id LIMIT ?3",
                (last, before, BATCH),
            )
            if not rows:
                break
            numbers = [cast(int, row[0]) for row in rows]
            last = numbers[-1]
            total += await database.write(delete_rows, table, numbers, before)
    return total + await database.write(delete_old_rotations, before)


@single_statement
def delete_rows(tx: Transaction, table: str, numbers: list[int], before: int) -> int:
    """Write job: delete rows by number if they still are over; returns how many."""
    return tx.run(
        f"DELETE FROM {quote(table)} "  # noqa: S608  # quoted
        "WHERE id IN (SELECT value FROM json_each(?1)) AND expires < ?2",
        (orjson.dumps(numbers).decode(), before),
    )


async def delete_abandoned_anonymous(state: AuthState) -> int:
    """
    Delete anonymous accounts that nobody can enter any more; returns how many.

    Their sessions are over, and they have nothing else to log in with, not even a passkey. With
    eternal sessions none is deleted. Accounts that other rows refer to stay.

    Spec:
        auth/background-jobs
    """
    ttl_s = state.options.anonymous_refresh_ttl_s
    if ttl_s < 0:
        return 0
    # Without refreshing, an auth token is all they have.
    before = state.clock.now_s() - (ttl_s or state.options.auth_ttl_s + GRACE_S)
    total = 0
    async for user_id in _find_accounts(state, _ABANDONED, before):
        total += await _delete(state, user_id)
    return total


async def _delete(state: AuthState, user_id: UserId) -> bool:
    if await has_passkey(state.session_database, user_id):
        return False
    try:
        return await state.database.write(delete_user, user_id)
    except ConstraintError as exc:
        log.info("an abandoned anonymous account stays: %s", exc.detail)
        return False


async def delete_unconfirmed(state: AuthState) -> int:
    """
    Delete registrations whose address nobody has confirmed in time; returns how many.

    They hold names that others may want. Whoever has more than a password (an account elsewhere,
    a passkey), and accounts that other rows refer to, stay.

    Spec:
        auth/security-defects-do-not-reproduce
    """
    ttl_s = state.options.unconfirmed_ttl_s
    if ttl_s <= 0:
        return 0
    before, total = state.clock.now_s() - ttl_s, 0
    async for user_id in _find_accounts(state, _UNCONFIRMED, before):
        if not await has_passkey(state.session_database, user_id):
            total += await _delete_unconfirmed(state, user_id, before)
    return total


async def _find_accounts(state: AuthState, condition: str, before: int) -> AsyncIterator[UserId]:
    """Find accounts batch by batch; they may be deleted meanwhile."""
    last = 0
    while True:
        rows = await state.database.query(
            f"SELECT rowid, id FROM _user WHERE rowid > ?1 AND {condition} "  # noqa: S608  # constants
            "ORDER BY rowid LIMIT ?3",
            (last, before, BATCH),
        )
        if not rows:
            return
        last = cast(int, rows[-1][0])
        for _, user_id in rows:
            yield UserId(cast(bytes, user_id))


async def _delete_unconfirmed(state: AuthState, user_id: UserId, before: int) -> bool:
    try:
        return await state.database.write(delete_if_unconfirmed, user_id, before)
    except ConstraintError as exc:
        log.info("an unconfirmed account stays: %s", exc.detail)
        return False


@single_statement
def delete_if_unconfirmed(tx: Transaction, user_id: UserId, before: int) -> bool:
    """Write job: delete an account, unless it has been confirmed or changed meanwhile."""
    return bool(
        tx.run(
            f"DELETE FROM _user WHERE id = ?1 AND {_UNCONFIRMED}",  # noqa: S608  # constants
            (user_id, before),
        )
    )


async def forget_deleted(state: AuthState) -> int:
    """Delete what is kept about factors of accounts that are gone; returns of how many."""
    last, total = b"", 0
    while True:
        users = await list_users(state.session_database, last, BATCH)
        if not users:
            return total
        last = users[-1]
        for user_id in users:
            if await find_user(state.database, user_id) is None:
                await state.session_database.write(forget_user, user_id)
                total += 1
