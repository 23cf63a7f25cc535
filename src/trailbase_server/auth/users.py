"""
Rows of ``_user``: reading them, and the write jobs that change them.

A user is unverified exactly while ``unverified_email`` is set; ``email`` only ever holds a verified
address. E-mail and username compare without regard to ASCII case: the columns are NOCASE.
"""

from collections.abc import Sequence
from typing import cast

from msgspec import Struct

from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.db.dialect import quote
from trailbase_server.db.values import Row
from trailbase_server.errors import ConflictError
from trailbase_server.ids import UserId

_COLUMNS = (
    "id, email, unverified_email, username, password_hash, admin, totp_secret, provider_id, "
    "created, updated"
)
_SELECT = f"SELECT {_COLUMNS} FROM _user WHERE"  # noqa: S608  # constants only

NewUser = tuple[UserId, str | None, str | None, str]
"""Id, verified address, address to be confirmed, password hash; one of the addresses is None."""

UserChange = tuple[str, str | None]
"""Name of a column, and its new value."""


class User(Struct, frozen=True):
    """
    One account.

    Attributes:
        id: 16 raw bytes.
        email: Verified address.
        unverified_email: Address that waits for confirmation.
        password_hash: PHC or bcrypt text; None for external and anonymous users.
        totp_secret: Base32; set means that a second factor is on.
        provider_id: 0 for local users.
        created, updated: Unix seconds.
    """

    id: UserId
    email: str | None
    unverified_email: str | None
    username: str | None
    password_hash: str | None
    admin: bool
    totp_secret: str | None
    provider_id: int
    created: int
    updated: int


async def find_user(database: Database, user_id: UserId) -> User | None:
    """Look an account up by id."""
    return _one(await database.query(f"{_SELECT} id = ?1", (user_id,)))


async def find_by_email(database: Database, email: str) -> User | None:
    """Look an account up by its verified address."""
    return _one(await database.query(f"{_SELECT} email = ?1", (email,)))


async def find_by_username(database: Database, username: str) -> User | None:
    """Look an account up by name."""
    return _one(await database.query(f"{_SELECT} username = ?1", (username,)))


async def find_identified(database: Database, text: str, *, is_email: bool) -> User | None:
    """Look an account up by what somebody typed: a verified address or a name."""
    find = find_by_email if is_email else find_by_username
    return await find(database, text)


async def list_admins(database: Database) -> list[User]:
    """All administrators, oldest first."""
    rows = await database.query(f"{_SELECT} admin > 0 ORDER BY created, rowid")
    return [_user(row) for row in rows]


async def search_users(database: Database, text: str, limit: int, offset: int) -> list[User]:
    """
    Read a page of accounts, the newest first.

    Args:
        database: Main.
        text: Part of an address or a name, whatever its case; empty: all.
        limit, offset: Of the page.
    """
    where = " OR ".join(
        f"instr(lower({column}), lower(?1)) > 0"
        for column in ("email", "unverified_email", "username")
    )
    sql = f"{_SELECT} (?1 = '' OR {where}) ORDER BY rowid DESC LIMIT ?2 OFFSET ?3"
    return [_user(row) for row in await database.query(sql, (text, limit, offset))]


def _one(rows: list[Row]) -> User | None:
    return _user(rows[0]) if rows else None


def _user(row: Row) -> User:
    return User(
        UserId(cast(bytes, row[0])),
        cast("str | None", row[1]),
        cast("str | None", row[2]),
        cast("str | None", row[3]),
        cast("str | None", row[4]),
        bool(row[5]),
        cast("str | None", row[6]),
        cast(int, row[7]),
        cast(int, row[8]),
        cast(int, row[9]),
    )


def insert_registration(
    tx: Transaction, user_id: UserId, email: str | None, username: str | None, password_hash: str
) -> bool:
    """
    Write job: add an account that has yet to confirm its address.

    Returns:
        False, with nothing written, when the address already belongs to a verified account:
        another row could only ever be in its owner's way.

    Raises:
        ConstraintError: The username is taken.
    """
    if email is not None and tx.read("SELECT 1 FROM _user WHERE email = ?1", (email,)):
        return False
    tx.run(
        "INSERT INTO _user (id, unverified_email, username, password_hash) VALUES (?1, ?2, ?3, ?4)",
        (user_id, email, username, password_hash),
    )
    return True


def insert_users(tx: Transaction, rows: Sequence[NewUser]) -> None:
    """
    Write job: add many accounts, or none of them.

    Args:
        rows: What to add.

    Raises:
        ConflictError: An address is taken; ``public`` names it.
    """
    for user_id, email, unverified_email, password_hash in rows:
        if tx.read("SELECT 1 FROM _user WHERE email = ?1", (email or unverified_email,)):
            raise ConflictError(f"Failed to insert '{email or unverified_email}': already exists")
        tx.run(
            "INSERT INTO _user (id, email, unverified_email, password_hash) "
            "VALUES (?1, ?2, ?3, ?4)",
            (user_id, email, unverified_email, password_hash),
        )


