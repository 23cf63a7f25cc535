import asyncio

from tests.jobs import insert_word
from trailbase_server.sqlite import checkpoint
from trailbase_server.sqlite.database import SqliteDatabase


def wal_bytes(files):
    return files.path.with_name("main.db-wal").stat().st_size


async def test_the_log_starts_anew_under_steady_writing(files, monkeypatch):
    monkeypatch.setattr(checkpoint, "LONG_PAGES", 20)
    database = SqliteDatabase(files)
    for turn in range(60):
        await asyncio.gather(
            *(database.write(insert_word, f"{turn}-{n}-{'x' * 500}") for n in range(8))
        )
    size = wal_bytes(files)
    await database.close()

    # 60 turns of two pages or more would have made 480 kB.
    assert 0 < size < 300_000


async def test_the_log_is_truncated_when_nothing_is_written(files, monkeypatch):
    monkeypatch.setattr(checkpoint, "IDLE_S", 0.01)
    database = SqliteDatabase(files)
    await database.write(insert_word, "oak")
    for _ in range(200):
        await asyncio.sleep(0.01)
        if wal_bytes(files) == 0:
            break
    assert wal_bytes(files) == 0
    await database.close()
