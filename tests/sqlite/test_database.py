import asyncio

import pytest

from tests.write_jobs import insert_word
from trailbase_server.db.errors import ConstraintError
from trailbase_server.sqlite.open import DatabaseFiles, open_connection


async def test_attaching_a_database_makes_it_readable_and_writable(database, tmp_path):
    other = tmp_path / "other.db"
    connection = open_connection(DatabaseFiles(other), "migrator")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT) STRICT").fetchall()
    connection.close()
    seen = []
    await database.listen(lambda changes: seen.extend((c.schema, c.table) for c in changes))

    await database.attach({"other": other})
    await database.write(insert_other)
    await database.write(insert_word, "oak")

    assert database.read('SELECT v FROM "other".t') == [("x",)]
    assert await database.on_pool(read_other, database) == [("x",)]
    assert seen == [("other", "t"), ("main", "item")]


def insert_other(tx):
    tx.run("INSERT INTO other.t (v) VALUES ('x')")


def read_other(database):
    return database.read("SELECT v FROM other.t")


async def test_a_submitted_job_is_awaited_like_a_write(database):
    assert await database.submit(insert_word, "oak") == 1
    with pytest.raises(ConstraintError):
        await database.submit(insert_word, "oak")
    assert database.read("SELECT word FROM item") == [("oak",)]


async def test_a_held_writer_begins_nothing(database):
    async with database.held():
        waiting = asyncio.ensure_future(database.write(insert_word, "later"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert database.read("SELECT word FROM item") == []
    await waiting
    assert database.read("SELECT word FROM item") == [("later",)]
