"""
Mails on disk (``data/own/outbox.db``), from the request that wants one to the server that takes it.

.. code-block:: text

    enqueue ──▶ waiting ──claim──▶ (leased) ──┬─ settle ────▶ delivered
                   ▲                          ├─ postpone ─┐  (or, after the last attempt, failed)
                   └──────────────────────────┴────────────┘

``enqueue`` is one write: no request waits for a mail server. A claimed mail is not due again for
``LEASE_S``; if the process ends meanwhile, its successor tries again. So a mail is sent at least
once, and after a crash at the wrong moment twice, under the same Message-ID.

Full: ``enqueue`` refuses above ``MAX_WAITING``. Above ``MAX_PER_HOUR`` to one address it drops, and
its caller answers as always: whether an address gets mail must not show.
"""

from typing import Literal, NamedTuple

from msgspec import Struct

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.db.values import Row
from trailbase_server.errors import DependencyError
from trailbase_server.mail.envelope import Envelope

MAX_WAITING = 10_000  # mails; some 30 MB on disk
MAX_PER_HOUR = 20  # mails to one address: more than a person asks for, less than a flood
MAX_ATTEMPTS = 12  # spread over five and a half hours: longer than any link in a mail works
FIRST_PAUSE_S = 5  # after the first failed attempt; most failures are a restart
PAUSE_FACTOR = 3
LONGEST_PAUSE_S = 3600  # between two attempts
LEASE_S = 300  # more than any attempt can take
KEEP_DELIVERED_S = 24 * 3600  # to answer "where is my mail?"
KEEP_FAILED_S = 30 * 24 * 3600  # until somebody has looked
MAX_ERROR_CHARS = 500  # of the last failure that a row keeps
_HOUR_S = 3600

Outcome = Literal["queued", "dropped"]

_COUNT_RECENT = "SELECT count(*) FROM outbox WHERE recipient = ?1 AND created > ?2"
_COUNT_WAITING = "SELECT count(*) FROM outbox WHERE state = 'waiting'"
_INSERT = """
INSERT INTO outbox (letter, sender, recipient, content, created, due)
VALUES (?1, ?2, ?3, ?4, ?5, ?5)
"""
_SELECT_DUE = """
SELECT id, letter, attempts, sender, recipient, content FROM outbox
WHERE state = 'waiting' AND due <= ?1 ORDER BY due, id LIMIT ?2
"""
_LEASE = "UPDATE outbox SET due = ?2 WHERE id = ?1"
_FINISH = """
UPDATE outbox
SET state = ?2, finished = ?3, error = ?4, attempts = attempts + 1, content = NULL
WHERE id = ?1 AND state = 'waiting'
"""
_POSTPONE = """
UPDATE outbox SET attempts = attempts + 1, due = ?2, error = ?3
WHERE id = ?1 AND state = 'waiting'
"""
_HURRY = "UPDATE outbox SET due = ?1 WHERE state = 'waiting' AND due > ?1"
_PURGE = """
DELETE FROM outbox
WHERE finished IS NOT NULL
  AND (state = 'delivered' AND finished < ?1 OR state = 'failed' AND finished < ?2)
"""
_NEXT_DUE = "SELECT min(due) FROM outbox WHERE state = 'waiting'"
_STATUS = """
SELECT
  (SELECT count(*) FROM outbox WHERE state = 'waiting'),
  (SELECT count(*) FROM outbox WHERE state = 'failed'),
  (SELECT min(created) FROM outbox WHERE state = 'waiting'),
  (SELECT error FROM outbox WHERE error IS NOT NULL ORDER BY coalesce(finished, due) DESC LIMIT 1)
"""


class FullOutboxError(DependencyError):
    """So many mails are waiting that no further one is taken."""


class Waiting(NamedTuple):
    """
    A mail that was claimed for an attempt.

    Attributes:
        id: In the table.
        letter: Which kind.
        attempts: How many there have been.
        envelope: The mail.
    """

    id: int
    letter: str
    attempts: int
    envelope: Envelope


class OutboxStatus(Struct, frozen=True):
    """
    What an operator wants to know.

    Attributes:
        waiting: Mails on their way.
        failed: Mails that were given up in the last ``KEEP_FAILED_S``.
        oldest: Unix time in seconds when the oldest waiting mail was written; None: none waits.
        last_error: Why the last attempt that failed did so; None: none has.
    """

    waiting: int
    failed: int
    oldest: int | None
    last_error: str | None


