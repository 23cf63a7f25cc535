import asyncio

from tests.write_jobs import insert_word
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


async def test_what_is_left_to_others_is_not_copied_back_unless_it_runs_away(files, monkeypatch):
    monkeypatch.setattr(checkpoint, "LONG_PAGES", 5)
    monkeypatch.setattr(checkpoint, "IDLE_S", 0.01)
    monkeypatch.setattr(checkpoint, "RUNAWAY_PAGES", 60)
    database = SqliteDatabase(files)
    database.leave_checkpoints(is_left=True)
    for turn in range(10):
        await database.write(insert_word, f"{turn}-{'x' * 5000}")
    await asyncio.sleep(0.1)
    grown = wal_bytes(files)
    assert grown > 10 * 2 * 4096, "nothing was copied back"
    for turn in range(60):
        await database.write(insert_word, f"more-{turn}-{'x' * 5000}")
        await asyncio.sleep(0)
    assert wal_bytes(files) < 100 * 4096, "it begins anew in time"
    monkeypatch.setattr(checkpoint, "LONG_PAGES", 2_000)
    database.leave_checkpoints(is_left=False)
    await database.write(insert_word, "mine again")
    for _ in range(200):
        await asyncio.sleep(0.01)
        if wal_bytes(files) == 0:
            break
    assert wal_bytes(files) == 0
    await database.close()
