"""
Refresh tokens that change: what a client gets that asks for it.

.. code-block:: text

    token 1 ── refresh with "rotate" ──> token 2 ── … ──> token n     one session
       │
       └── shown again: within the grace, a client that has sent twice; later, a thief or a victim:
           the session ends for both

The official clients keep the token they have, so nothing changes unless a request asks for it.
"""

from typing import Literal, cast

from trailbase_server.auth.sessions import is_refresh_token, stored_form
from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.ids import UserId

GRACE_S = 10  # for requests that cross, and answers that get lost


def rotate_session(tx: Transaction, token: str, new_stored: str, now_s: int) -> bool:
    """
    Write job: give a live session another token.

    Args:
        token: The one it has, as received.
        new_stored: ``sessions.stored_form`` of the new one.
        now_s: Unix seconds.

    Returns:
        False, with nothing changed, if no live session has this token.
    """
    if not is_refresh_token(token):
        return False
    stored = stored_form(token)
    rows = tx.read(
        "UPDATE _session SET refresh_token = ?3 WHERE refresh_token IN (?1, ?2) AND expires > ?4 "
        "RETURNING id, user, expires",
        (stored, token, new_stored, now_s),
    )
    for number, user_id, expires in rows:
        tx.run(
            "INSERT INTO accounts._rotated_token (token, session, user, rotated, expires) "
            "VALUES (?1, ?2, ?3, ?4, ?5)",
            (stored, number, user_id, now_s, expires),
        )
    return bool(rows)


Reuse = tuple[Literal["grace", "theft"], UserId]
"""What it means that a token was shown which was exchanged before, and whose it was."""


async def was_rotated(database: Database, token: str) -> bool:
    """Was this token exchanged for another one? Spares everybody else a write."""
    return is_refresh_token(token) and bool(
        await database.query(
            "SELECT 1 FROM accounts._rotated_token WHERE token = ?1", (stored_form(token),)
        )
    )


def judge_reuse(tx: Transaction, token: str, now_s: int) -> Reuse | None:
    """
    Write job: look at a token that was exchanged; end the session of a stolen one.

    Args:
        token: As received.
        now_s: Unix seconds.

    Returns:
        None if its session is over anyway.
    """
    # Numbers of rows are used again: a session that began later is another one.
    rows = tx.read(
        "SELECT r.session, r.user, r.rotated FROM accounts._rotated_token AS r "
        "JOIN _session AS s ON s.id = r.session AND s.user = r.user AND s.created <= r.rotated "
        "WHERE r.token = ?1 AND s.expires > ?2",
        (stored_form(token), now_s),
    )
    if not rows:
        return None
    number, user_id, rotated = rows[0]
    owner = UserId(cast(bytes, user_id))
    if now_s - cast(int, rotated) <= GRACE_S:
        return "grace", owner
    tx.run("DELETE FROM _session WHERE id = ?1", (number,))
    return "theft", owner


@single_statement
def delete_old_rotations(tx: Transaction, before: int) -> int:
    """Write job: forget tokens of sessions that have ended by themselves; returns how many."""
    return tx.run("DELETE FROM accounts._rotated_token WHERE expires < ?1", (before,))
