"""Downloads: checks in their order, and the bytes."""

import pytest

from tests.records.filing import PNG, Files, file, open_files


@pytest.fixture
async def site(tmp_path):
    async with open_files(tmp_path) as opened:
        site = Files(opened)
        body = {
            "owner": "me",
            "cover": file(PNG, "a.png"),
            "gallery": [file(b"one", "1.txt"), file(b"two", "2.txt")],
        }
        await site.create("exhibit", body)
        await site.create("exhibit", {"owner": "you", "title": "empty"})
        yield site


async def test_the_bytes_come_back(site):
    assert (await site.download("exhibit", 1, "cover"))[0::2] == (200, PNG)
    for column in ("cover", "gallery"):
        entries = site.shown(column)
        for entry in entries if isinstance(entries, list) else [entries]:
            status, headers, body = await site.download("exhibit", 1, column, entry["filename"])
            assert (status, body) == (
                200,
                {"a": PNG, "1": b"one", "2": b"two"}[entry["filename"][0]],
            )
            assert b"immutable" in headers[b"cache-control"]


async def test_the_file_of_a_column_may_change_so_it_is_asked_for_again(site):
    _, headers, _ = await site.download("exhibit", 1, "cover")
    assert headers[b"cache-control"] == b"private, no-cache"
    etag = headers[b"etag"].decode()
    assert (await site.download("exhibit", 1, "cover", if_none_match=etag))[0] == 304
    await site.update("exhibit", 1, {"cover": file(b"other")})
    assert (await site.download("exhibit", 1, "cover", if_none_match=etag))[0::2] == (200, b"other")


async def test_a_view_has_files_too(site):
    assert (await site.download("exhibit_list", 1, "cover"))[0::2] == (200, PNG)


@pytest.mark.case("T-62")
@pytest.mark.parametrize(
    ("api", "record", "column", "name", "status", "text"),
    [
        ("nothing", "x", "x", None, 405, b""),
        ("exhibit", "x", "x", None, 400, b"Invalid id"),
        ("shut", "1", "x", None, 403, b""),
        ("ruled", "2", "x", None, 403, b""),
        ("ruled", "3", "x", None, 403, b""),
        ("ruled", "1", "x", None, 400, b"Invalid field/column name"),
        ("exhibit", "3", "x", None, 400, b"Invalid field/column name"),
        ("exhibit", "1", "_draft", None, 400, b"Invalid field/column name"),
        ("hidden", "1", "cover", None, 400, b"Invalid field/column name"),
        ("exhibit", "3", "title", None, 400, b"Not a file"),
        ("exhibit", "1", "gallery", None, 400, b"Not a file"),
        ("exhibit", "1", "title", "x", 400, b"Not a files list"),
        ("exhibit", "3", "cover", None, 404, b""),
        ("exhibit", "2", "cover", None, 404, b""),
        ("exhibit", "2", "gallery", "x", 404, b""),
        ("exhibit", "1", "gallery", "1.txt", 404, b""),
        ("exhibit", "1", "gallery", "../1.txt", 404, b""),
        ("exhibit", "1", "cover", "", 404, b""),
    ],
)
async def test_what_cannot_be_downloaded(site, api, record, column, name, status, text):
    assert (await site.download(api, record, column, name))[0::2] == (status, text)


@pytest.mark.case("T-62")
async def test_who_may_read_the_record_may_read_its_files(site):
    assert (await site.download("ruled", 1, "cover"))[0] == 200


async def test_a_missing_object_is_not_found(site):
    for key in site.objects():
        (site.uploads / key).unlink()
    assert (await site.download("exhibit", 1, "cover"))[0] == 404


@pytest.mark.parametrize("key", ["../secret", "", None, 5, "0" * 36])
async def test_metadata_that_somebody_has_made_up_leads_nowhere(site, tmp_path, key):
    (tmp_path / "secret").write_text("secret")
    (site.uploads / ("0" * 36)).write_text("secret")
    text = f'{{"id":{key!r},"filename":"f"}}'.replace("'", '"').replace("None", "null")

    def plant(tx, text):
        # The check wants a text as key; what upstream or a person has written may be anything.
        tx.run("UPDATE exhibit SET cover = ?1 WHERE id = 1", (text,))

    if isinstance(key, str):
        await site.database.write(plant, text)
        assert (await site.download("exhibit", 1, "cover"))[0] == 404


async def test_ranges(site):
    status, headers, body = await site.download("exhibit", 1, "cover", range="bytes=0-3")
    assert (status, body, headers[b"content-range"]) == (206, PNG[:4], b"bytes 0-3/22")
    assert (await site.download("exhibit", 1, "cover", range="bytes=22-"))[0] == 416
    assert (await site.download("exhibit", 1, "cover", range="bytes=9-1"))[0] == 200
