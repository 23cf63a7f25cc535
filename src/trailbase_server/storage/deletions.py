"""
Which objects are to be deleted, and their deletion.

Theory of operation
-------------------
Objects are stored before the row that refers to them, and deleted after it has let go of them. The
table ``_file_deletions`` of the same database says which objects are to be deleted:

* Triggers add a row when a file column changes or its record is deleted (``triggers``), in the
  transaction that does it. Who writes reads these rows right after its statement and *claims*
  them by counting an attempt; the objects are deleted after the commit.
* An upload adds a row *before* its objects are stored: they are to be deleted unless somebody wants
  them. The write that inserts the record removes that row in the same transaction. So whenever the
  process dies, either the record is there and nothing is to be deleted, or the objects still stand
  in the table.

Who deletes claims first, and an upload whose row was claimed by somebody else is refused: an object
is never deleted under a record that is being committed.

A row goes when its objects are gone. A crash, or a store that is down, leaves it with its count of
attempts and the last error; after ``MAX_ATTEMPTS`` it is left for people to look at.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from trailbase_server.db.base import Database, Transaction, single_statement
from trailbase_server.db.dialect import quote_qualified
from trailbase_server.errors import AppError, UnavailableError
from trailbase_server.schema.model import Catalog
from trailbase_server.storage.base import Storage
from trailbase_server.storage.metadata import object_keys

log = logging.getLogger(__name__)

QUEUE = "_file_deletions"
MAX_ATTEMPTS = 10  # then the row is left for the operator
MIN_AGE_S = 900  # of rows the job looks at: younger ones are somebody's business right now
BATCH = 100  # rows claimed at a time
MAX_AT_ONCE = 8  # objects that are being deleted
MAX_ERROR_CHARS = 500  # of the last failure that a row keeps


class UploadExpiredError(UnavailableError):
    """The objects were cleaned up before the record could be written: 503."""

    def __init__(self) -> None:
        super().__init__("the upload took too long")


class PendingUpload(NamedTuple):
    """A row that an upload has added: ``json`` makes sure that it is still the same one."""

    row_id: int
    json: str


class Claim(NamedTuple):
    """
    A row whose objects are to be deleted now.

    Attributes:
        queue: Quoted name of the table.
        row_id, json, updated_json: Of the row: what was referred to, and what still is.
    """

    queue: str
    row_id: int
    json: str
    updated_json: str | None


class DeletionReport(Struct, frozen=True):
    """How many rows are done, and how many have failed this time."""

    done: int
    failed: int


def queue_name(schema: str | None) -> str:
    """Quoted name of the table of deletions in a database."""
    return quote_qualified(schema or "main", QUEUE)


def queues(catalog: Catalog) -> list[str]:
    """Quoted names of all tables of deletions."""
    return [
        queue_name(table.name.database_schema)
        for table in catalog.tables.values()
        if table.name.name == QUEUE
    ]


def announce_uploads(tx: Transaction, uploads: Sequence[tuple[str, str, str]]) -> list[int]:
    """
    Write job: say that objects are going to be stored.

    Args:
        tx: The writer.
        uploads: Queue, name of the record's table, and metadata of the objects, for each record.

    Returns:
        Ids of the rows.
    """
    ids = []
    for queue, table, json in uploads:
        sql = (
            f"INSERT INTO {queue} (table_name, record_rowid, column_name, json) "  # noqa: S608  # quoted
            "VALUES (?1, 0, '', ?2) RETURNING id"
        )
        ids.append(tx.read(sql, (table, json))[0][0])
    return ids  # type: ignore[return-value]  # an INTEGER PRIMARY KEY


def last_row(tx: Transaction, queue: str) -> int:
    """Largest id in a queue: rows that are added from now on have larger ones."""
    return tx.read(f"SELECT max(id) FROM {queue}")[0][0] or 0  # type: ignore[return-value]  # noqa: S608  # quoted


def claim_since(tx: Transaction, queue: str, last: int) -> list[Claim]:
    """Claim, within a write job, what this job's statements have added after ``last_row``."""
    rows = tx.read(
        f"UPDATE {queue} SET attempts = attempts + 1 WHERE id > ?1 "  # noqa: S608  # quoted
        "RETURNING id, json, updated_json",
        (last,),
    )
    return [Claim(queue, *row) for row in rows]  # type: ignore[arg-type]  # a STRICT table


