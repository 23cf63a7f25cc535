"""
Write the audit log (``data/own/audit.db``), let old entries go, prove that none was tampered with.

When ``record`` returns, the entry is on disk. If it cannot be written, what was done stays done:
the entry goes to the log of the process, and ``failed`` counts it.
"""

import logging
from typing import cast

from msgspec import Struct

from trailbase_server.audit.chain import FIRST, next_digest
from trailbase_server.audit.entry import Entry, bounded_text, encode_values
from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.db.base import Database, Reader, Transaction
from trailbase_server.db.values import SqlValue
from trailbase_server.errors import AppError

log = logging.getLogger(__name__)
BATCH = 500  # entries looked at, or deleted, at a time
KEEP_AT_LEAST_S = 24 * 3600  # the table itself refuses to delete younger ones

_COLUMNS = (
    *("id", "time", "actor_kind", "actor_id", "actor_name", "client_ip", "request_id"),
    *("action", "object", "before", "after", "outcome", "status", "message"),
)
_LIST = ", ".join(_COLUMNS)
_LAST = "SELECT id, digest FROM entry ORDER BY id DESC LIMIT 1"
_INSERT = f"INSERT INTO entry ({_LIST}, digest) VALUES ({', '.join('?' * (len(_COLUMNS) + 1))})"  # noqa: S608  # constants
_NEXT = f"SELECT {_LIST}, digest FROM entry WHERE id > ?1 ORDER BY id LIMIT ?2"  # noqa: S608  # constants
_OLDEST = "SELECT id, time FROM entry WHERE id < (SELECT max(id) FROM entry) ORDER BY id LIMIT ?1"
_DELETE = "DELETE FROM entry WHERE id <= ?1"
_HIGHEST = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'entry'"


class Proof(Struct, frozen=True):
    """
    Whether the log is whole.

    Attributes:
        entries: How many there are.
        first, last: Their lowest and highest id; 0: there are none.
        digest: Of the last one, in hex. Noted elsewhere it proves everything up to there.
        broken_at: Id of the first entry that does not follow from the one before; None: none.
    """

    entries: int
    first: int
    last: int
    digest: str
    broken_at: int | None

    @property
    def is_whole(self) -> bool:
        """Nothing was changed and nothing taken out, as far as the log itself can tell."""
        return self.broken_at is None


class AuditLog:
    """
    The audit log of a depot. Several processes may write to it.

    Args:
        database: ``own/audit.db``, migrated.
        clock: Time of entries.

    Attributes:
        database: For ``search``.
        failed: Entries that could not be written.
    """

    def __init__(self, database: Database, clock: Clock = SYSTEM_CLOCK) -> None:
        self.database = database
        self.failed = 0
        self._clock = clock

    async def record(self, entry: Entry) -> None:
        """
        Append an entry; never raises what a database may raise.

        Spec:
            server/audit-log-p2
        """
        values = _encode(entry, self._clock.now())
        try:
            await self.database.write(_append, values)
        except AppError as exc:
            self.failed += 1
            log.error(  # noqa: TRY400  # the message says it all
                "the audit log cannot be written (%s): %s", exc.detail or exc.public, values
            )

    async def delete_before(self, unix_s: float) -> int:
        """
        Let entries go that are older, the last one and those of the last day excepted.

        Returns:
            How many.
        """
        before, total = min(unix_s, self._clock.now() - KEEP_AT_LEAST_S - 1), 0
        while True:
            deleted = await self.database.write(_delete_oldest, before)
            total += deleted
            if deleted < BATCH:
                return total

    async def prove(self) -> Proof:
        """Compute all digests anew."""
        return await self.database.on_pool(_prove, self.database)


def _encode(entry: Entry, now: float) -> tuple[SqlValue, ...]:
    """Values of all columns but the id and the digest."""
    return (
        float(now),  # as it will be read: the digest is over what is stored
        entry.actor.kind,
        entry.actor.id,
        bounded_text(entry.actor.name),
        bounded_text(entry.client_ip),
        bounded_text(entry.request_id),
        bounded_text(entry.action),
        bounded_text(entry.object),
        encode_values(entry.before),
        encode_values(entry.after),
        entry.outcome,
        entry.status,
        bounded_text(entry.message),
    )


def _append(tx: Transaction, values: tuple[SqlValue, ...]) -> None:
    last, digest = next(iter(tx.read(_LAST)), (0, FIRST))
    columns = (max(cast(int, last), _highest(tx)) + 1, *values)
    tx.run(_INSERT, (*columns, next_digest(cast(bytes, digest), columns)))


def _delete_oldest(tx: Transaction, before: float) -> int:
    last = 0
    for number, time in tx.read(_OLDEST, (BATCH,)):
        # Entries go in the order of their ids: a clock that was set back must leave no gap.
        if cast(float, time) >= before:
            break
        last = cast(int, number)
    return tx.run(_DELETE, (last,)) if last else 0


def _highest(reader: Reader) -> int:
    """Highest id that was ever given."""
    return cast("int | None", reader.read(_HIGHEST)[0][0]) or 0


def _prove(reader: Reader) -> Proof:
    entries = first = last = 0
    digest, broken_at = FIRST, None
    while rows := reader.read(_NEXT, (last, BATCH)):
        for row in rows:
            number, found = cast(int, row[0]), cast(bytes, row[-1])
            is_next = next_digest(digest, row[:-1]) == found
            # What was before the first entry that is left went with age, but never all of it.
            follows = not is_next if entries == 0 and number > 1 else is_next and number == last + 1
            if not follows and broken_at is None:
                broken_at = number
            entries, first, last, digest = entries + 1, first or number, number, found
    if broken_at is None and _highest(reader) != last:
        broken_at = last + 1  # the newest ones are missing
    return Proof(entries, first, last, digest.hex() if entries else "", broken_at)
