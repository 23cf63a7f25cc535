"""
Rows of ``_passkey`` and ``_used_challenge`` in ``own/accounts.db``, attached to ``session.db``.

Using a challenge up and what it was for are one write: of two answers to a challenge that arrive
together, one finds it used.
"""

from typing import Literal, cast

import orjson
from msgspec import Struct

from trailbase_server.auth.passkeys.challenge import Challenge
from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.db.values import Row
from trailbase_server.ids import UserId

MAX_PASSKEYS = 20  # of one account: devices and password managers of one person, with room
_COLUMNS = (
    "id, user, credential, public_key, sign_count, backup_eligible, backed_up, transports, name, "
    "created, last_used"
)
_SELECT = f"SELECT {_COLUMNS} FROM accounts._passkey WHERE"  # noqa: S608  # constants only


class Passkey(Struct, frozen=True):
    """
    One passkey.

    Attributes:
        number: Of its row.
        user_id: Whose.
        credential: What the device calls it.
        public_key: COSE.
        sign_count: As the device counted at the last use; 0 where it does not count.
        backup_eligible: It may leave its device.
        backed_up: It has done so.
        transports: How browsers reach the device.
        name: Given by its owner.
        created, last_used: Unix seconds; None before the first log-in.
    """

    number: int
    user_id: UserId
    credential: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    transports: tuple[str, ...]
    name: str
    created: int
    last_used: int | None


async def list_passkeys(database: Database, user_id: UserId) -> list[Passkey]:
    """All passkeys of an account, the oldest first."""
    rows = await database.query(f"{_SELECT} user = ?1 ORDER BY id", (user_id,))
    return [_passkey(row) for row in rows]


async def find_passkey(database: Database, credential: bytes) -> Passkey | None:
    """Look a passkey up by what the device calls it."""
    rows = await database.query(f"{_SELECT} credential = ?1", (credential,))
    return _passkey(rows[0]) if rows else None


async def has_passkey(database: Database, user_id: UserId) -> bool:
    """Has this account a passkey?"""
    return bool(
        await database.query("SELECT 1 FROM accounts._passkey WHERE user = ?1 LIMIT 1", (user_id,))
    )


def _passkey(row: Row) -> Passkey:
    return Passkey(
        cast(int, row[0]),
        UserId(cast(bytes, row[1])),
        cast(bytes, row[2]),
        cast(bytes, row[3]),
        cast(int, row[4]),
        bool(row[5]),
        bool(row[6]),
        tuple(orjson.loads(cast(str, row[7]))),
        cast(str, row[8]),
        cast(int, row[9]),
        cast("int | None", row[10]),
    )


Enrolled = int | Literal["replayed", "full", "taken"]
"""Number of the new row; or the challenge was used, there are too many, the credential is known."""


def insert_passkey(tx: Transaction, challenge: Challenge, passkey: Passkey) -> Enrolled:
    """
    Write job: use a challenge up and add a passkey.

    Args:
        challenge: That was answered.
        passkey: Its ``number`` does not count.
    """
    if not _use(tx, challenge, passkey.created):
        return "replayed"
    held = tx.read("SELECT count(*) FROM accounts._passkey WHERE user = ?1", (passkey.user_id,))
    if cast(int, held[0][0]) >= MAX_PASSKEYS:
        return "full"
    rows = tx.read(
        "INSERT INTO accounts._passkey (user, credential, public_key, sign_count, "
        "backup_eligible, backed_up, transports, name, created) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
        "ON CONFLICT (credential) DO NOTHING RETURNING id",
        (
            passkey.user_id,
            passkey.credential,
            passkey.public_key,
            passkey.sign_count,
            int(passkey.backup_eligible),
            int(passkey.backed_up),
            orjson.dumps(passkey.transports).decode(),
            passkey.name,
            passkey.created,
        ),
    )
    return cast(int, rows[0][0]) if rows else "taken"


Used = Literal["ok", "replayed", "cloned"]
"""What a log-in finds: ``cloned`` is a count that did not go up, or a key that was just removed."""


def use_passkey(
    tx: Transaction, challenge: Challenge, number: int, sign_count: int, backed_up: int, now_s: int
) -> Used:
    """
    Write job: use a challenge up and note the log-in.

    Args:
        challenge: That was answered.
        number: Of the passkey's row.
        sign_count: As the device counts now.
        backed_up: 1 if the key has left its device.
        now_s: Unix seconds.
    """
    if not _use(tx, challenge, now_s):
        return "replayed"
    # A device that counts always counts up: less or the same means that there are two of it.
    changed = tx.run(
        "UPDATE accounts._passkey SET sign_count = ?2, backed_up = ?3, last_used = ?4 "
        "WHERE id = ?1 AND (sign_count < ?2 OR (sign_count = 0 AND ?2 = 0))",
        (number, sign_count, backed_up, now_s),
    )
    return "ok" if changed else "cloned"


def _use(tx: Transaction, challenge: Challenge, now_s: int) -> bool:
    tx.run("DELETE FROM accounts._used_challenge WHERE expires <= ?1", (now_s,))
    return bool(
        tx.run(
            "INSERT INTO accounts._used_challenge (nonce, expires) VALUES (?1, ?2) "
            "ON CONFLICT (nonce) DO NOTHING",
            (challenge.nonce, challenge.expires),
        )
    )


@single_statement
def rename_passkey(tx: Transaction, user_id: UserId, number: int, name: str) -> bool:
    """Write job: give a passkey of an account another name; tells whether there is one."""
    return bool(
        tx.run(
            "UPDATE accounts._passkey SET name = ?3 WHERE user = ?1 AND id = ?2",
            (user_id, number, name),
        )
    )


Removed = Literal["ok", "missing", "last"]
"""What became of a passkey: ``last`` is the only way into its account, and stays."""


def delete_passkey(tx: Transaction, user_id: UserId, number: int, keeps_one: bool) -> Removed:
    """
    Write job: remove a passkey of an account.

    Args:
        user_id: Whose.
        number: Of its row.
        keeps_one: There is no other way into the account: the last one stays.
    """
    rows = tx.read("SELECT id FROM accounts._passkey WHERE user = ?1", (user_id,))
    numbers = [row[0] for row in rows]
    if number not in numbers:
        return "missing"
    if keeps_one and len(numbers) == 1:
        return "last"
    tx.run("DELETE FROM accounts._passkey WHERE id = ?1", (number,))
    return "ok"
