"""
Write jobs about addresses: confirming one, changing it, giving it up.

An address belongs to the account that confirms it. Other accounts that merely wait for the same one
lose their claim, and the password that came with it: whoever chose it has never shown that the
mailbox is theirs. What is left of such an account is an anonymous one.
"""

from typing import Literal, cast

from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.ids import UserId

Outcome = Literal["done", "already", "stale"]
"""What became of a change: made now, made earlier, or based on what is not so any more."""


def confirm_address(tx: Transaction, user_id: UserId, email: str) -> Outcome:
    """
    Write job: make the address that an account waits for its own.

    Raises:
        ConstraintError: Another account has confirmed it before.

    Spec:
        auth/get-verify-email-confirm-token
    """
    rows = tx.read(
        "SELECT unverified_email = ?2, email = ?2 FROM _user WHERE id = ?1", (user_id, email)
    )
    if not rows:
        return "stale"
    is_waiting, is_confirmed = rows[0]
    if is_waiting:
        _assign(tx, user_id, email)
        return "done"
    return "already" if is_confirmed else "stale"


def change_address(tx: Transaction, user_id: UserId, old: str, new: str) -> Outcome:
    """
    Write job: replace an account's address by a confirmed one.

    Args:
        user_id: Whose.
        old: The address it had when the change was asked for; empty for none.
        new: The new one.

    Raises:
        ConstraintError: Another account has confirmed the new one before.

    Spec:
        auth/get-change-email-confirm-token
    """
    rows = tx.read(
        "SELECT email = ?2, coalesce(email, '') = ?3 COLLATE NOCASE, email IS ?4 COLLATE BINARY "
        "FROM _user WHERE id = ?1",
        (user_id, new, old, new),
    )
    if not rows:
        return "stale"
    is_new, is_old, is_same_spelling = rows[0]
    if is_old and not is_same_spelling:
        _assign(tx, user_id, new)
        return "done"
    return "already" if is_new else "stale"


@single_statement
def drop_address(tx: Transaction, user_id: UserId) -> bool:
    """Write job: leave an account without address; False if it has no other name or is gone."""
    return bool(
        tx.run(
            "UPDATE _user SET email = NULL, unverified_email = NULL "
            "WHERE id = ?1 AND username IS NOT NULL",
            (user_id,),
        )
    )


async def find_waiting(database: Database, email: str) -> UserId | None:
    """The newest account that waits for an address, unless somebody has confirmed it already."""
    rows = await database.query(
        "SELECT id FROM _user WHERE unverified_email = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM _user WHERE email = ?1) "
        "ORDER BY created DESC, rowid DESC LIMIT 1",
        (email,),
    )
    return UserId(cast(bytes, rows[0][0])) if rows else None


def _assign(tx: Transaction, user_id: UserId, email: str) -> None:
    tx.run("UPDATE _user SET email = ?2, unverified_email = NULL WHERE id = ?1", (user_id, email))
    drop_claims(tx, user_id, email)


def drop_claims(tx: Transaction, user_id: UserId, email: str) -> None:
    """Part of write jobs: the address is a user's now, so nobody else can wait for it."""
    tx.run(
        "UPDATE _user SET unverified_email = NULL, password_hash = NULL "
        "WHERE unverified_email = ?2 AND id <> ?1 AND provider_id = 0 AND NOT admin",
        (user_id, email),
    )
