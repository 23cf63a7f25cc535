"""
Answer a request with a stored object.

An object never changes, so it has a strong tag, and parts of it can be asked for. Nothing of a
user's making runs in the browser: every object is an attachment, its type is not guessed, and who
opens it anyway is told to run nothing.
"""

import re
from hashlib import sha256
from typing import Final

from trailbase_server.storage.base import CHUNK_BYTES, Storage, StoredObject
from trailbase_server.storage.metadata import Metadata
from trailbase_server.web.conditional import (
    RangeNotSatisfiableError,
    is_known,
    parse_range,
    render_attachment,
)
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response

CACHE_FOREVER: Final = b"private, max-age=31536000, immutable"
CACHE_CHECKED: Final = b"private, no-cache"
DEFAULT_TYPE = "text/plain; charset=utf-8"
OPAQUE_TYPE = "application/octet-stream"  # where a client declared something that is no type
ETAG_LENGTH = 32  # hexadecimal digits

_MEDIA_TYPE = re.compile(
    r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(\s*;[\x20-\x7e]{0,200})?\Z", re.ASCII
)
_SAFETY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]


async def send_object(
    storage: Storage, request: Request, metadata: Metadata, caching: bytes
) -> Response:
    """
    Answer with an object, a part of it, or the news that the client has it already.

    Args:
        storage: Has the object.
        request: A GET, possibly with conditions and a range.
        metadata: Of the file; may be malformed.
        caching: What browsers may do: ``CACHE_FOREVER`` where the address names this very object,
            else ``CACHE_CHECKED``.

    Raises:
        NotFoundError: There is no such object.
        StorageUnavailableError: The store does not answer.

    Spec:
        records/download
    """
    key = str(metadata.get("id", ""))
    found = await storage.open(key)
    # The key itself is nobody's business.
    etag = f'"{sha256(key.encode()).hexdigest()[:ETAG_LENGTH]}"'
    headers: Headers = [
        (b"etag", etag.encode()),
        (b"cache-control", caching),
        (b"accept-ranges", b"bytes"),
    ]
    if is_known(request, etag):
        await found.close()
        return Response(304, headers=headers)
    status, start, stop = 200, 0, found.size
    try:
        part = parse_range(request, found.size, etag)
    except RangeNotSatisfiableError:
        await found.close()
        return Response(416, headers=[(b"content-range", b"bytes */%d" % found.size)])
    if part is not None:
        status, (start, stop) = 206, part
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, found.size)))
    headers.append((b"content-type", _media_type(metadata).encode()))
    name = metadata.get("original_filename") or metadata.get("filename")
    headers.append((b"content-disposition", render_attachment(str(name) if name else None)))
    headers += _SAFETY
    return await _respond(request, found, headers, status, (start, stop))


async def _respond(
    request: Request, found: StoredObject, headers: Headers, status: int, part: tuple[int, int]
) -> Response:
    start, stop = part
    if not request.head and stop - start <= CHUNK_BYTES:
        body = b"".join([chunk async for chunk in found.chunks(start, stop)])
        return Response(status, body, headers)
    headers.append((b"content-length", b"%d" % (stop - start)))
    if request.head:
        await found.close()  # the stream is not going to be started
    return Response(status, headers=headers, stream=found.chunks(start, stop))


def _media_type(metadata: Metadata) -> str:
    for member in ("mime_type", "content_type"):
        text = metadata.get(member)
        if isinstance(text, str) and text:
            return text if _MEDIA_TYPE.match(text) else OPAQUE_TYPE
    return DEFAULT_TYPE
