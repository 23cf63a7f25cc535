"""The directory: what is on disk, and what happens when the disk does not want to."""

import asyncio
import threading

import pytest

from tests.storage.test_base import new_key, read
from trailbase_server.errors import NotFoundError
from trailbase_server.storage import local
from trailbase_server.storage.base import StorageUnavailableError
from trailbase_server.storage.local import LocalStorage


@pytest.fixture
async def storage(tmp_path):
    store = LocalStorage(tmp_path)
    yield store
    await store.close()


@pytest.mark.case("T-61")
async def test_an_object_is_a_file_named_by_its_key(storage, tmp_path):
    key = new_key()
    await storage.put(key, b"words")
    assert (tmp_path / key).read_bytes() == b"words"
    assert list((tmp_path / ".incoming").iterdir()) == []


async def test_a_reader_keeps_what_is_deleted_under_it(storage):
    key = new_key()
    await storage.put(key, b"words")
    found = await storage.open(key)
    await storage.delete(key)
    assert [c async for c in found.chunks(0, 5)] == [b"words"]


async def test_a_link_leads_nowhere(storage, tmp_path):
    key = new_key()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / key).symlink_to(tmp_path / "secret")
    with pytest.raises(StorageUnavailableError):
        await storage.open(key)


async def test_a_directory_that_is_gone_is_unavailable(tmp_path):
    storage = LocalStorage(tmp_path / "gone")
    with pytest.raises(NotFoundError):
        await storage.open(new_key())
    (tmp_path / "gone").write_text("a file in its place")
    with pytest.raises(StorageUnavailableError):
        await storage.put(new_key(), b"x")
    await storage.close()


@pytest.mark.case("T-90")
async def test_a_full_disk_leaves_nothing_behind(storage, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(local.os, "fsync", full)
    path = await storage.spool.append(None, b"x")
    for content in (b"words", path):
        with pytest.raises(StorageUnavailableError):
            await storage.put(new_key(), content)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == []


async def test_a_file_that_shrinks_is_an_error_and_no_endless_loop(storage, tmp_path):
    key = new_key()
    await storage.put(key, b"words")
    found = await storage.open(key)
    (tmp_path / key).write_bytes(b"w")
    with pytest.raises(StorageUnavailableError):
        [c async for c in found.chunks(0, 5)]


def cannot_tell(*_):
    raise BlockingIOError(11, "not in memory")


@pytest.mark.parametrize("change", [("_NO_WAIT", None), ("os.preadv", cannot_tell)])
async def test_what_is_not_in_memory_is_read_in_a_thread(storage, monkeypatch, change):
    monkeypatch.setattr(f"trailbase_server.storage.local.{change[0]}", change[1], raising=False)
    key = new_key()
    data = bytes(range(256)) * 5000
    await storage.put(key, data)
    assert await read(storage, key) == data
    assert await read(storage, key, 1000, 900_000) == data[1000:900_000]


async def test_what_waits_for_the_threads_is_bounded(storage, monkeypatch):
    monkeypatch.setattr(local, "MAX_WAITING", 5)
    gate = threading.Event()
    waiting = [asyncio.ensure_future(storage.run(gate.wait)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(StorageUnavailableError):
        await storage.delete(new_key())
    gate.set()
    await asyncio.gather(*waiting)
    key = new_key()
    await storage.put(key, b"again")
    assert await read(storage, key) == b"again"


async def test_nothing_is_deleted_while_objects_are_kept(tmp_path):
    store = LocalStorage(tmp_path)
    key = "0190a000-0000-7000-8000-000000000001"
    await store.put(key, b"x")
    async with store.keeping():
        waiting = asyncio.ensure_future(store.delete(key))
        await asyncio.sleep(0.02)
        assert [one async for one in store.list()] == [key]
    await waiting
    assert [one async for one in store.list()] == []
    await store.close()
