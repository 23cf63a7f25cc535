"""
Writes that involve files, as jobs of the writer (``storage.deletions`` says what keeps rows and
objects together).
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from trailbase_server.db.base import Transaction
from trailbase_server.db.values import Params, Row, SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.records.access import read_ruled
from trailbase_server.records.file_entries import FileValue
from trailbase_server.records.writes import INVALID_VALUES, Write, run_write
from trailbase_server.storage.deletions import (
    Claim,
    PendingUpload,
    claim_since,
    last_row,
    take_upload,
)


class FileWrite(NamedTuple):
    """
    A change of one row of a table with file columns.

    Attributes:
        write: Its parameters may be ``FileValue``.
        stored_sql: Reads the columns that keep files, in the order of ``kept_columns``; None where
            nothing is kept.
        stored_params: Its parameters.
        kept_columns: Names.
        queue: Quoted name of the table with deletions; None if no files can be involved.
        pending: The row of the upload, None without one.
    """

    write: Write
    stored_sql: str | None
    stored_params: Params
    kept_columns: tuple[str, ...]
    queue: str | None
    pending: PendingUpload | None


class FileOutcome(NamedTuple):
    """What a job did: the rows of each write, and what is to be deleted after the commit."""

    rows: list[list[Row]]
    claims: list[Claim]


def run_file_writes(
    tx: Transaction, writes: Sequence[FileWrite], *, rules_first: bool
) -> FileOutcome:
    """
    Write job: make changes that involve files; all or nothing.

    Args:
        tx: The writer.
        writes: In order.
        rules_first: All rules come before the first change.

    Raises:
        BadRequestError: A file to keep is not in the row.
        UploadExpiredError: The objects are being deleted already.
        ForbiddenError, NotFoundError, ConstraintError, RejectedError: As of ``run_write``.
    """
    if rules_first:
        for one in writes:
            write, _ = _with_stored(tx, one)
            if write.rule_sql is not None:
                read_ruled(tx.read, write.rule_sql, write.rule_params)
    outcome = FileOutcome([], [])
    for one in writes:
        _run(tx, one, outcome, checks_rule=not rules_first)
    return outcome


def _run(tx: Transaction, one: FileWrite, outcome: FileOutcome, *, checks_rule: bool) -> None:
    write, is_complete = _with_stored(tx, one)
    if checks_rule and write.rule_sql is not None:
        read_ruled(tx.read, write.rule_sql, write.rule_params)
    if not is_complete:
        raise BadRequestError(INVALID_VALUES, detail="a file to keep is not in the record")
    if one.queue is None:
        outcome.rows.append(run_write(tx, replace(write, rule_sql=None)))
        return
    last = last_row(tx, one.queue)
    rows = run_write(tx, replace(write, rule_sql=None))
    outcome.rows.append(rows)
    outcome.claims.extend(claim_since(tx, one.queue, last))
    if rows and one.pending is not None:
        take_upload(tx, one.queue, one.pending)


def _with_stored(tx: Transaction, one: FileWrite) -> tuple[Write, bool]:
    """Put the stored metadata of kept files into the parameters; False if some is missing."""
    if one.stored_sql is None:
        return one.write, True
    rows = tx.read(one.stored_sql, one.stored_params)
    if not rows:
        # No record: the rule or the statement will say so. An insert has nothing to keep.
        return one.write, one.write.must_exist
    stored = dict(zip(one.kept_columns, rows[0], strict=True))
    missing = []

    def keep(value: SqlValue) -> SqlValue:
        if type(value) is not FileValue or not value.kept:
            return value
        text = value.keep(stored[value.column])
        if text is None:
            missing.append(value.column)
            return value
        return text

    rule_params = [keep(value) for value in one.write.rule_params]
    params = [keep(value) for value in one.write.params]
    return replace(one.write, rule_params=rule_params, params=params), not missing
