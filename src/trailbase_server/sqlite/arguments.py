"""What SQL functions require of their arguments: storage classes, without coercion."""

from trailbase_server.db.values import SqlValue


class FunctionError(ValueError):
    """A SQL function was called with values it cannot work on (the engine: ``RejectedError``)."""


def check_text(value: SqlValue) -> str:
    """Require TEXT."""
    if isinstance(value, str):
        return value
    raise FunctionError(f"TEXT expected, not {_storage_class(value)}")


def check_blob(value: SqlValue) -> bytes:
    """Require BLOB."""
    if isinstance(value, bytes):
        return value
    raise FunctionError(f"BLOB expected, not {_storage_class(value)}")


def check_integer(value: SqlValue) -> int:
    """Require INTEGER."""
    if isinstance(value, int):
        return value
    raise FunctionError(f"INTEGER expected, not {_storage_class(value)}")


def check_number(value: SqlValue) -> float:
    """Require INTEGER or REAL."""
    if isinstance(value, int | float):
        return float(value)
    raise FunctionError(f"a number expected, not {_storage_class(value)}")


def _storage_class(value: SqlValue) -> str:
    names = {type(None): "NULL", int: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}
    return names[type(value)]
