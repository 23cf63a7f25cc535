"""
Rows of ``session.db``: sessions and authorization codes.

Refresh tokens and codes are stored as digests: whoever reads the file cannot use them. Rows that
the reference server wrote hold the token itself, and are accepted as they are. The two forms cannot
be mistaken for each other: a digest is written with a prefix that no token may contain, so the
text of a stored digest is not a token.
"""

import re
from typing import cast

from trailbase_server.crypto import digest, random_text
from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.db.values import Row
from trailbase_server.ids import UserId, encode_b64u

REFRESH_LENGTH = 86  # characters
CODE_LENGTH = 48  # characters
CODE_TTL_S = 300  # of an authorization code
MAX_LISTED = 100  # sessions of one user that are shown
ETERNITY = 2**63 - 1  # Unix seconds of a session that never ends
_REFRESH = re.compile(rf"[A-Za-z0-9]{{{REFRESH_LENGTH}}}\Z")
_CODE = re.compile(rf"[A-Za-z0-9]{{{CODE_LENGTH}}}\Z")
_DIGEST_PREFIX = "sha256:"
_BOTH_FORMS = "refresh_token IN (?1, ?2)"


def new_refresh_token() -> str:
    """Make a refresh token."""
    return random_text(REFRESH_LENGTH)


def new_code() -> str:
    """Make an authorization code."""
    return random_text(CODE_LENGTH)


def stored_form(secret: str) -> str:
    """What is stored of a token or code."""
    return _DIGEST_PREFIX + encode_b64u(digest(secret))


def is_refresh_token(text: str) -> bool:
    """Has it the shape of a refresh token? The text of a digest has not."""
    return _REFRESH.match(text) is not None


def expiry_of(now_s: int, ttl_s: int) -> int:
    """
    When a session ends.

    Args:
        now_s: Unix seconds.
        ttl_s: Configured life; negative means for ever, 0 that it is never usable.

    Spec:
        auth/sessions-refresh-semantics-eternal-tokens
    """
    return ETERNITY if ttl_s < 0 else min(now_s + ttl_s, ETERNITY)


async def find_session(database: Database, refresh_token: str, now_s: int) -> UserId | None:
    """Whose live session a refresh token belongs to."""
    if not _REFRESH.match(refresh_token):
        return None
    rows = await database.query(
        f"SELECT user FROM _session WHERE {_BOTH_FORMS} AND expires > ?3",  # noqa: S608  # constant
        (stored_form(refresh_token), refresh_token, now_s),
    )
    return _user_of(rows)


@single_statement
def insert_session(
    tx: Transaction, user_id: UserId, stored_token: str, created: int, expires: int
) -> None:
    """Write job: add a session."""
    tx.run(
        "INSERT INTO _session (user, refresh_token, created, expires) VALUES (?1, ?2, ?3, ?4)",
        (user_id, stored_token, created, expires),
    )


@single_statement
def delete_session(tx: Transaction, refresh_token: str) -> None:
    """Write job: end one session, if there is one with this token."""
    if _REFRESH.match(refresh_token):
        tx.run(
            f"DELETE FROM _session WHERE {_BOTH_FORMS}",  # noqa: S608  # constant
            (stored_form(refresh_token), refresh_token),
        )


@single_statement
def delete_stored_session(tx: Transaction, stored_token: str) -> bool:
    """Write job: end one session by what is stored of its token; tells whether it went on."""
    return bool(tx.run("DELETE FROM _session WHERE refresh_token = ?1", (stored_token,)))


@single_statement
def delete_sessions(tx: Transaction, user_id: UserId, kept_token: str | None = None) -> None:
    """
    Write job: end all sessions of a user.

    Args:
        user_id: Whose.
        kept_token: Refresh token of the one session that goes on, None for none.
    """
    kept = kept_token if kept_token is not None and _REFRESH.match(kept_token) else ""
    tx.run(
        "DELETE FROM _session WHERE user = ?1 AND refresh_token NOT IN (?2, ?3)",
        (user_id, stored_form(kept), kept),
    )


async def list_sessions_of(
    database: Database, user_id: UserId, current_token: str | None, now_s: int
) -> list[tuple[int, int, int, bool]]:
    """
    Read a user's live sessions, the newest first, at most ``MAX_LISTED``.

    Args:
        database: ``session.db``.
        user_id: Whose.
        current_token: Refresh token of the session that asks, if known.
        now_s: Unix seconds.

    Returns:
        Number of the row, creation and end in Unix seconds, and whether it is the current one.
    """
    current = current_token if current_token is not None and _REFRESH.match(current_token) else ""
    rows = await database.query(
        "SELECT id, created, expires, refresh_token IN (?3, ?4) FROM _session "
        "WHERE user = ?1 AND expires > ?2 ORDER BY created DESC, id DESC LIMIT ?5",
        (user_id, now_s, stored_form(current), current, MAX_LISTED),
    )
    return [(cast(int, a), cast(int, b), cast(int, c), bool(d)) for a, b, c, d in rows]


@single_statement
def delete_one_of(tx: Transaction, user_id: UserId, number: int) -> bool:
    """Write job: end one session of a user; tells whether it was theirs."""
    return bool(tx.run("DELETE FROM _session WHERE user = ?1 AND id = ?2", (user_id, number)))


@single_statement
def insert_code(
    tx: Transaction, user_id: UserId, stored_code: str, challenge: str, created: int
) -> None:
    """Write job: add an authorization code that ``CODE_TTL_S`` seconds may be exchanged in."""
    tx.run(
        "INSERT INTO _authorization_code "
        "(user, authorization_code, pkce_code_challenge, created, expires) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
        (user_id, stored_code, challenge, created, created + CODE_TTL_S),
    )


@single_statement
def take_code(tx: Transaction, code: str, challenge: str, now_s: int) -> UserId | None:
    """
    Write job: use an authorization code up.

    Args:
        code: As received.
        challenge: Computed from the verifier that was received.
        now_s: Unix seconds.

    Returns:
        Who it was made for; None, with the code left alone, if it is unknown, expired or was made
        for another challenge.
    """
    if not _CODE.match(code):
        return None
    rows = tx.read(
        "DELETE FROM _authorization_code WHERE authorization_code IN (?1, ?2) "
        "AND pkce_code_challenge = ?3 AND expires > ?4 RETURNING user",
        (stored_form(code), code, challenge, now_s),
    )
    return _user_of(rows)


def _user_of(rows: list[Row]) -> UserId | None:
    return UserId(cast(bytes, rows[0][0])) if rows else None