def take_upload(tx: Transaction, queue: str, pending: PendingUpload) -> None:
    """
    Say, within the write job that refers to them, that the objects of an upload are wanted.

    Raises:
        UploadExpiredError: They are being deleted, or are gone.
    """
    taken = tx.run(
        f"DELETE FROM {queue} WHERE id = ?1 AND json = ?2 AND attempts = 0",  # noqa: S608  # quoted
        pending,
    )
    if not taken:
        raise UploadExpiredError


def settle_claims(
    tx: Transaction, queue: str, done: Sequence[tuple[int, str]], failed: Sequence[tuple[int, str]]
) -> None:
    """
    Write job: strike off what was deleted, note what was not.

    Args:
        tx: The writer.
        queue: Quoted name of the table.
        done: Id and ``json`` of rows.
        failed: Id of rows, and why.
    """
    for row_id, json in done:
        tx.run(f"DELETE FROM {queue} WHERE id = ?1 AND json = ?2", (row_id, json))  # noqa: S608  # quoted
    for row_id, error in failed:
        tx.run(f"UPDATE {queue} SET errors = ?2 WHERE id = ?1", (row_id, error))  # noqa: S608  # quoted


async def process_file_deletions(
    database: Database, storage: Storage, queues: Iterable[str], before: int
) -> DeletionReport:
    """
    Run the job: look at all rows that are due, once.

    Args:
        database: Has the queues.
        storage: Has the objects.
        queues: Quoted names of the tables, one per database.
        before: Unix seconds; usually ``MIN_AGE_S`` ago. Younger rows wait.

    Raises:
        DatabaseError: The database does not work. What was claimed is tried again later.

    Spec:
        server/file-deletion-job
    """
    done = failed = 0
    for queue in queues:
        last = 0
        while True:
            claims = await database.write(claim_deletions, queue, last, before)
            if not claims:
                break
            last = max(claim.row_id for claim in claims)
            failures = await delete_claimed(database, storage, claims)
            failed += failures
            done += len(claims) - failures
    return DeletionReport(done, failed)


async def delete_claimed(database: Database, storage: Storage, claims: Sequence[Claim]) -> int:
    """
    Delete objects and settle the rows.

    Args:
        database: Has the queues.
        storage: Has the objects.
        claims: Rows whose attempt has been counted, in the database.

    Returns:
        How many have failed.
    """
    gate = asyncio.Semaphore(MAX_AT_ONCE)
    errors = await asyncio.gather(*(_delete_objects(storage, gate, claim) for claim in claims))
    for queue in dict.fromkeys(claim.queue for claim in claims):
        outcome = [(c, e) for c, e in zip(claims, errors, strict=True) if c.queue == queue]
        done = [(claim.row_id, claim.json) for claim, error in outcome if error is None]
        failed = [(claim.row_id, error) for claim, error in outcome if error is not None]
        await database.write(settle_claims, queue, done, failed)
    return sum(error is not None for error in errors)


@single_statement
def claim_deletions(tx: Transaction, queue: str, last: int, before: int) -> list[Claim]:
    """
    Write job: count an attempt for the next rows that are due.

    Args:
        tx: The writer.
        queue: Quoted name of the table.
        last: Largest id that was claimed before.
        before: Unix seconds.
    """
    rows = tx.read(
        f"UPDATE {queue} SET attempts = attempts + 1 WHERE id IN "  # noqa: S608  # quoted
        f"(SELECT id FROM {queue} WHERE id > ?1 AND deleted <= ?2 AND attempts < ?3 "
        "ORDER BY id LIMIT ?4) RETURNING id, json, updated_json",
        (last, before, MAX_ATTEMPTS, BATCH),
    )
    return [Claim(queue, *row) for row in rows]  # type: ignore[arg-type]  # a STRICT table


def make_all_due(tx: Transaction, queues: Sequence[str]) -> None:
    """
    Write job: let the next run of the job look at every row.

    Called while nobody serves: what is in the tables then was left by a process that has died.
    """
    for queue in queues:
        tx.run(f"UPDATE {queue} SET deleted = deleted - {MIN_AGE_S}")  # noqa: S608  # quoted


async def _delete_objects(storage: Storage, gate: asyncio.Semaphore, claim: Claim) -> str | None:
    """Delete what a row names and no longer refers to; returns what went wrong."""
    for key in sorted(object_keys(claim.json) - object_keys(claim.updated_json)):
        try:
            async with gate:
                await storage.delete(key)
        except AppError as exc:
            log.warning("a file cannot be deleted, it will be tried again: %s", exc.detail)
            return (exc.detail or str(exc))[:MAX_ERROR_CHARS]
    return None
