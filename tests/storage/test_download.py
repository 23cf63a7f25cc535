"""Answers with objects: headers, parts, versions; on both stores."""

import pytest

from tests.storage.test_base import new_key
from trailbase_server.errors import NotFoundError
from trailbase_server.storage.base import CHUNK_BYTES
from trailbase_server.storage.download import CACHE_CHECKED, CACHE_FOREVER, send_object
from trailbase_server.web.request import Request

DATA = bytes(range(256)) * 4
LARGE = bytes(range(256)) * (CHUNK_BYTES // 128)


def asked(**headers):
    pairs = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    return Request("GET", "/", headers=pairs)


async def send(storage, data=DATA, request=None, caching=CACHE_CHECKED, **metadata):
    key = metadata.setdefault("id", new_key())
    if data is not None:
        await storage.put(key, data)
    response = await send_object(storage, request or asked(), metadata, caching)
    body = response.body
    if response.stream is not None and not (request and request.head):
        body = b"".join([chunk async for chunk in response.stream])
    return response.status, dict(response.headers), body


@pytest.mark.case("T-64")
async def test_a_file_is_an_attachment_that_runs_nothing(storage):
    status, headers, body = await send(storage, original_filename="a.png", mime_type="image/png")
    assert (status, body) == (200, DATA)
    assert headers[b"content-type"] == b"image/png"
    assert headers[b"content-disposition"] == b'attachment; filename="a.png"'
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"content-security-policy"] == b"default-src 'none'; sandbox"
    assert headers[b"accept-ranges"] == b"bytes"
    assert headers[b"cache-control"] == b"private, no-cache"


@pytest.mark.case("T-64")
@pytest.mark.parametrize(
    ("metadata", "media_type"),
    [
        ({}, b"text/plain; charset=utf-8"),
        ({"content_type": "text/csv"}, b"text/csv"),
        ({"content_type": "text/csv; charset=latin-1"}, b"text/csv; charset=latin-1"),
        ({"content_type": "text/csv", "mime_type": "image/png"}, b"image/png"),
        ({"content_type": ""}, b"text/plain; charset=utf-8"),
        ({"content_type": "nonsense"}, b"application/octet-stream"),
        ({"content_type": "text/x\r\nset-cookie: a=b"}, b"application/octet-stream"),
        ({"content_type": "text/ü"}, b"application/octet-stream"),
        ({"content_type": 5}, b"text/plain; charset=utf-8"),
    ],
)
async def test_the_type_is_the_recognised_one_else_the_declared_one(tmp_path, metadata, media_type):
    from trailbase_server.storage.local import LocalStorage

    storage = LocalStorage(tmp_path)
    _, headers, _ = await send(storage, **metadata)
    assert headers[b"content-type"] == media_type
    await storage.close()


async def test_large_files_are_streamed_with_their_length(storage):
    status, headers, body = await send(storage, LARGE)
    assert (status, body) == (200, LARGE)
    assert headers[b"content-length"] == b"%d" % len(LARGE)


async def test_a_part_is_sent_when_it_is_asked_for(storage):
    status, headers, body = await send(storage, request=asked(range="bytes=10-19"))
    assert (status, body) == (206, DATA[10:20])
    assert headers[b"content-range"] == b"bytes 10-19/1024"
    status, headers, body = await send(storage, LARGE, asked(range="bytes=1-"))
    assert (status, body) == (206, LARGE[1:])
    assert headers[b"content-length"] == b"%d" % (len(LARGE) - 1)
    status, headers, body = await send(storage, request=asked(range="bytes=5000-"))
    assert (status, headers, body) == (416, {b"content-range": b"bytes */1024"}, b"")


async def test_a_client_that_has_the_file_is_told_so(storage):
    key = new_key()
    _, headers, _ = await send(storage, id=key, caching=CACHE_FOREVER)
    etag = headers[b"etag"].decode()
    assert key not in etag
    status, again, body = await send(storage, None, asked(if_none_match=etag), id=key)
    assert (status, body) == (304, b"")
    assert again[b"etag"] == headers[b"etag"]
    assert b"content-type" not in again
    assert headers[b"cache-control"].endswith(b"immutable")
    assert (await send(storage, None, asked(if_none_match='"x"'), id=key))[0] == 200
    part = asked(range="bytes=0-0", if_range=etag)
    assert (await send(storage, None, part, id=key))[0] == 206


async def test_a_head_request_reads_nothing(storage):
    request = asked()
    request.head = True
    status, headers, body = await send(storage, request=request)
    assert (status, headers[b"content-length"], body) == (200, b"1024", b"")


async def test_empty_files_are_sent(storage):
    status, _, body = await send(storage, b"")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize(
    "key", ["", None, 5, "../etc/passwd", "00000000-0000-4000-8000-000000000000"]
)
async def test_what_is_not_there_is_not_found(storage, key):
    with pytest.raises(NotFoundError):
        await send(storage, None, id=key)
