import apsw
import pytest

from trailbase_server.db.errors import (
    BusyError,
    ConstraintError,
    DatabaseError,
    DiskError,
    RejectedError,
)
from trailbase_server.sqlite.errors import compile_error, translate_error

SCHEMA = """
CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE t (id INT PRIMARY KEY, n INTEGER NOT NULL, u TEXT UNIQUE,
  c INTEGER CHECK (c > 0), p INTEGER REFERENCES p (id)) STRICT;
CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.u = 'no' BEGIN SELECT RAISE(ABORT, 'no'); END;
PRAGMA foreign_keys = ON;
"""


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("1, NULL, NULL, NULL, NULL", "not null"),
        ("1, 1, NULL, 0, NULL", "check"),
        ("9, 1, NULL, NULL, NULL", "pk"),
        ("1, 1, 'taken', NULL, NULL", "unique"),
        ("1, 1, NULL, NULL, 5", "fk"),
        ("1, 1, 'no', NULL, NULL", "trigger"),
        ("1, 'one', NULL, NULL, NULL", "data type"),
    ],
)
def test_each_constraint_has_its_name(values, kind):
    connection = apsw.Connection(":memory:")
    connection.execute(SCHEMA).fetchall()
    connection.execute("INSERT INTO t VALUES (9, 1, 'taken', NULL, NULL)")
    with pytest.raises(apsw.ConstraintError) as caught:
        connection.execute(f"INSERT INTO t VALUES ({values})").fetchall()
    error = translate_error(caught.value)

    assert isinstance(error, ConstraintError)
    assert (error.kind, error.public, error.status) == (kind, f"db constraint: {kind}", 400)


@pytest.mark.parametrize(
    ("exc", "kind", "status"),
    [
        (apsw.BusyError("locked"), BusyError, 503),
        (apsw.FullError("full"), DiskError, 503),
        (apsw.ReadOnlyError("ro"), DiskError, 503),
        (apsw.CorruptError("bad"), DatabaseError, 500),
        (apsw.SQLError("no such column"), DatabaseError, 500),
        (ValueError("raised by a function"), RejectedError, 400),
        (apsw.TooBigError("too big"), RejectedError, 400),
    ],
)
def test_other_failures_are_told_apart(exc, kind, status):
    error = translate_error(exc)
    assert type(error) is kind
    assert error.status == status


def test_a_statement_compiles_without_its_parameters_and_is_not_run():
    connection = apsw.Connection(":memory:")
    connection.execute(SCHEMA).fetchall()

    assert compile_error(connection, "INSERT INTO p (id) VALUES (?1)") is None
    assert "no such column" in compile_error(connection, "SELECT colour FROM p")
    assert connection.execute("SELECT COUNT(*) FROM p").get == 0
