"""Upkeep of files: what a process that died has left is tidied up by the next one."""

import asyncio

import pytest

from tests.records.filing import Files, open_files
from tests.storage.test_base import new_key
from trailbase_server.server import file_upkeep as module
from trailbase_server.server.file_upkeep import file_upkeep
from trailbase_server.storage.deletions import announce_uploads, queue_name
from trailbase_server.storage.metadata import render_metadata

QUEUE = queue_name("main")


@pytest.fixture
async def site(tmp_path):
    async with open_files(tmp_path) as opened:
        yield Files(opened)


async def leave_behind(site):
    """Do what an upload has done when it is killed before the row."""
    key = new_key()
    text = render_metadata([{"id": key, "filename": "f"}])
    await site.database.write(announce_uploads, [(QUEUE, '"main"."poster"', text)])
    await site.storage.put(key, b"x")
    await site.storage.spool.append(None, b"half")


async def until(condition):
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def test_what_was_left_is_gone_soon_after_the_start(site):
    await leave_behind(site)
    async with file_upkeep(site.state):
        assert site.spooled() == []
        await until(lambda: site.queue() == [])
        assert site.objects() == []


async def test_uploads_of_this_process_are_left_alone(site, monkeypatch):
    monkeypatch.setattr(module, "INTERVAL_S", 0.01)
    async with file_upkeep(site.state):
        await leave_behind(site)
        await asyncio.sleep(0.1)
        assert len(site.queue()) == 1
        assert len(site.objects()) == 1
        assert len(site.spooled()) == 1


async def test_the_job_runs_again_and_outlives_its_failures(site, monkeypatch, caplog):
    monkeypatch.setattr(module, "INTERVAL_S", 0.01)
    work = module.process_file_deletions
    calls = []

    async def moody(*args):
        calls.append(args)
        if len(calls) == 1:
            raise ZeroDivisionError
        if len(calls) == 2:
            raise module.AppError(detail="locked")
        return await work(*args)

    monkeypatch.setattr(module, "process_file_deletions", moody)
    async with file_upkeep(site.state):
        await until(lambda: len(calls) > 3)
    count = len(calls)
    await asyncio.sleep(0.03)
    assert len(calls) == count, "it ends with the server"
    assert "locked" in caplog.text
