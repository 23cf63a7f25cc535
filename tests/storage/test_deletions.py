"""Deletion of objects: claims, retries, uploads that nobody wanted."""

import pytest

from tests.records.filing import open_files
from tests.storage.test_base import new_key
from trailbase_server.ids import render_uuid_text
from trailbase_server.storage import deletions
from trailbase_server.storage.base import StorageUnavailableError
from trailbase_server.storage.deletions import (
    MAX_ATTEMPTS,
    PendingUpload,
    UploadExpiredError,
    announce_uploads,
    claim_deletions,
    delete_claimed,
    make_all_due,
    process_file_deletions,
    queue_name,
    queues,
    take_upload,
)
from trailbase_server.storage.metadata import render_metadata

QUEUE = queue_name("main")
LATER = 2**40


@pytest.fixture
async def site(tmp_path):
    from tests.records.filing import Files

    async with open_files(tmp_path) as site:
        yield Files(site)


class Stubborn:
    """A store that refuses to delete for a while."""

    def __init__(self, storage, times):
        self.storage = storage
        self.times = times

    async def delete(self, key):
        if self.times:
            self.times -= 1
            raise StorageUnavailableError(detail="bucket is down")
        await self.storage.delete(key)


async def note(site, json, updated=None, age=0):
    def insert(tx, json, updated, age):
        tx.run(
            "INSERT INTO _file_deletions (deleted, table_name, record_rowid, column_name, json, "
            "updated_json) VALUES (unixepoch() - ?3, 't', 1, 'c', ?1, ?2)",
            (json, updated, age),
        )

    await site.database.write(insert, json, updated, age)


async def put(site, *keys):
    for key in keys:
        await site.storage.put(key, b"x")


def entry(key):
    return {"id": key, "filename": "f"}


async def process(site, storage=None, before=LATER):
    report = await process_file_deletions(site.database, storage or site.storage, [QUEUE], before)
    return report.done, report.failed


async def test_objects_are_deleted_and_the_row_goes(site):
    single, *several = (new_key() for _ in range(4))
    await put(site, single, *several)
    await note(site, render_metadata(entry(single)))
    await note(
        site, render_metadata([entry(key) for key in several]), render_metadata([entry(several[1])])
    )
    assert await process(site) == (2, 0)
    assert site.objects() == [several[1]]
    assert site.queue() == []


@pytest.mark.parametrize(
    "json", ["", "nonsense", "null", "[]", '{"filename":"f"}', '{"id":"../etc/passwd"}', '{"id":5}']
)
async def test_rows_that_name_nothing_are_done(site, json):
    await note(site, json)
    assert await process(site) == (1, 0)
    assert site.queue() == []


async def test_objects_that_are_gone_already_are_done(site):
    await note(site, render_metadata(entry(new_key())))
    assert await process(site) == (1, 0)


async def test_young_rows_wait(site):
    await note(site, render_metadata(entry(new_key())), age=10)
    await note(site, render_metadata(entry(new_key())), age=1000)
    ((now,),) = site.rows("SELECT unixepoch()")
    assert await process(site, before=now - 900) == (1, 0)
    assert len(site.queue()) == 1
    await site.database.write(make_all_due, [QUEUE])
    assert await process(site, before=now - 900) == (1, 0)


async def test_a_failure_is_counted_and_tried_again(site):
    key = new_key()
    await put(site, key)
    await note(site, render_metadata(entry(key)))
    stubborn = Stubborn(site.storage, 2)
    assert await process(site, stubborn) == (0, 1)
    assert site.queue() == [("t", "c", 1, "bucket is down")]
    assert await process(site, stubborn) == (0, 1)
    assert site.queue() == [("t", "c", 2, "bucket is down")]
    assert site.objects() == [key]
    assert await process(site, stubborn) == (1, 0)
    assert site.objects() == []
    assert site.queue() == []


async def test_after_many_attempts_a_row_is_left_for_people(site):
    await note(site, render_metadata(entry(new_key())))
    stubborn = Stubborn(site.storage, -1)
    for _ in range(MAX_ATTEMPTS):
        assert await process(site, stubborn) == (0, 1)
    assert await process(site, stubborn) == (0, 0)
    assert site.queue() == [("t", "c", MAX_ATTEMPTS, "bucket is down")]


async def test_one_failure_does_not_hold_up_the_others(site):
    keys = [new_key() for _ in range(5)]
    await put(site, *keys)
    for key in keys:
        await note(site, render_metadata(entry(key)))
    assert await process(site, Stubborn(site.storage, 1)) == (4, 1)
    assert len(site.objects()) == 1
    assert len(site.queue()) == 1


async def test_long_queues_are_worked_off_in_steps(site, monkeypatch):
    monkeypatch.setattr(deletions, "BATCH", 3)
    keys = [render_uuid_text(bytes([n]) * 16) for n in range(10)]
    await put(site, *keys)
    for key in keys:
        await note(site, render_metadata(entry(key)))
    assert await process(site) == (10, 0)
    assert site.objects() == []


async def announce(site, key):
    text = render_metadata([entry(key)])
    (row_id,) = await site.database.write(announce_uploads, [(QUEUE, '"main"."t"', text)])
    return PendingUpload(row_id, text)


async def test_an_upload_that_is_wanted_is_struck_off(site):
    pending = await announce(site, new_key())
    assert len(site.queue()) == 1
    await site.database.write(take_upload, QUEUE, pending)
    assert site.queue() == []


async def test_an_upload_nobody_wanted_is_deleted(site):
    key = new_key()
    await announce(site, key)
    await put(site, key)
    assert await process(site) == (1, 0)
    assert site.objects() == []


async def test_what_is_being_deleted_cannot_be_wanted_any_more(site):
    pending = await announce(site, new_key())
    assert await site.database.write(claim_deletions, QUEUE, 0, LATER)
    with pytest.raises(UploadExpiredError):
        await site.database.write(take_upload, QUEUE, pending)
    assert await process(site) == (1, 0)
    with pytest.raises(UploadExpiredError):
        await site.database.write(take_upload, QUEUE, pending)
    other = await announce(site, new_key())
    assert other.row_id == pending.row_id  # ids come again, texts do not
    with pytest.raises(UploadExpiredError):
        await site.database.write(take_upload, QUEUE, pending)
    assert len(site.queue()) == 1


async def test_a_row_that_came_after_under_the_same_id_is_not_struck_off(site):
    await note(site, render_metadata(entry(new_key())))
    claims = await site.database.write(claim_deletions, QUEUE, 0, LATER)
    assert await process(site) == (1, 0)  # somebody else was quicker
    later = await announce(site, new_key())
    assert later.row_id == claims[0].row_id
    assert await delete_claimed(site.database, site.storage, claims) == 0
    assert len(site.queue()) == 1


def test_each_database_with_a_table_has_a_queue(site):
    assert queues(site.state.catalog) == ['"main"."_file_deletions"']
    assert queue_name(None) == QUEUE
    assert queue_name('o"dd') == '"o""dd"."_file_deletions"'
