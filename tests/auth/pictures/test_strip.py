"""Pictures in memory and on the disk lose the same."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.auth.pictures.photographs import jpeg, photograph, png, screenshot, segment
from trailbase_server.auth.pictures.pieces import MAX_PARTS, BrokenPictureError
from trailbase_server.auth.pictures.strip import strip_picture
from trailbase_server.errors import UnavailableError


@pytest.mark.parametrize(
    ("media_type", "content"), [("image/png", screenshot(6)), ("image/jpeg", photograph(6))]
)
async def test_files_are_rewritten_in_their_place(media_type, content, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(content)
    assert await strip_picture(media_type, path) == path
    stripped = await strip_picture(media_type, content)
    assert path.read_bytes() == stripped
    assert len(stripped) < len(content)
    assert list(tmp_path.iterdir()) == [path]


async def test_what_tells_nothing_is_not_written(tmp_path):
    assert await strip_picture("image/png", png()) is not None
    path = tmp_path / "upload"
    path.write_bytes(jpeg())
    before = path.stat().st_ino
    await strip_picture("image/jpeg", path)
    assert path.stat().st_ino == before


async def test_the_type_counts(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(png())
    with pytest.raises(BrokenPictureError):
        await strip_picture("image/jpeg", path)
    with pytest.raises(BrokenPictureError):
        await strip_picture("image/png", jpeg())
    assert path.read_bytes() == png()


async def test_a_disk_that_is_full_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "upload"
    path.write_bytes(photograph())

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UnavailableError):
        await strip_picture("image/jpeg", path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/png", png() + bytes(20_000_000)),
        ("image/png", png(1, 1, *[b"\0\0\0\0tEXtcrc!"] * (MAX_PARTS * 4))),
        ("image/jpeg", jpeg(1, 1, *[segment(0xE1, b"")] * (MAX_PARTS * 4))),
        ("image/jpeg", jpeg()[:-2] + segment(0xDA, b"") + b"\xff\0" * 10_000_000),
        ("image/jpeg", b"\xff\xd8" + b"\xff" * 20_000_000),
    ],
    ids=["behind the end", "many chunks", "many segments", "a long scan", "fillers"],
)
async def test_hostile_files_do_not_take_long(media_type, content, tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(content)
    began = time.monotonic()
    with suppress(BrokenPictureError):
        await strip_picture(media_type, path)
    assert time.monotonic() - began < 5  # much less by itself; others share the machine
