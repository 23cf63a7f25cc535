"""Engine errors become ``db.errors`` here and nowhere else (spec sqlite/2.13)."""

import apsw

from trailbase_server.db.errors import (
    BusyError,
    ClosedError,
    ConstraintError,
    DatabaseError,
    DiskError,
    RejectedError,
)

_CONSTRAINTS = {
    apsw.SQLITE_CONSTRAINT_CHECK: "check",
    apsw.SQLITE_CONSTRAINT_COMMITHOOK: "commit hook",
    apsw.SQLITE_CONSTRAINT_FOREIGNKEY: "fk",
    apsw.SQLITE_CONSTRAINT_FUNCTION: "function",
    apsw.SQLITE_CONSTRAINT_NOTNULL: "not null",
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY: "pk",
    apsw.SQLITE_CONSTRAINT_TRIGGER: "trigger",
    apsw.SQLITE_CONSTRAINT_UNIQUE: "unique",
    apsw.SQLITE_CONSTRAINT_VTAB: "vtab",
    apsw.SQLITE_CONSTRAINT_ROWID: "row id",
    apsw.SQLITE_CONSTRAINT_PINNED: "pinned",
    apsw.SQLITE_CONSTRAINT_DATATYPE: "data type",
}
_DISK = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.PermissionsError,
)
_BUSY = (apsw.BusyError, apsw.LockedError)
# Refused because of the values, not because of the statement.
_VALUES = (apsw.TooBigError, apsw.MismatchError, apsw.RangeError)


def translate_error(exc: Exception, *, compiles: bool = False) -> DatabaseError:
    """
    Turn what a statement raised into an error of ours.

    Args:
        exc: What apsw, or a function called by the statement, raised.
        compiles: The statement is known to compile: a generic SQL error then came from running
            it on these values.

    Returns:
        The error to raise ``from exc``.
    """
    detail = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, apsw.ConstraintError):
        code = exc.extendedresult  # type: ignore[attr-defined]  # set on every apsw error
        return ConstraintError(_CONSTRAINTS.get(code, "check"), detail=detail)
    if isinstance(exc, _BUSY):
        return BusyError(detail=detail)
    if isinstance(exc, _DISK):
        return DiskError("the database cannot be written now", detail=detail)
    if isinstance(exc, apsw.ConnectionClosedError):
        return ClosedError("shutting down", detail=detail)
    if isinstance(exc, _VALUES) or not isinstance(exc, apsw.Error):
        return RejectedError(detail=detail)
    if isinstance(exc, apsw.SQLError) and compiles:
        return RejectedError(detail=detail)
    return DatabaseError(detail=detail)


def compile_error(connection: apsw.Connection, sql: str) -> str | None:
    """Compile a statement without running it: None, or the engine's message."""
    try:
        connection.execute(sql, explain=1, can_cache=False).close()
    except apsw.BindingsError:  # it compiled, and misses its parameters
        return None
    except apsw.Error as exc:
        return str(exc)
    return None