class Outbox:
    """
    The table of mails.

    Args:
        database: ``own/outbox.db``, migrated.
        clock: Time of attempts.
    """

    def __init__(self, database: Database, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock

    async def enqueue(self, letter: str, envelope: Envelope) -> Outcome:
        """
        Take responsibility for a mail; when this returns, it is on disk.

        Returns:
            ``dropped`` when its recipient has got too many.

        Raises:
            FullOutboxError: Too many mails are waiting.
            DatabaseError: It could not be written.
        """
        now = self._clock.now_s()
        given = (letter, envelope.sender, envelope.recipient, envelope.content)
        return await self._database.write(insert_mail, *given, now)

    async def claim(self, limit: int) -> list[Waiting]:
        """Take up to ``limit`` mails that are due, to make an attempt with each."""
        rows = await self._database.write(lease_due, self._clock.now_s(), limit)
        return [_read_waiting(row) for row in rows]

    async def settle(self, mail: Waiting) -> None:
        """Write down that a mail was taken."""
        now = self._clock.now_s()
        await self._database.write(finish_mail, mail.id, "delivered", now, None)

    async def postpone(self, mail: Waiting, error: str, *, is_final: bool) -> int | None:
        """
        Write down that an attempt failed.

        Args:
            mail: Which.
            error: Why.
            is_final: Another attempt is no use.

        Returns:
            Seconds until the next attempt; None: there is none.
        """
        now, words = self._clock.now_s(), error[:MAX_ERROR_CHARS]
        if is_final or mail.attempts + 1 >= MAX_ATTEMPTS:
            await self._database.write(finish_mail, mail.id, "failed", now, words)
            return None
        pause = pause_after(mail.attempts + 1)
        await self._database.write(postpone_mail, mail.id, now + pause, words)
        return pause

    async def hurry(self) -> None:
        """Make every waiting mail due: after a start, and when the way out has changed."""
        await self._database.write(make_all_due, self._clock.now_s())

    async def purge(self) -> None:
        """Forget mails that are done with."""
        now = self._clock.now_s()
        await self._database.write(delete_old, now - KEEP_DELIVERED_S, now - KEEP_FAILED_S)

    async def next_due_s(self) -> int | None:
        """Seconds until a waiting mail is due, 0 if one is; None: none waits."""
        ((due,),) = await self._database.query(_NEXT_DUE)
        return None if due is None else max(0, _integer(due) - self._clock.now_s())

    async def status(self) -> OutboxStatus:
        """Count."""
        ((waiting, failed, oldest, error),) = await self._database.query(_STATUS)
        return OutboxStatus(
            _integer(waiting),
            _integer(failed),
            None if oldest is None else _integer(oldest),
            None if error is None else str(error),
        )


def pause_after(attempts: int) -> int:
    """
    How long to wait after a number of failed attempts, in seconds.

    5, 15, 45, 135, 405, 1215, then an hour each.
    """
    pause: int = FIRST_PAUSE_S * PAUSE_FACTOR ** (attempts - 1)
    return min(pause, LONGEST_PAUSE_S)


def insert_mail(
    tx: Transaction, letter: str, sender: str, recipient: str, content: bytes, now: int
) -> Outcome:
    """Write job: see ``Outbox.enqueue``."""
    if _count(tx.read(_COUNT_RECENT, (recipient, now - _HOUR_S))) >= MAX_PER_HOUR:
        return "dropped"
    if _count(tx.read(_COUNT_WAITING)) >= MAX_WAITING:
        raise FullOutboxError(detail=f"{MAX_WAITING} mails are waiting")
    tx.run(_INSERT, (letter, sender, recipient, content, now))
    return "queued"


def lease_due(tx: Transaction, now: int, limit: int) -> list[Row]:
    """Write job: see ``Outbox.claim``."""
    rows = tx.read(_SELECT_DUE, (now, limit))
    for row in rows:
        tx.run(_LEASE, (row[0], now + LEASE_S))
    return rows


@single_statement
def finish_mail(tx: Transaction, mail: int, state: str, now: int, error: str | None) -> None:
    """Write job: a mail was taken, or given up."""
    tx.run(_FINISH, (mail, state, now, error))


@single_statement
def postpone_mail(tx: Transaction, mail: int, due: int, error: str) -> None:
    """Write job: another attempt later."""
    tx.run(_POSTPONE, (mail, due, error))


@single_statement
def make_all_due(tx: Transaction, now: int) -> None:
    """Write job: see ``Outbox.hurry``."""
    tx.run(_HURRY, (now,))


@single_statement
def delete_old(tx: Transaction, delivered_before: int, failed_before: int) -> None:
    """Write job: see ``Outbox.purge``."""
    tx.run(_PURGE, (delivered_before, failed_before))


def _count(rows: list[Row]) -> int:
    return _integer(rows[0][0])


def _integer(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101  # the column is an INTEGER of a STRICT table
    return value


def _read_waiting(row: Row) -> Waiting:
    mail, letter, attempts, sender, recipient, content = row
    assert isinstance(content, bytes)  # noqa: S101  # of a STRICT table
    envelope = Envelope(str(sender), str(recipient), content)
    return Waiting(_integer(mail), str(letter), _integer(attempts), envelope)
