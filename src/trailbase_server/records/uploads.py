"""
Changes of records that may bring files: store the objects, write the rows, tidy up.

In order: rules where they can be checked beforehand, so that nothing is stored for who may not
write; a note that objects are coming (``storage.deletions``); the objects; the rows; deletion of
what the rows no longer refer to. When something fails on the way, the objects are deleted again.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from trailbase_server.db.dialect import quote
from trailbase_server.db.errors import OverBudgetError
from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import AppError
from trailbase_server.records.access import read_ruled
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import Key
from trailbase_server.records.file_entries import FileValue, Upload
from trailbase_server.records.file_writes import FileWrite, run_file_writes
from trailbase_server.records.state import RecordsState
from trailbase_server.records.writes import Write
from trailbase_server.storage.base import Storage
from trailbase_server.storage.deletions import (
    PendingUpload,
    announce_uploads,
    delete_claimed,
    queue_name,
    settle_claims,
)
from trailbase_server.storage.metadata import render_metadata

log = logging.getLogger(__name__)
MAX_AT_ONCE = 4  # objects of a request that are being stored


class RecordChange(NamedTuple):
    """
    A change that is about to be made.

    Attributes:
        api: Of the record.
        write: As prepared.
        key: Of the record whose files may be kept; None for a new one.
    """

    api: RecordApi
    write: Write
    key: Key | None


class _Plan(Struct):
    """One change on its way."""

    write: FileWrite
    uploads: tuple[Upload, ...]
    table: str


async def write_with_files(
    state: RecordsState, changes: Sequence[RecordChange], *, rules_first: bool
) -> list[list[Row]]:
    """
    Make changes in one transaction, with the files they bring.

    Args:
        state: With a storage.
        changes: Of tables in one database.
        rules_first: No rule depends on the changes before it.

    Returns:
        As of ``writes.run_batch``.

    Raises:
        StorageUnavailableError: Nothing has changed.
        AppError: As of ``file_writes.run_file_writes``.

    Spec:
        records/ordering-and-clean-up
    """
    plans = [_plan(change) for change in changes]
    coming = [plan for plan in plans if plan.uploads]
    if coming and rules_first:
        await _check_rules(state, plans)
    await _announce(state, coming)
    try:
        await _store(state.storage, coming)
        outcome = await state.database.write(
            run_file_writes, [plan.write for plan in plans], rules_first=rules_first
        )
    except AppError:
        await _discard(state, coming)
        raise
    # A row that met an existing one, where the API ignores such conflicts, takes no files.
    refused = [p for p, rows in zip(plans, outcome.rows, strict=True) if p.uploads and not rows]
    await _discard(state, refused)
    try:
        if outcome.claims:
            await delete_claimed(state.database, state.storage, outcome.claims)
    except AppError as exc:  # the records are written: that is what the answer is about
        log.warning("files of changed records are left to the job: %s", exc.detail)
    return outcome.rows


def _plan(change: RecordChange) -> _Plan:
    api, write, key = change
    values = [param for param in write.params if type(param) is FileValue]
    kept = tuple(value.column for value in values if value.kept)
    stored_sql = None
    if kept:
        columns = ", ".join(map(quote, kept))
        stored_sql = f"SELECT {columns} FROM {api.table_sql} WHERE {quote(api.key.name)} = ?1"  # noqa: S608  # quoted
    queue = queue_name(api.table.database_schema) if api.file_columns else None
    light = replace(
        write,
        params=list(map(_without_contents, write.params)),
        rule_params=list(map(_without_contents, write.rule_params)),
    )
    return _Plan(
        FileWrite(light, stored_sql, (key,), kept, queue, None),
        tuple(upload for value in values for upload in value.uploads),
        api.table_sql,
    )


def _without_contents(value: SqlValue) -> SqlValue:
    """A job is data: what it does not need does not go with it."""
    return value.without_contents() if type(value) is FileValue else value


async def _check_rules(state: RecordsState, plans: Sequence[_Plan]) -> None:
    for plan in plans:
        write = plan.write.write
        # What a rule sees of kept files is only known in the transaction.
        if write.rule_sql is None or plan.write.stored_sql is not None:
            continue
        read = state.database.read
        try:
            read_ruled(read, write.rule_sql, write.rule_params)
        except OverBudgetError:
            await state.database.on_pool(read_ruled, read, write.rule_sql, write.rule_params)


async def _announce(state: RecordsState, plans: Sequence[_Plan]) -> None:
    if not plans:
        return
    texts = [render_metadata([upload.metadata for upload in plan.uploads]) for plan in plans]
    rows = [
        (plan.write.queue or "", plan.table, text) for plan, text in zip(plans, texts, strict=True)
    ]
    ids = await state.database.write(announce_uploads, rows)
    for plan, row_id, text in zip(plans, ids, texts, strict=True):
        plan.write = plan.write._replace(pending=PendingUpload(row_id, text))


async def _store(storage: Storage, plans: Sequence[_Plan]) -> None:
    uploads = [upload for plan in plans for upload in plan.uploads]
    if len(uploads) == 1:
        await storage.put(uploads[0].key, uploads[0].content)
        return
    gate = asyncio.Semaphore(MAX_AT_ONCE)

    async def put(upload: Upload) -> None:
        async with gate:
            await storage.put(upload.key, upload.content)

    # All of them come to an end before anything else happens: a failure must not leave one behind
    # that is stored after it was cleaned up.
    for result in await asyncio.gather(*map(put, uploads), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _discard(state: RecordsState, plans: Sequence[_Plan]) -> None:
    """Delete objects that no row refers to; what cannot be deleted now is left to the job."""
    try:
        for plan in plans:
            for upload in plan.uploads:
                await state.storage.delete(upload.key)
            if plan.write.queue is not None and plan.write.pending is not None:
                done = (plan.write.pending,)
                await state.database.write(settle_claims, plan.write.queue, done, ())
    except AppError as exc:
        log.warning("files of a failed upload are left to the job: %s", exc.detail)
