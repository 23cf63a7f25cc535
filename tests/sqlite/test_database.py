import asyncio

from tests.write_jobs import insert_word
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


async def test_a_held_writer_begins_nothing(database):
    async with database.held():
        waiting = asyncio.ensure_future(database.write(insert_word, "later"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert database.read("SELECT word FROM item") == []
    await waiting
    assert database.read("SELECT word FROM item") == [("later",)]
