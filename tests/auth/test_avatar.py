"""Pictures of users: what is taken, what is shown, what is left on the disk."""

import asyncio
import zlib
from struct import pack

import pytest

from tests.auth.pictures.photographs import SECRETS, chunk, look, photograph, screenshot, segment
from tests.auth.pictures.photographs import png as png_of
from trailbase_server.errors import UnavailableError
from trailbase_server.ids import encode_b64u
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.storage.deletions import process_file_deletions, queue_name
from trailbase_server.storage.local import LocalStorage
from trailbase_server.storage.triggers import plan_file_triggers, run_statements

NORA, SOLO = (encode_b64u(bytes(15) + bytes([n])) for n in (2, 4))
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb004300") + bytes([1]) * 64
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def png(shade):
    def chunk(kind, data):
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes([0, shade])))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


@pytest.fixture
async def uploads(state, tmp_path):
    directory = tmp_path / "uploads"
    directory.mkdir()
    state.storage = LocalStorage(directory)
    await state.database.write(
        run_statements, plan_file_triggers(read_catalog(state.database.read))
    )
    yield directory
    await state.storage.close()


@pytest.fixture
async def nora(server, uploads):
    return (await server.login("nora"))["auth_token"]


def form(*parts):
    """A multipart body of (field, file name or None, content)."""
    lines = []
    for field, filename, content in parts:
        name = f'name="{field}"' + (f'; filename="{filename}"' if filename is not None else "")
        lines.append(
            b"--x\r\ncontent-disposition: form-data; " + name.encode() + b"\r\n"
            b"content-type: text/plain\r\n\r\n" + content + b"\r\n"
        )
    return b"".join(lines) + b"--x--\r\n"


async def upload(server, token, *parts, kind="multipart/form-data; boundary=x", **more):
    body = parts[0] if isinstance(parts[0], bytes) else form(*parts)
    headers = {"content-type": kind, **more.pop("headers", {})}
    return await server.ask("POST", "/avatar", body=body, bearer=token, headers=headers, **more)


def stored(uploads):
    return sorted(path.stat().st_size for path in uploads.iterdir() if path.is_file())


async def test_what_is_uploaded_is_shown(server, uploads, nora):
    assert (await server.get(f"/avatar/{NORA}")).status == 404
    answer = await upload(server, nora, ("file", "../../me.png", png(1)))
    assert (answer.status, answer.content) == (200, b"")
    answer = await server.get(f"/avatar/{NORA}")
    assert (answer.status, answer.content) == (200, png(1))
    headers = dict(answer.headers)
    assert headers[b"content-type"] == b"image/png"
    assert headers[b"content-disposition"] == b"attachment"
    assert b"cache-control" not in headers
    known = {"if-none-match": headers[b"etag"].decode()}
    assert (await server.get(f"/avatar/{NORA}", headers=known)).status == 304
    assert (await server.ask("HEAD", f"/avatar/{NORA}")).status == 200


@pytest.mark.case("T-70")
async def test_the_content_decides_the_type_and_the_old_picture_goes(server, uploads, nora):
    await upload(server, nora, ("file", "a.png", png(1)))
    await upload(server, nora, ("file", "b.png", JPEG))
    assert (await server.get(f"/avatar/{NORA}")).header(b"content-type") == "image/jpeg"
    assert stored(uploads) == [len(JPEG)]


@pytest.mark.case("T-70")
@pytest.mark.parametrize(
    "parts",
    [
        [("file", "a.txt", b"hello")],
        [("file", "a.png", b"hello")],
        [("file", "a.gif", GIF)],
        [("file", "a.svg", SVG)],
        [("file", "a.png", png(1)), ("file", "b.png", png(2))],
        [("picture", "a.png", png(1))],
        [("file", "a.png", b"")],
        [("file", None, b"text")],
    ],
)
async def test_what_is_not_taken(server, state, uploads, nora, parts):
    answer = await upload(server, nora, *parts)
    assert (answer.status, bool(answer.content)) == (400, True)
    assert stored(uploads) == []
    assert await state.database.query("SELECT count(*) FROM _file_deletions") == [(0,)]


