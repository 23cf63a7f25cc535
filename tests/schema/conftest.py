"""Databases made of a script, read the way the engine lets them be read."""

import apsw
import pytest

from trailbase_server.db.errors import DatabaseError

FUNCTIONS = ("is_uuid", "is_uuid_v4", "is_uuid_v7", "jsonschema", "jsonschema_matches", "is_json",
             "ST_IsValid", "uuid_v7")  # fmt: skip


@pytest.fixture
def read_script():
    """Make a database of a script; gives the function that reads it."""

    def open_script(script):
        connection = apsw.Connection(":memory:")
        for function in FUNCTIONS:
            connection.create_scalar_function(function, lambda *_: 1, deterministic=True)
        connection.execute(script).fetchall()

        def read(sql):
            try:
                return connection.execute(sql).fetchall()
            except apsw.Error as exc:
                raise DatabaseError(detail=str(exc)) from exc

        return read

    return open_script
