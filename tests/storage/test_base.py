"""What every store promises, on all of them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import NotFoundError
from trailbase_server.ids import new_uuid4, render_uuid_text
from trailbase_server.storage.base import CHUNK_BYTES, is_key


def new_key():
    return render_uuid_text(new_uuid4())


async def read(storage, key, start=0, stop=None):
    found = await storage.open(key)
    chunks = [c async for c in found.chunks(start, found.size if stop is None else stop)]
    return b"".join(chunks)


async def keys(storage):
    return {key async for key in storage.list()}


async def test_what_was_put_can_be_read_and_is_gone_when_deleted(storage):
    key = new_key()
    await storage.put(key, b"three words here")
    assert await read(storage, key) == b"three words here"
    assert await keys(storage) == {key}
    await storage.delete(key)
    assert await keys(storage) == set()
    with pytest.raises(NotFoundError):
        await storage.open(key)


async def test_empty_objects_exist(storage):
    key = new_key()
    await storage.put(key, b"")
    found = await storage.open(key)
    assert found.size == 0
    assert [c async for c in found.chunks(0, 0)] == []


async def test_a_spooled_file_becomes_an_object(storage):
    key = new_key()
    path = await storage.spool.append(None, b"first, ")
    await storage.spool.append(path, b"second")
    assert await keys(storage) == set()
    await storage.put(key, path)
    assert await read(storage, key) == b"first, second"
    await storage.spool.remove([path])
    assert await keys(storage) == {key}
    assert await read(storage, key) == b"first, second"


async def test_parts_of_large_objects_can_be_read(storage):
    key = new_key()
    data = bytes(range(256)) * 8192 * 3  # some MiB, and more than one chunk
    await storage.put(key, await storage.spool.append(None, data))
    assert await read(storage, key) == data
    for start, stop in ((0, 1), (5, CHUNK_BYTES + 7), (len(data) - 1, len(data)), (9, 9)):
        assert await read(storage, key, start, stop) == data[start:stop]


async def test_deleting_what_is_not_there_is_fine(storage):
    await storage.delete(new_key())
    await storage.delete("../etc/passwd")


@pytest.mark.case("T-62")
@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc/passwd",
        "a" * 36,
        "\0",
        ".incoming",
        "x/" * 18,
        "B5F1C1E8-748C-4103-B43F-3082BC8060F8",
    ],
)
async def test_what_is_no_key_is_not_found(storage, key):
    with pytest.raises(NotFoundError):
        await storage.open(key)
    with pytest.raises(NotFoundError):
        await storage.put(key, b"x")


async def test_an_object_may_be_let_go_unread(storage):
    key = new_key()
    await storage.put(key, b"x")
    await (await storage.open(key)).close()


async def test_many_operations_at_once(storage):
    names = [new_key() for _ in range(30)]
    await asyncio.gather(*(storage.put(name, name.encode()) for name in names))
    assert await asyncio.gather(*(read(storage, name) for name in names)) == [
        name.encode() for name in names
    ]
    assert await keys(storage) == set(names)


@given(st.one_of(st.text(), st.none(), st.integers(), st.uuids().map(str)))
def test_a_key_is_a_uuid_in_lower_case(text):
    parts = text.split("-") if isinstance(text, str) else []
    assert is_key(text) == (
        [len(part) for part in parts] == [8, 4, 4, 4, 12]
        and set("".join(parts)) <= set("0123456789abcdef")
    )
