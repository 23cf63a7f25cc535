"""
Rows of ``own/accounts.db``: which one-time codes were used, and recovery codes.

They are ours alone and live in a file of their own, attached to ``session.db`` as ``accounts``: the
reference server rebuilds its tables from fixed lists of columns and would drop additions.

Recovery codes are kept as keyed digests: whoever reads the file cannot use them.
"""

from collections.abc import Sequence
from typing import cast

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.crypto import random_text
from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.ids import UserId, encode_b64u

RECOVERY_CODES = 10  # in a set
RECOVERY_LENGTH = 10  # characters of 31: 49 bits
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without look-alikes


def new_recovery_codes() -> list[str]:
    """Make a set of codes, written as ``xxxxx-xxxxx``."""
    half = RECOVERY_LENGTH // 2
    codes = (random_text(RECOVERY_LENGTH, RECOVERY_ALPHABET) for _ in range(RECOVERY_CODES))
    return [f"{code[:half]}-{code[half:]}" for code in codes]


def stored_recovery_code(keys: SigningKeys, user_id: UserId, code: str) -> str | None:
    """
    What is stored of a recovery code.

    Args:
        keys: Of the depot.
        user_id: Whose it is.
        code: As typed: blanks, hyphens and letter case do not matter.

    Returns:
        None for a text that cannot be one.
    """
    bare = "".join(code.split()).replace("-", "").lower()
    if len(bare) != RECOVERY_LENGTH or not set(bare) <= set(RECOVERY_ALPHABET):
        return None
    return encode_b64u(keys.derive(b"recovery code:" + user_id + bare.encode()))


@single_statement
def use_step(tx: Transaction, user_id: UserId, step: int) -> bool:
    """Write job: use up the code of a step; False if it, or a later one, is used up already."""
    rows = tx.read(
        "INSERT INTO accounts._totp_step (user, step) VALUES (?1, ?2) "
        "ON CONFLICT (user) DO UPDATE SET step = excluded.step WHERE excluded.step > step "
        "RETURNING 1",
        (user_id, step),
    )
    return bool(rows)


def replace_recovery_codes(
    tx: Transaction, user_id: UserId, codes: Sequence[str], created: int
) -> None:
    """Write job: store a new set of codes, as digests; the old ones are void."""
    tx.run("DELETE FROM accounts._recovery_code WHERE user = ?1", (user_id,))
    for code in codes:
        tx.run(
            "INSERT INTO accounts._recovery_code (user, code, created) VALUES (?1, ?2, ?3)",
            (user_id, code, created),
        )


@single_statement
def use_recovery_code(tx: Transaction, user_id: UserId, code: str) -> bool:
    """Write job: use a recovery code up; tells whether it was there."""
    return bool(
        tx.run("DELETE FROM accounts._recovery_code WHERE user = ?1 AND code = ?2", (user_id, code))
    )


async def count_recovery_codes(database: Database, user_id: UserId) -> int:
    """How many recovery codes a user has left."""
    rows = await database.query(
        "SELECT count(*) FROM accounts._recovery_code WHERE user = ?1", (user_id,)
    )
    return cast(int, rows[0][0])


@single_statement
def delete_recovery_codes(tx: Transaction, user_id: UserId) -> None:
    """Write job: void all recovery codes of a user."""
    tx.run("DELETE FROM accounts._recovery_code WHERE user = ?1", (user_id,))


async def list_users(database: Database, after: bytes, limit: int) -> list[UserId]:
    """Users that something is kept about, in the order of their ids, beginning after one."""
    rows = await database.query(
        "SELECT user FROM accounts._totp_step WHERE user > ?1 "
        "UNION SELECT user FROM accounts._recovery_code WHERE user > ?1 "
        "UNION SELECT user FROM accounts._passkey WHERE user > ?1 ORDER BY user LIMIT ?2",
        (after, limit),
    )
    return [UserId(cast(bytes, row[0])) for row in rows]


def forget_user(tx: Transaction, user_id: UserId) -> None:
    """Write job: delete all that is kept about a user, passkeys as well."""
    tx.run("DELETE FROM accounts._totp_step WHERE user = ?1", (user_id,))
    tx.run("DELETE FROM accounts._recovery_code WHERE user = ?1", (user_id,))
    tx.run("DELETE FROM accounts._passkey WHERE user = ?1", (user_id,))