@single_statement
def insert_anonymous(tx: Transaction, user_id: UserId, username: str) -> None:
    """
    Write job: add an account that has nothing but a name.

    Raises:
        ConstraintError: The name is taken.
    """
    tx.run("INSERT INTO _user (id, username) VALUES (?1, ?2)", (user_id, username))


@single_statement
def promote_user(
    tx: Transaction, user_id: UserId, email: str | None, username: str | None, password_hash: str
) -> bool:
    """
    Write job: make an anonymous account an ordinary one; False if it is none.

    Check and change are one statement, so of two promotions at once only one succeeds.

    Raises:
        ConstraintError: The name is taken.
    """
    return bool(
        tx.run(
            "UPDATE _user SET password_hash = ?4, unverified_email = ?2, username = ?3 "
            "WHERE id = ?1 AND password_hash IS NULL AND provider_id = 0 AND email IS NULL",
            (user_id, email, username, password_hash),
        )
    )


@single_statement
def set_password_hash(
    tx: Transaction, user_id: UserId, password_hash: str, expected: str | None
) -> bool:
    """Write job: replace the hash if it still is the expected one; tells whether it was."""
    return bool(
        tx.run(
            "UPDATE _user SET password_hash = ?2 WHERE id = ?1 AND password_hash IS ?3",
            (user_id, password_hash, expected),
        )
    )


@single_statement
def set_email(tx: Transaction, user_id: UserId, email: str) -> None:
    """Write job: replace the address by a verified one."""
    tx.run("UPDATE _user SET email = ?2, unverified_email = NULL WHERE id = ?1", (user_id, email))


@single_statement
def set_username(tx: Transaction, user_id: UserId, username: str | None) -> bool:
    """Write job: replace or clear the name; tells whether the account exists."""
    return bool(tx.run("UPDATE _user SET username = ?2 WHERE id = ?1", (user_id, username)))


@single_statement
def set_totp_secret(
    tx: Transaction, user_id: UserId, secret: str | None, expected: str | None
) -> bool:
    """Write job: replace the secret if it still is the expected one; tells whether it was."""
    return bool(
        tx.run(
            "UPDATE _user SET totp_secret = ?2 WHERE id = ?1 AND totp_secret IS ?3",
            (user_id, secret, expected),
        )
    )


@single_statement
def set_admin(tx: Transaction, user_id: UserId, admin: bool) -> None:
    """Write job: make or unmake an administrator."""
    tx.run("UPDATE _user SET admin = ?2 WHERE id = ?1", (user_id, int(admin)))


@single_statement
def set_verified(tx: Transaction, user_id: UserId, verified: bool) -> None:
    """Write job: move the address to the column that says whether it is confirmed."""
    if verified:
        tx.run(
            "UPDATE _user SET email = unverified_email, unverified_email = NULL "
            "WHERE id = ?1 AND unverified_email IS NOT NULL",
            (user_id,),
        )
    else:
        tx.run(
            "UPDATE _user SET unverified_email = email, email = NULL "
            "WHERE id = ?1 AND email IS NOT NULL",
            (user_id,),
        )


def insert_by_admin(
    tx: Transaction,
    user_id: UserId,
    email: str,
    password_hash: str,
    *,
    verified: bool,
    admin: bool,
) -> bool:
    """Write job: add an account for somebody else; False if the address is taken."""
    if tx.read(
        "SELECT 1 FROM _user WHERE email = ?1 OR (unverified_email = ?1 AND NOT ?2)",
        (email, verified),
    ):
        return False
    tx.run(
        "INSERT INTO _user (id, email, unverified_email, password_hash, admin) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        (user_id, email if verified else None, None if verified else email, password_hash, admin),
    )
    return True


@single_statement
def update_user(tx: Transaction, user_id: UserId, changes: Sequence[UserChange]) -> bool:
    """
    Write job: set columns of an account that is no administrator's; False if there is none.

    Raises:
        ConstraintError: Address or name are taken.
    """
    assigned = ", ".join(f"{quote(name)} = ?{at}" for at, (name, _) in enumerate(changes, 2))
    return bool(
        tx.run(
            f"UPDATE _user SET {assigned} WHERE id = ?1 AND NOT admin",  # noqa: S608  # quoted
            (user_id, *(value for _, value in changes)),
        )
    )


@single_statement
def delete_user(tx: Transaction, user_id: UserId) -> bool:
    """
    Write job: remove an account and what cascades from it; tells whether it existed.

    Raises:
        ConstraintError: Another table refers to it without cascading.
    """
    return bool(tx.run("DELETE FROM _user WHERE id = ?1", (user_id,)))
