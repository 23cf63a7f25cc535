"""A database file opened by the engine, with the functions that migrations use."""

import pytest

from trailbase_server.migrations.migration import Migration, checksum
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection


@pytest.fixture
def connection(tmp_path):
    registry = SchemaRegistry()
    files = DatabaseFiles(
        tmp_path / "main.db",
        prepare=lambda connection: register_functions(connection, registry, None),
    )
    connection = open_connection(files, "migrator")
    yield connection
    connection.close()


@pytest.fixture
def make():
    """Build a migration from its title and text."""

    def make(title, sql="SELECT 1;", folder="migrations/main"):
        number, name = title[1:].split("__")
        value = str(checksum(name, int(number), sql))
        return Migration(title[0], int(number), name, sql, value, f"{folder}/{title}.sql")

    return make
