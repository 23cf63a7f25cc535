"""Temporary files of uploads."""

import pytest

from trailbase_server.errors import UnavailableError
from trailbase_server.web.spool import Spool


async def test_files_grow_and_are_removed(tmp_path):
    spool = Spool(tmp_path / "in")
    path = await spool.append(None, b"one ")
    assert await spool.append(path, b"two") == path
    other = await spool.append(None, b"x")
    assert path.read_bytes() == b"one two"
    await spool.remove([path, path, other])
    assert list((tmp_path / "in").iterdir()) == []


async def test_a_file_that_was_moved_away_stays(tmp_path):
    spool = Spool(tmp_path / "in")
    path = await spool.append(None, b"x")
    path.rename(tmp_path / "kept")
    await spool.remove([path])
    assert (tmp_path / "kept").read_bytes() == b"x"


async def test_what_a_crash_left_is_swept(tmp_path):
    spool = Spool(tmp_path / "in")
    assert spool.sweep() == 0
    await spool.append(None, b"x")
    assert spool.sweep() == 1
    assert list((tmp_path / "in").iterdir()) == []


async def test_a_disk_that_refuses_is_unavailable(tmp_path):
    (tmp_path / "in").write_text("no directory")
    spool = Spool(tmp_path / "in")
    with pytest.raises(UnavailableError):
        await spool.append(None, b"x")
