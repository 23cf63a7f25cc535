"""
Run a script that an administrator has typed, on a connection of its own.

The script is compiled before it runs: one mistake in its syntax and nothing of it happens. Then its
statements run one by one and commit as they go, unless it says BEGIN itself; what is open at the
end is rolled back. The rows are those of the last statement.

An authorizer keeps the script where it belongs: it cannot attach files, and a reading script cannot
change anything. Time and size of the result are bounded (spec admin-api/post-query).
"""

from collections.abc import Iterator
from contextlib import closing

import apsw
from msgspec import Struct

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.db.values import Row
from trailbase_server.errors import BadRequestError, PreconditionError
from trailbase_server.sqlite.budget import STEPS_PER_CHECK
from trailbase_server.sqlite.errors import compile_error
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.sqlite.vectors import load_vectors, needs_vectors

MAX_SCRIPT_CHARS = 1_000_000  # what is typed is short, and finding its statements is quadratic
MAX_SECONDS = 30.0  # of a script: while it writes, nobody else does
MAX_ROWS = 100_000  # of a result: it is held in memory whole
MAX_RESULT_BYTES = 64 * 1024 * 1024  # of a result's texts and blobs, for the same reason
_SYNTAX = ("syntax error", "incomplete input", "unrecognized token")
_READING = frozenset(
    (apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE)
)
_REFUSED = {
    apsw.SQLITE_ATTACH: "precondition failed: Attach not allowed",
    apsw.SQLITE_DETACH: "precondition failed: Detach not allowed",
}


class ScriptResult(Struct, frozen=True):
    """
    What a script came to.

    Attributes:
        columns: Name and declared type of the last statement's columns; None without rows.
        rows: Of the last statement.
        changes_schema: Tables or views are others than before.
        error: Why it ended early: what ran before stays.
    """

    columns: list[tuple[str, str | None]] | None
    rows: list[Row]
    changes_schema: bool
    error: str | None = None


def run_console(files: DatabaseFiles, sql: str, *, read_only: bool = False) -> ScriptResult:
    """
    Run a script; blocks, so not for the event loop.

    Args:
        files: What it may use.
        sql: Any number of statements.
        read_only: Refuse whatever could change something.

    Returns:
        The result, also of a script that failed on the way.

    Raises:
        BadRequestError: Its syntax is wrong; nothing has run.
        PreconditionError: It contains what is not allowed; nothing has run.

    Spec:
        admin-api/post-query
    """
    if len(sql) > MAX_SCRIPT_CHARS:
        raise BadRequestError(f"a script has at most {MAX_SCRIPT_CHARS} characters")
    if "\0" in sql:
        raise BadRequestError("null character")
    statements = list(split_statements(sql))
    with closing(open_connection(files, "reader" if read_only else "writer")) as connection:
        before = _schema_versions(connection)
        denied = _guard(connection, read_only=read_only)
        for statement in statements:
            _check(connection, statement, denied)
        columns, rows, error = _run_all(connection, statements)
        connection.authorizer = None
        connection.set_progress_handler(None)
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return ScriptResult(columns, rows, _schema_versions(connection) != before, error)


def split_statements(sql: str) -> Iterator[str]:
    """Split a script after those semicolons that end a statement; blanks are left out."""
    start = 0
    at = sql.find(";")
    while at >= 0:
        statement = sql[start : at + 1]
        if apsw.complete(statement):
            if statement.strip(" \t\r\n\f;"):
                yield statement
            start = at + 1
        at = sql.find(";", at + 1)
    if sql[start:].strip():
        yield sql[start:]


def is_syntax_error(message: str) -> bool:
    """Is it about the text alone, and not about what the databases contain?"""
    return any(mark in message for mark in _SYNTAX)


def _guard(connection: apsw.Connection, *, read_only: bool) -> list[int]:
    """Bound what the script may do, and for how long; the list gets the actions it is denied."""
    end = SYSTEM_CLOCK.monotonic() + MAX_SECONDS
    denied: list[int] = []

    def authorize(action: int, file: str | None, *_rest: str | None) -> int:
        # A file without a name is what VACUUM attaches for itself.
        is_refused = action in _REFUSED and (action, file) != (apsw.SQLITE_ATTACH, "")
        if is_refused or (read_only and action not in _READING):
            denied.append(action)
            return apsw.SQLITE_DENY
        return apsw.SQLITE_OK

    connection.authorizer = authorize
    connection.set_progress_handler(lambda: SYSTEM_CLOCK.monotonic() > end, STEPS_PER_CHECK)
    return denied


def _check(connection: apsw.Connection, statement: str, denied: list[int]) -> None:
    """Compile a statement: wrong syntax and what is forbidden show now, the rest when it runs."""
    error = compile_error(connection, statement)
    if denied:
        raise PreconditionError(
            _REFUSED.get(denied[0], "precondition failed: Demo disallows mutation queries")
        )
    if error is None:
        return
    if needs_vectors(error):
        load_vectors(connection)
    elif is_syntax_error(error):
        raise BadRequestError(error)


def _run_all(
    connection: apsw.Connection, statements: list[str]
) -> tuple[list[tuple[str, str | None]] | None, list[Row], str | None]:
    columns: list[tuple[str, str | None]] | None = None
    rows: list[Row] = []
    for statement in statements:
        try:
            columns, rows = _run(connection, statement)
        except apsw.InterruptError:
            return None, [], f"the script took longer than {MAX_SECONDS:g} s"
        except Exception as exc:  # noqa: BLE001  # functions in it raise what they like
            return None, [], str(exc)
    return columns, rows, None


def _run(
    connection: apsw.Connection, statement: str
) -> tuple[list[tuple[str, str | None]] | None, list[Row]]:
    cursor = connection.execute(statement, can_cache=False)
    columns: list[tuple[str, str | None]] | None = None
    rows: list[Row] = []
    size = 0
    for row in cursor:
        if columns is None:
            columns = [(name, declared) for name, declared, *_ in cursor.get_description()]
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(rows) >= MAX_ROWS or size > MAX_RESULT_BYTES:
            cursor.close(True)
            raise ValueError("the result is too large: add a LIMIT")
        rows.append(row)
    return columns, rows


def _schema_versions(connection: apsw.Connection) -> list[tuple[str, int]]:
    names = [row[1] for row in connection.execute("PRAGMA database_list")]
    return [
        (name, connection.pragma("schema_version", schema=name)) for name in names if name != "temp"
    ]
