"""What was left by a process that died is due at once; what this process does is its own."""

import pytest

from tests.records.filing import Files, open_files
from tests.storage.test_base import new_key
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.server.leftovers import clear_leftovers
from trailbase_server.storage.deletions import (
    MIN_AGE_S,
    announce_uploads,
    process_file_deletions,
    queue_name,
)
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


async def run_job(site):
    before = SYSTEM_CLOCK.now_s() - MIN_AGE_S
    return await process_file_deletions(site.database, site.storage, [QUEUE], before)


async def test_what_was_left_is_due_at_once(site):
    await leave_behind(site)
    assert await clear_leftovers(site.state)
    assert site.spooled() == []
    assert (await run_job(site)).done == 1
    assert site.objects() == []


async def test_where_nothing_was_left_there_is_nothing_to_do(site):
    assert not await clear_leftovers(site.state)


async def test_uploads_of_this_process_are_left_alone(site):
    await clear_leftovers(site.state)
    await leave_behind(site)
    assert (await run_job(site)).done == 0
    assert len(site.queue()) == len(site.objects()) == len(site.spooled()) == 1
