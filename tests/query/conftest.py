"""A table of every type in a real SQLite, set up like the engine sets it up."""

import re

import apsw
import pytest

from trailbase_server.query.filter import FilterColumn
from trailbase_server.schema.model import DataType

COLUMNS = {
    name: FilterColumn(name, data_type)
    for name, data_type in {
        "id": DataType.INTEGER,
        "i": DataType.INTEGER,
        "r": DataType.REAL,
        "t": DataType.TEXT,
        "b": DataType.BLOB,
        "a": DataType.ANY,
        'odd "name"': DataType.TEXT,
    }.items()
}
COLUMNS["g"] = FilterColumn("g", DataType.BLOB, True)


def regexp(pattern, value):
    if not isinstance(value, str):
        raise TypeError("text wanted")
    return re.search(pattern, value) is not None


def open_table(collation="BINARY"):
    connection = apsw.Connection(":memory:")
    connection.create_scalar_function("regexp", regexp, 2, deterministic=True)
    connection.execute("PRAGMA case_sensitive_like = ON").fetchall()
    connection.execute(
        "CREATE TABLE row (id INTEGER PRIMARY KEY, i INTEGER, r REAL,"
        f' t TEXT COLLATE {collation}, b BLOB, a ANY, g BLOB, "odd ""name""" TEXT) STRICT'
    )
    return connection


@pytest.fixture
def connection():
    connection = open_table()
    yield connection
    connection.close()


@pytest.fixture
def columns():
    return COLUMNS
