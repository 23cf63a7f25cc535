"""Vector functions come when they are asked for."""

import struct

import pytest

from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import open_connection
from trailbase_server.sqlite.vectors import load_vectors, needs_vectors


@pytest.mark.parametrize(
    "message",
    [
        "no such function: vec_f32",
        "SQLError: no such function: VEC_distance_l2",
        "no such module: vec0",
        "no such table: vec_each",
    ],
)
def test_messages_that_ask_for_vectors(message):
    assert needs_vectors(message)


@pytest.mark.parametrize("message", ["no such function: vector", "no such table: vec", ""])
def test_messages_that_do_not(message):
    assert not needs_vectors(message)


def test_loading_into_a_connection(files):
    connection = open_connection(files, "migrator")
    load_vectors(connection)
    (row,) = connection.execute("SELECT vec_f32('[1, 2]'), vec_to_json(x'0000803f')").fetchall()
    assert row == (struct.pack("<2f", 1, 2), "[1.000000]")
    connection.execute("CREATE VIRTUAL TABLE near USING vec0 (place FLOAT[2])").fetchall()
    connection.execute("INSERT INTO near (place) VALUES ('[0, 0]'), ('[3, 4]')").fetchall()
    found = connection.execute(
        "SELECT rowid, distance FROM near WHERE place MATCH '[3, 3]' AND k = 1"
    ).fetchall()
    assert found == [(2, 1.0)]
    connection.close()


def compare(tx, left, right):
    return tx.read("SELECT vec_distance_l2(?1, ?2)", (left, right))[0][0]


async def test_readers_and_writer_load_them_by_themselves(database: SqliteDatabase):
    assert database.read("SELECT vec_length('[1, 2, 3]')") == [(3,)]
    assert database.prepare_error("SELECT vec_type(?1)") is None
    assert await database.write(compare, "[0, 0]", "[3, 4]") == 5.0