@pytest.mark.case("T-70")
@pytest.mark.parametrize(
    "picture",
    [
        photograph(6),
        screenshot(6),
        photograph(6, film=b"motion film" * 30_000),
        png_of(1, 1, *[chunk(b"tEXt", b"at home" * 2000)] * 10),
    ],
    ids=["JPEG", "PNG", "JPEG on the disk", "PNG on the disk"],
)
async def test_nobody_learns_where_a_picture_was_taken(server, uploads, nora, picture):
    assert (await upload(server, nora, ("file", "me", picture))).status == 200
    shown = (await server.get(f"/avatar/{NORA}")).content
    assert look(shown) == look(picture)
    assert [secret for secret in SECRETS if secret in shown] == []
    assert stored(uploads) == [len(shown)]


@pytest.mark.case("T-70")
@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (png(1)[:-1], b"the picture is damaged"),
        (JPEG[:-1], b"the picture is damaged"),
        (b"\xff\xd8" + segment(0xE1, bytes(60_000)) * 2 + b"!", b"the picture is damaged"),
        (png_of(50_000, 50_000), b"the picture is too large: 50000 x 50000 pixels"),
    ],
    ids=["PNG", "JPEG", "JPEG on the disk", "too many pixels"],
)
async def test_pictures_that_are_none(server, state, uploads, nora, picture, message):
    answer = await upload(server, nora, ("file", "me", picture))
    assert (answer.status, answer.content) == (400, message)
    assert stored(uploads) == []
    assert await state.database.query("SELECT count(*) FROM _file_deletions") == [(0,)]


async def test_other_bodies_are_not_taken(server, nora):
    for body, kind in ((b"{}", "application/json"), (png(1), "image/png"), (b"x", "multipart/x")):
        assert (await upload(server, nora, body, kind=kind)).status == 400


async def test_deleting(server, uploads, nora):
    await upload(server, nora, ("file", "a.png", png(1)))
    for _ in range(2):
        answer = await server.ask("DELETE", "/avatar", bearer=nora)
        assert (answer.status, answer.content) == (200, b"")
    assert (await server.get(f"/avatar/{NORA}")).status == 404
    assert stored(uploads) == []


async def test_who_may_not(server, state, uploads, nora):
    assert (await upload(server, None, ("file", "a.png", png(1)))).status == 401
    assert (await server.ask("DELETE", "/avatar")).status == 401
    jar = await server.login_browser("nora")
    assert (await upload(server, None, ("file", "a.png", png(1)), jar=jar)).status == 400
    same = {"sec-fetch-site": "same-origin"}
    own = await upload(server, None, ("file", "a.png", png(1)), jar=jar, headers=same)
    assert own.status == 200
    assert (await server.ask("DELETE", "/avatar", jar=jar)).status == 400


async def test_whoever_is_gone_leaves_nothing(server, state, uploads, nora):
    await upload(server, nora, ("file", "a.png", png(1)))
    await state.database.write(delete_all)
    assert (await upload(server, nora, ("file", "b.png", png(2)))).status == 404
    report = await process_file_deletions(state.database, state.storage, [queue_name(None)], 2**40)
    assert report.done == 1
    assert stored(uploads) == []


def delete_all(tx):
    tx.run("DELETE FROM _user")


async def test_several_at_once_leave_one(server, state, uploads, nora):
    answers = await asyncio.gather(
        *(upload(server, nora, ("file", "a.png", png(shade))) for shade in range(5))
    )
    assert [answer.status for answer in answers] == [200] * 5
    assert len(stored(uploads)) == 1
    assert await state.database.query("SELECT count(*) FROM _file_deletions") == [(0,)]


async def test_a_store_that_is_down_changes_nothing(server, state, uploads, nora, monkeypatch):
    await upload(server, nora, ("file", "a.png", png(1)))

    async def refuse(*_):
        raise UnavailableError

    monkeypatch.setattr(state.storage, "put", refuse)
    assert (await upload(server, nora, ("file", "b.png", png(2)))).status == 503
    assert (await server.get(f"/avatar/{NORA}")).content == png(1)


async def test_ids(server, uploads):
    for bad in (NORA.rstrip("="), "nora", "0a000000-0000-4000-8000-000000000002"):
        assert (await server.get(f"/avatar/{bad}")).status == 400
    for nobody in (SOLO, encode_b64u(bytes(16))):
        assert (await server.get(f"/avatar/{nobody}")).status == 404


async def test_without_a_store_nobody_has_one(server):
    token = (await server.login("nora"))["auth_token"]
    assert (await upload(server, token, ("file", "a.png", png(1)))).status == 404
    assert (await server.get(f"/avatar/{NORA}")).status == 404
