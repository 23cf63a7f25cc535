"""
The body of a request, decoded by its content type.

Two families: record endpoints take JSON, a form or multipart and choose by the *prefix* of the
content type (``decode_body``); all others take JSON and nothing else (``decode_json_only``).
Whatever a client may send ends in a value or in a 4xx.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson
from msgspec import Struct

from trailbase_server.errors import BadRequestError, UnprocessableError, UnsupportedMediaError
from trailbase_server.web.multipart import FilePart, FormParser, parse_form
from trailbase_server.web.request import Request
from trailbase_server.web.spool import Spool

MAX_DEPTH = 128  # levels of nesting in JSON: nobody's record, and no recursion of ours goes deeper
MAX_FIELDS = 10_000  # fields of a form: each costs a few objects

BodyKind = Literal["json", "form", "multipart"]


class Body(Struct, frozen=True):
    """
    A decoded body.

    Attributes:
        kind: What it was.
        value: JSON: any value. Form and multipart: a dict of texts; a repeated multipart field is
            a list of texts.
        files: Files of a multipart body, in order.
    """

    kind: BodyKind
    value: Any
    files: tuple[FilePart, ...] = ()


def decode_body(request: Request) -> Body:
    """
    Decode the body of a record endpoint.

    Args:
        request: A request without content type is taken to be JSON.

    Raises:
        BadRequestError: Unknown content type or malformed body; the text says what is wrong.
        UnsupportedMediaError: It is packed.

    Spec:
        records/request-body-limits-and-decoding-order
    """
    content_type: bytes | None = None
    for name, value in request.headers:  # one look at the headers: this is the way of every write
        if name == b"content-type":
            content_type = value if content_type is None else content_type
        elif name == b"content-encoding":
            _check_unpacked(request)
    if content_type is None or content_type.startswith(b"application/json"):
        return Body("json", decode_json(request.body))
    kind = content_type.lower()
    if kind.startswith(b"application/json"):
        return Body("json", decode_json(request.body))
    if kind.startswith(b"application/x-www-form-urlencoded"):
        return Body("form", decode_form(request.body))
    if kind.startswith(b"multipart/form-data"):
        fields, files = parse_form(request.body, content_type)
        return Body("multipart", fields, files)
    shown = content_type.decode("latin-1")[:100]
    raise BadRequestError(f"unsupported content type: {shown}")


@asynccontextmanager
async def received_body(request: Request, spool: Spool) -> AsyncIterator[Body]:
    """
    Decode the body of a record endpoint while it arrives, large files on disk.

    At the end of the block spooled files are removed unless they were moved away.

    Args:
        request: Its ``stream`` is None unless it is a multipart form.
        spool: Where large files go.

    Raises:
        UnavailableError: The disk does not take them.
        BadRequestError, TooLargeError, UnsupportedMediaError: As of ``decode_body``.
    """
    stream = request.stream
    if stream is None:
        yield decode_body(request)
        return
    parser: FormParser | None = None
    try:
        try:
            _check_unpacked(request)
            parser = FormParser(request.header(b"content-type") or b"")
            async for chunk in stream:
                parser.feed(chunk)
                await parser.spool_large(spool)
            files = parser.finish()
        except (BadRequestError, UnsupportedMediaError):
            # Clients listen when they have said everything: an answer in between may be lost.
            async for _ in stream:
                pass
            raise
        yield Body("multipart", parser.fields, files)
    finally:
        left = [path for path in parser.spooled() if path.exists()] if parser is not None else []
        if left:
            await spool.remove(left)


def decode_json_only(request: Request) -> Any:
    """
    Decode the body of an endpoint that takes JSON and nothing else.

    Raises:
        UnsupportedMediaError: The content type is missing or not JSON, or it is packed: 415.
        BadRequestError: The JSON is malformed.

    Spec:
        records/request-body-limits-and-decoding-order
    """
    _check_unpacked(request)
    content_type = request.header(b"content-type") or b""
    kind = content_type.partition(b";")[0].strip().lower()
    is_json = kind == b"application/json" or (
        kind.startswith(b"application/") and kind.endswith(b"+json")
    )
    if not is_json:
        raise UnsupportedMediaError("Expected request with `Content-Type: application/json`")
    return decode_json(request.body)


def decode_json_object(request: Request) -> dict[str, Any]:
    """
    Decode a body as ``decode_json_only`` does; it must be an object.

    Raises:
        UnprocessableError: It is something else, besides what ``decode_json_only`` raises.

    Spec:
        admin-api/request-parsing-errors
    """
    value = decode_json_only(request)
    if not isinstance(value, dict):
        raise UnprocessableError("expected an object")
    return value


def _check_unpacked(request: Request) -> None:
    """Refuse what would have to be unpacked: a small body could become a huge one."""
    encoding = request.header(b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise UnsupportedMediaError("packed bodies are not taken")


def decode_json(data: bytes) -> Any:
    """
    Parse JSON; of repeated members the last one wins.

    Raises:
        BadRequestError: Not JSON, not UTF-8, a number beyond double precision's range, half a
            surrogate pair, or nested deeper than ``MAX_DEPTH``.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise BadRequestError(f"invalid JSON: {exc}") from exc
    # A level takes two bytes, and counting is cheap: nearly every body is spared the walk.
    if (
        len(data) > 2 * MAX_DEPTH
        and data.count(b"[") + data.count(b"{") > MAX_DEPTH
        and _is_deep(value)
    ):
        raise BadRequestError(f"invalid JSON: nested deeper than {MAX_DEPTH} levels")
    return value


def decode_form(data: bytes) -> dict[str, str]:
    """
    Parse an url-encoded form; of repeated fields the last one wins.

    Malformed percent escapes stay as they are.

    Raises:
        BadRequestError: Not UTF-8, or more than ``MAX_FIELDS`` fields.
    """
    try:
        fields = parse_qsl(
            data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as exc:  # UnicodeDecodeError is one
        raise BadRequestError(f"invalid form: {exc}") from exc
    return dict(fields)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for container in level:
            members = container.values() if isinstance(container, dict) else container
            inner += [member for member in members if isinstance(member, dict | list)]
        if not inner:
            return False
        level = inner
    return True
