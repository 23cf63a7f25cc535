"""Uploads: rows and objects stay together whatever happens."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.filing import PDF, PNG, Files, file, form, open_files
from trailbase_server.db.errors import BusyError
from trailbase_server.records import uploads
from trailbase_server.storage.base import StorageUnavailableError
from trailbase_server.storage.deletions import process_file_deletions, queue_name

OK = (200, "")


@pytest.fixture
async def site(tmp_path):
    async with open_files(tmp_path) as opened:
        yield Files(opened)


def op(kind, api, record=None, value=None):
    fields = {"api_name": api}
    if record is not None:
        fields["record_id"] = record
    if value is not None:
        fields["value"] = value
    return {kind: fields}


async def test_files_come_and_go_with_their_rows(site):
    assert await site.create("exhibit", {"cover": file(PNG, "a.png")}) == (200, {"ids": ["1"]})
    assert len(site.objects()) == 1
    site.check_tidy()
    assert await site.update("exhibit", 1, {"title": "x"}) == OK
    assert await site.update("exhibit", 1, {"gallery": [file(b"1"), file(b"2")]}) == OK
    assert len(site.objects()) == 3
    site.check_tidy()
    assert await site.update("exhibit", 1, {"cover": file(b"other")}) == OK
    assert (await site.download("exhibit", 1, "cover"))[2] == b"other"
    site.check_tidy()
    assert await site.update("exhibit", 1, {"cover": None}) == OK
    assert len(site.objects()) == 2
    site.check_tidy()
    assert await site.delete("exhibit", 1) == (200, "deleted")
    assert site.objects() == []
    site.check_tidy()


async def test_null_and_the_empty_list_are_values(site):
    assert (await site.create("exhibit", {"cover": None, "gallery": []}))[0] == 200
    assert site.rows("SELECT cover, gallery FROM exhibit") == [(None, "[]")]
    assert await site.update("exhibit", 1, {"gallery": None}) == OK
    site.check_tidy()


async def test_a_record_sent_back_as_it_was_read_keeps_its_files(site):
    body = {"cover": file(PNG, "a.png"), "gallery": [file(b"1", "1"), file(b"2", "2")]}
    await site.create("exhibit", body)
    before = site.rows("SELECT cover, gallery FROM exhibit")
    sent = {"cover": site.shown("cover"), "gallery": site.shown("gallery")}
    assert await site.update("exhibit", 1, sent) == OK
    assert site.rows("SELECT cover, gallery FROM exhibit") == before
    site.check_tidy()


async def test_a_list_may_lose_gain_and_reorder_files(site):
    await site.create("exhibit", {"gallery": [file(b"1", "1"), file(b"2", "2"), file(b"3", "3")]})
    one, two, three = site.shown("gallery")
    assert await site.update("exhibit", 1, {"gallery": [three, file(b"4", "4"), one]}) == OK
    names = [entry["original_filename"] for entry in site.shown("gallery")]
    assert names == ["3", "4", "1"]
    site.check_tidy()
    assert (await site.download("exhibit", 1, "gallery", two["filename"]))[0] == 404
    assert (await site.download("exhibit", 1, "gallery", one["filename"]))[2] == b"1"


@pytest.mark.case("T-63")
async def test_keys_made_up_by_a_client_are_worth_nothing(site):
    await site.create("exhibit", {"title": "private", "cover": file(b"private", "p.txt")})
    key = site.stored("cover")["id"]
    name = site.stored("cover")["filename"]
    for entry in ({"id": key, "filename": "x"}, {"id": key, "filename": name}):
        assert await site.create("exhibit", {"cover": entry}) == (400, "Invalid Parameters")
    await site.create("exhibit", {"cover": file(b"mine")})
    mine = site.stored("cover", key=2)
    for entry in ({"id": key, "filename": "x"}, {"id": key, "filename": name}):
        assert await site.update("exhibit", 2, {"cover": entry}) == (400, "Invalid Parameters")
    sent = {"id": key, "filename": mine["filename"], "mime_type": "text/html"}
    assert await site.update("exhibit", 2, {"cover": sent}) == OK
    assert site.stored("cover", key=2) == mine
    assert (await site.download("exhibit", 2, "cover"))[2] == b"mine"
    site.check_tidy()


async def test_a_file_to_keep_in_a_record_that_is_not_there(site):
    assert await site.update("exhibit", 9, {"cover": {"filename": "x"}}) == (404, "")
    assert await site.update("ruled", 9, {"cover": {"filename": "x"}}) == (403, "")


async def test_a_rule_sees_kept_files_as_they_are_stored(site):
    await site.create("exhibit", {"cover": file(b"x")})
    assert await site.update("same", 1, {"cover": site.shown("cover")}) == OK
    body = {"cover": site.shown("cover"), "gallery": [file(b"new")]}
    assert await site.update("same", 1, body) == OK
    assert await site.update("same", 1, {"cover": file(b"y")}) == (403, "")
    site.check_tidy()


async def test_who_may_not_write_stores_nothing(site, monkeypatch):
    async def never(*_):
        raise AssertionError("stored")

    monkeypatch.setattr(site.storage, "put", never)
    assert await site.create("ruled", {"owner": "you", "cover": file(b"x")}) == (403, "")
    assert await site.create("shut", {"cover": file(b"x")}) == (403, "")
    bulk = [{"owner": "me", "cover": file(b"x")}, {"owner": "you"}]
    assert await site.create("ruled", bulk) == (403, "")
    assert await site.update("ruled", 1, {"cover": file(b"x")}) == (403, "")
    site.check_tidy()


@pytest.mark.case("T-68")
@pytest.mark.parametrize(
    ("api", "body", "status"),
    [
        ("exhibit", {"cover": {"data": "%"}}, 400),
        ("exhibit", {"cover": "words"}, 400),
        ("exhibit", {"title": file(b"x")}, 400),
        ("exhibit", {"stamp": file(PDF, "s.png", "image/png")}, 400),
        ("exhibit", {"stamp": file(b"words", "s.png", "image/png")}, 400),
        ("exhibit", [{"cover": file(b"x")}, {"cover": {"data": "%"}}], 400),
        ("exhibit", [{"cover": file(b"x")}, {"stamp": file(PDF)}], 400),
        ("poster", {"name": None, "sheet": file(b"x")}, 400),
        ("poster", [{"name": "a", "sheet": file(b"x")}, {"name": "a", "sheet": file(b"y")}], 400),
    ],
)
async def test_a_refused_record_leaves_no_files(site, api, body, status):
    assert (await site.create(api, body))[0] == status
    assert site.objects() == []
    site.check_tidy()


async def test_a_restricted_type_is_allowed_by_its_content(site):
    assert (await site.create("exhibit", {"stamp": file(PNG, "x", "text/plain")}))[0] == 200
    assert await site.update("exhibit", 1, {"stamp": file(PDF)}) == (400, "db constraint: check")
    assert site.stored("stamp")["mime_type"] == "image/png"
    site.check_tidy()


async def test_several_records_bring_their_files(site):
    body = [{"cover": file(b"1")}, {"title": "none"}, {"gallery": [file(b"2"), file(b"3")]}]
    assert await site.create("exhibit", body) == (200, {"ids": ["1", "2", "3"]})
    assert len(site.objects()) == 3
    site.check_tidy()


async def test_replacing_a_record_replaces_its_files(site):
    await site.create("upsert", {"id": 1, "name": "spring", "sheet": file(b"spring")})
    await site.create("upsert", {"id": 1, "name": "summer", "sheet": file(b"summer")})
    assert (await site.download("poster", 1, "sheet"))[2] == b"summer"
    assert len(site.objects()) == 1
    site.check_tidy()
    sent = {"id": 1, "name": "autumn", "sheet": site.shown("sheet", table="poster")}
    assert (await site.create("upsert", sent))[0] == 200
    assert (await site.download("poster", 1, "sheet"))[2] == b"summer"
    site.check_tidy()
    await site.create("upsert", {"id": 1, "name": "winter"})
    assert site.objects() == []
    site.check_tidy()


async def test_a_swallowed_record_brings_no_files(site):
    await site.create("poster", {"id": 1, "name": "a", "sheet": file(b"x")})
    body = [{"id": 1, "name": "b", "sheet": file(b"y")}, {"name": "c", "sheet": file(b"z")}]
    assert await site.create("ignore", body) == (200, {"ids": ["2"]})
    assert (await site.download("poster", 1, "sheet"))[2] == b"x"
    assert len(site.objects()) == 2
    site.check_tidy()


async def test_tables_without_row_ids_are_tidied_too(site):
    await site.create("card", {"id": 5, "scan": file(b"1")})
    await site.update("card", 5, {"scan": file(b"2")})
    assert (await site.download("card", 5, "scan"))[2] == b"2"
    site.check_tidy()
    await site.delete("card", 5)
    assert site.objects() == []
    site.check_tidy()


async def test_hidden_columns_take_files(site):
    assert (await site.create("exhibit", {"_draft": file(b"x")}))[0] == 200
    assert len(site.objects()) == 1
    site.check_tidy()


async def test_batches_bring_files(site):
    await site.create("poster", {"id": 1, "name": "a", "sheet": file(b"a")})
    operations = [
        op("Create", "poster", value={"id": 2, "name": "b", "sheet": file(b"b")}),
        op("Update", "poster", "2", {"sheet": file(b"b2")}),
        op("Update", "poster", "1", {"sheet": site.shown("sheet", table="poster")}),
        op("Create", "note", value={"text": "no files here"}),
        op("Create", "poster", value={"id": 3, "name": "c", "sheet": file(b"c")}),
        op("Delete", "poster", "3"),
    ]
    for transaction in (True, False):
        status, answer = await site.batch(operations, transaction=transaction)
        assert status == 200
        assert len(answer["results"]) == 6
        assert (await site.download("poster", 2, "sheet"))[2] == b"b2"
        assert len(site.objects()) == 2
        site.check_tidy()
        await site.delete("poster", 2)


async def test_a_batch_that_fails_leaves_no_files(site):
    good = op("Create", "poster", value={"name": "b", "sheet": file(b"b")})
    bad = op("Update", "poster", "9", {"sheet": file(b"c")})
    assert await site.batch([good, bad]) == (404, "")
    assert site.objects() == []
    site.check_tidy()
    status, answer = await site.batch([bad, good], transaction=False)
    assert (status, answer["results"][0]) == (200, {"Error": "Not Found"})
    assert len(site.objects()) == 1
    site.check_tidy()


# Forms


async def test_files_of_a_form(site):
    parts = [("title", "vase"), ("cover", PNG, "vase.png", "image/png"), ("nope", "x", "x.txt")]
    assert await site.create_form("exhibit", *parts) == (200, {"ids": ["1"]})
    assert site.rows("SELECT title FROM exhibit") == [("vase",)]
    assert site.shown("cover")["original_filename"] == "vase.png"
    assert len(site.objects()) == 1
    site.check_tidy()


async def test_parts_for_a_list_are_collected(site):
    parts = [("gallery", "a", "a.txt"), ("gallery", "b", "b.txt")]
    assert (await site.create_form("exhibit", *parts))[0] == 200
    assert (await site.create_form("exhibit", parts[0]))[0] == 200
    assert [e["original_filename"] for e in site.shown("gallery")] == ["a.txt", "b.txt"]
    assert [e["original_filename"] for e in site.shown("gallery", key=2)] == ["a.txt"]
    site.check_tidy()


@pytest.mark.parametrize(
    "parts",
    [
        [("cover", "a", "a"), ("cover", "b", "b")],
        [("cover", "words")],
        [("cover", "words"), ("cover", "a", "a")],
        [("gallery", "words"), ("gallery", "a", "a")],
        [("gallery", "a", "a"), ("gallery", "words"), ("gallery", "more words")],
        [("title", "a", "a.txt")],
        [("id", "a", "a.txt")],
        [("stamp", PDF, "a.png", "image/png")],
        [("gallery", "x", "x")] * 129,
    ],
)
async def test_files_where_none_belong_are_refused(site, parts):
    assert (await site.create_form("exhibit", *parts))[0] == 400
    assert (await site.create_stream("exhibit", *parts))[0] == 400
    site.check_tidy()


async def test_large_files_go_through_the_spool(site):
    large = bytes(range(256)) * 2000
    parts = [("title", "t"), ("cover", large, "l.bin"), ("gallery", b"s", "s.txt")]
    assert (await site.create_stream("exhibit", *parts))[0] == 200
    assert (await site.download("exhibit", 1, "cover"))[2] == large
    site.check_tidy()

    async def pieces():
        yield form(("cover", large[::-1], "r.bin"))

    assert await site.stream("PATCH", {"api": "exhibit", "record": "1"}, pieces()) == OK
    assert (await site.download("exhibit", 1, "cover"))[2] == large[::-1]
    assert await site.create_stream("shut", *parts) == (403, "")
    assert (await site.create_stream("exhibit", *parts, ("title", "x", "x")))[0] == 400
    assert (await site.create_stream("exhibit", ("stamp", large, "x")))[0] == 400
    assert (await site.create_stream("nothing", *parts))[0] == 405
    site.check_tidy()


# Failures


@pytest.mark.case("T-68")
async def test_a_store_that_is_down_changes_nothing(site, monkeypatch):
    await site.create("exhibit", {"cover": file(b"before")})
    put = site.storage.put
    before = site.rows("SELECT * FROM exhibit")

    async def fail(key, content):
        if content == b"fails":
            raise StorageUnavailableError(detail="bucket is down")
        await asyncio.sleep(0.01)
        await put(key, content)

    monkeypatch.setattr(site.storage, "put", fail)
    assert await site.create("exhibit", {"cover": file(b"fails")}) == (503, "")
    body = {"cover": file(b"fails"), "gallery": [file(b"1"), file(b"2")]}
    assert await site.update("exhibit", 1, body) == (503, "")
    assert await site.batch([op("Create", "exhibit", value=body)]) == (503, "")
    assert await site.batch([op("Create", "exhibit", value=body)], transaction=False) == (503, "")
    assert site.rows("SELECT * FROM exhibit") == before
    site.check_tidy()


async def test_what_cannot_be_deleted_is_left_to_the_job(site, monkeypatch):
    async def fail(key):
        raise StorageUnavailableError(detail="bucket is down")

    await site.create("exhibit", {"cover": file(b"1")})
    with monkeypatch.context() as down:
        down.setattr(site.storage, "delete", fail)
        assert await site.update("exhibit", 1, {"cover": file(b"2")}) == OK
        assert (await site.create("exhibit", {"stamp": file(b"refused")}))[0] == 400
        assert await site.delete("exhibit", 1) == (200, "deleted")
    assert len(site.objects()) == 3
    assert len(site.queue()) == 3
    await process_file_deletions(site.database, site.storage, [queue_name("main")], 2**40)
    assert site.objects() == []
    site.check_tidy()


async def test_a_record_is_not_written_when_its_objects_were_cleaned_up_meanwhile(
    site, monkeypatch
):
    store = uploads._store

    async def slow(storage, plans):
        await store(storage, plans)
        await process_file_deletions(site.database, storage, [queue_name("main")], 2**40)

    monkeypatch.setattr(uploads, "_store", slow)
    assert await site.create("exhibit", {"cover": file(b"x")}) == (503, "the upload took too long")
    assert site.rows("SELECT * FROM exhibit") == []
    site.check_tidy()


@pytest.mark.case("T-68")
async def test_a_write_that_fails_late_takes_its_objects_along(site, monkeypatch):
    write = site.database.write

    async def busy(job, *args, **more):
        if job is uploads.run_file_writes:
            raise BusyError(detail="locked")
        return await write(job, *args, **more)

    monkeypatch.setattr(type(site.database), "write", lambda _, *a, **m: busy(*a, **m))
    assert await site.create("exhibit", {"cover": file(b"x")}) == (503, "")
    monkeypatch.undo()
    assert site.objects() == []
    site.check_tidy()


async def test_a_record_that_is_written_is_answered_whatever_comes_after(site, monkeypatch):
    async def fail(*_):
        raise BusyError(detail="locked")

    await site.create("exhibit", {"cover": file(b"1")})
    with monkeypatch.context() as busy:
        busy.setattr(uploads, "delete_claimed", fail)
        assert await site.update("exhibit", 1, {"cover": file(b"2")}) == OK
    assert (await site.download("exhibit", 1, "cover"))[2] == b"2"
    await process_file_deletions(site.database, site.storage, [queue_name("main")], 2**40)
    site.check_tidy()


async def test_a_write_job_carries_no_contents(site, monkeypatch):
    jobs = []
    write = type(site.database).write

    async def watch(database, job, *args, **more):
        jobs.append((job, args))
        return await write(database, job, *args, **more)

    monkeypatch.setattr(type(site.database), "write", watch)
    await site.create("exhibit", {"gallery": [file(b"1")]})
    (kept,) = site.shown("gallery")
    await site.update("exhibit", 1, {"gallery": [kept, file(b"2")], "cover": file(b"3")})
    found = [
        p
        for job, args in jobs
        if job is uploads.run_file_writes
        for w in args[0]
        for p in w.write.params
    ]
    values = [p for p in found if hasattr(p, "uploads")]
    assert [(type(p).__name__, p.uploads) for p in values] == [("FileValue", ())]
    site.check_tidy()


async def test_many_at_once_stay_apart(site):
    async def life(number):
        _, answer = await site.create("exhibit", {"cover": file(b"%d" % number)})
        (record,) = answer["ids"]
        await site.update("exhibit", record, {"cover": file(b"%d again" % number)})
        assert (await site.download("exhibit", record, "cover"))[2] == b"%d again" % number
        if number % 2:
            await site.delete("exhibit", record)

    await asyncio.gather(*map(life, range(20)))
    assert len(site.objects()) == 10
    site.check_tidy()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "delete"]),
        st.integers(1, 3),
        st.lists(st.sampled_from(["new", "kept"]), max_size=3),
        st.sampled_from([None, "new", "kept", "absent"]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(CHANGES)
async def test_whatever_is_done_objects_and_rows_agree(tmp_path_factory, changes):
    async with open_files(tmp_path_factory.mktemp("site")) as opened:
        site = Files(opened)
        for kind, record, gallery, cover in changes:
            is_there = site.rows("SELECT 1 FROM exhibit WHERE id = ?1", record)
            shown = site.stored("gallery", key=record) or [] if is_there else []
            kept = iter(shown)
            body = {
                "gallery": [
                    file(b"x") if e == "new" else next(kept, {"filename": "?"}) for e in gallery
                ]
            }
            if cover != "absent":
                stored = site.stored("cover", key=record) if is_there else None
                body["cover"] = {"new": file(b"y"), "kept": stored}.get(cover)
            if kind == "create":
                await site.create("exhibit", {"id": record, **body})
            elif kind == "update":
                await site.update("exhibit", record, body)
            else:
                await site.delete("exhibit", record)
            site.check_tidy()
