"""
Run one SQL script of many statements inside a transaction of ours, and say where it fails.

The engine compiles and runs statement after statement. A tracer sees the text of each before it
runs; what it has seen, taken together, is a prefix of the script: so the place of a failure is
known without a parser of ours.

An authorizer refuses BEGIN, COMMIT and ROLLBACK while they are compiled: a script that ended the
transaction could be applied in half. Savepoints are its own business.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

_EXCERPT = 100  # characters of a statement that a message shows
_CONTROL = "a migration runs in one transaction of its own and may not contain "


class ScriptError(Exception):
    """
    A statement failed.

    Args:
        line: Its line, from 1; that of the offending token where the engine tells it.
        statement: Its beginning on one line.
        message: The engine's words.
    """

    def __init__(self, line: int, statement: str, message: str) -> None:
        super().__init__(f"{line}: {message}: {statement}")
        self.line = line
        self.statement = statement
        self.message = message


def run_script(connection: apsw.Connection, sql: str) -> None:
    """
    Run all statements of a script.

    Args:
        connection: Inside a transaction, which stays open; after an error it is the caller's to
            roll back.
        sql: Any number of statements; rows they return are dropped.

    Raises:
        ScriptError: A statement failed or would have ended the transaction.

    Spec:
        server/execution
    """
    seen: list[str] = []

    def trace(_cursor: apsw.Cursor, text: str, _bindings: object) -> bool:
        seen.append(text)
        return True

    if "\0" in sql:
        raise _script_error(sql, sql.index("\0"), "null character")
    cursor = connection.cursor()
    cursor.exec_trace = trace
    try:
        with _without_transaction_control(connection):
            for _ in cursor.execute(sql):
                pass
    except Exception as exc:  # what a function called by the script raises arrives as it is
        start, offset = _locate(connection, sql, seen, exc)
        raise _script_error(sql, start, str(exc), offset) from exc


@contextmanager
def _without_transaction_control(connection: apsw.Connection) -> Iterator[None]:
    refused: list[str] = []

    def authorize(action: int, operation: str | None, *_rest: str | None) -> int:
        if action == apsw.SQLITE_TRANSACTION:
            refused.append(operation or "")
            return apsw.SQLITE_DENY
        return apsw.SQLITE_OK

    connection.authorizer = authorize
    try:
        yield
    except apsw.AuthError as exc:
        if refused:
            raise apsw.AuthError(_CONTROL + refused[-1]) from exc
        raise
    finally:
        connection.authorizer = None


def _locate(
    connection: apsw.Connection, sql: str, seen: list[str], exc: Exception
) -> tuple[int, int]:
    """
    Find the failed statement.

    Returns:
        Where it starts in the script, and the offset of the offending token in it.
    """
    compiled = sum(map(len, seen))
    rest = sql[compiled:]
    # The next statement did not compile, or the last one that did failed while it ran.
    if rest and _compile_error(connection, rest) == str(exc):
        at = max(getattr(exc, "error_offset", -1), 0)  # in bytes
        return compiled, len(rest.encode()[:at].decode(errors="ignore"))
    return compiled - (len(seen[-1]) if seen else 0), 0


def _compile_error(connection: apsw.Connection, rest: str) -> str | None:
    """Compile the next statement without running it: None, or the engine's message."""
    cursor = connection.cursor()
    cursor.exec_trace = lambda *_: False
    try:
        with _without_transaction_control(connection):
            cursor.execute(rest)
    except apsw.ExecTraceAbort:
        return None
    except apsw.Error as exc:
        return str(exc)
    return None


def _script_error(sql: str, start: int, message: str, offset: int = 0) -> ScriptError:
    first = start + _blank_length(sql[start:])
    place = max(first, start + offset)
    statement = " ".join(sql[first : first + 4 * _EXCERPT].partition(";")[0].split())
    if len(statement) > _EXCERPT:
        statement = statement[: _EXCERPT - 1] + "…"
    return ScriptError(1 + sql.count("\n", 0, place), statement, message)


def _blank_length(text: str) -> int:
    """Length of the white space, empty statements and comments that ``text`` begins with."""
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] == ";":
            at += 1
        elif text.startswith("--", at):
            at = _after(text, "\n", at)
        elif text.startswith("/*", at):
            at = _after(text, "*/", at + 2)
        else:
            break
    return at


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)
