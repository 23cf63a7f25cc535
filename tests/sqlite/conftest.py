"""A database on disk with two small tables, opened by the real engine."""

import pytest

from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles, open_connection

SCHEMA = """
CREATE TABLE item (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE child (id INTEGER PRIMARY KEY,
  item INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
"""


@pytest.fixture
def files(tmp_path):
    files = DatabaseFiles(tmp_path / "main.db")
    connection = open_connection(files, "migrator")
    connection.execute(SCHEMA).fetchall()
    connection.close()
    return files


@pytest.fixture
async def database(files):
    database = SqliteDatabase(files)
    yield database
    await database.close()
