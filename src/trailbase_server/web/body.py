"""
The body of a request, decoded by its content type.

Two families: record endpoints take JSON, a form or multipart and choose by the *prefix* of the
content type (``decode_body``); all others take JSON and nothing else (``decode_json_only``).
Whatever a client may send ends in a value or in a 4xx.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson

from trailbase_server.errors import BadRequestError, UnsupportedMediaError
from trailbase_server.web.request import Request

MAX_DEPTH = 128  # levels of nesting in JSON: nobody's record, and no recursion of ours goes deeper
MAX_FIELDS = 10_000  # fields of a form: each costs a few objects
MAX_PARTS = 1_000  # parts of a multipart body: their headers are parsed byte by byte

BodyKind = Literal["json", "form", "multipart"]


@dataclass(frozen=True, slots=True)
class FilePart:
    """
    A file in a multipart body.

    Attributes:
        name: Name of the form field.
        filename: As the client called it, None if it was empty.
        content_type: As the client declared it, None if it did not.
        data: At least one byte.
    """

    name: str
    filename: str | None
    content_type: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
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

    Spec:
        records/request-body-limits-and-decoding-order
    """
    content_type = request.header(b"content-type")
    if content_type is None or content_type.startswith(b"application/json"):
        return Body("json", decode_json(request.body))
    kind = content_type.lower()
    if kind.startswith(b"application/json"):
        return Body("json", decode_json(request.body))
    if kind.startswith(b"application/x-www-form-urlencoded"):
        return Body("form", decode_form(request.body))
    if kind.startswith(b"multipart/form-data"):
        fields, files = decode_multipart(request.body, content_type)
        return Body("multipart", fields, files)
    shown = content_type.decode("latin-1")[:100]
    raise BadRequestError(f"unsupported content type: {shown}")


def decode_json_only(request: Request) -> Any:
    """
    Decode the body of an endpoint that takes JSON and nothing else.

    Raises:
        UnsupportedMediaError: The content type is missing or not JSON: 415.
        BadRequestError: The JSON is malformed.

    Spec:
        records/request-body-limits-and-decoding-order
    """
    content_type = request.header(b"content-type") or b""
    kind = content_type.partition(b";")[0].strip().lower()
    is_json = kind == b"application/json" or (
        kind.startswith(b"application/") and kind.endswith(b"+json")
    )
    if not is_json:
        raise UnsupportedMediaError("Expected request with `Content-Type: application/json`")
    return decode_json(request.body)


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
    # Counting is so cheap that nearly every body is spared the walk.
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _is_deep(value):
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


def decode_multipart(
    data: bytes, content_type: bytes
) -> tuple[dict[str, str | list[str]], tuple[FilePart, ...]]:
    """
    Parse a multipart form.

    Args:
        data: The body.
        content_type: Value of the header, which names the boundary.

    Returns:
        Text fields (of a repeated one all texts, in order) and files. A file without content is
        left out: that is how browsers send an empty file input.

    Raises:
        BadRequestError: Missing boundary, malformed or truncated body, a part without name, a text
            that is not UTF-8, or more than ``MAX_PARTS`` parts.

    Spec:
        records/request-body-limits-and-decoding-order
    """
    fields: dict[str, str | list[str]] = {}
    files: list[FilePart] = []
    for headers, content in _split_parts(data, content_type):
        _add_part(headers, content, fields, files)
    return fields, tuple(files)


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


class _Parts:
    """Collects what the push parser reports: headers and content of each part."""

    def __init__(self) -> None:
        self.parts: list[tuple[dict[str, str], bytes]] = []
        self.is_complete = False
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._content = bytearray()

    def begin(self) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise BadRequestError(f"invalid multipart body: more than {MAX_PARTS} parts")
        self._headers = {}
        self._content = bytearray()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def content(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def end_part(self) -> None:
        self.parts.append((self._headers, bytes(self._content)))

    def end(self) -> None:
        self.is_complete = True


def _split_parts(data: bytes, content_type: bytes) -> list[tuple[dict[str, str], bytes]]:
    # Imported when first needed: start-up time.
    from python_multipart.exceptions import FormParserError  # noqa: PLC0415
    from python_multipart.multipart import MultipartParser, parse_options_header  # noqa: PLC0415

    _, options = parse_options_header(content_type.decode("latin-1"))
    boundary = options.get(b"boundary")
    if not boundary:
        raise BadRequestError("invalid multipart body: no boundary")
    parts = _Parts()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_field,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_part_data": parts.content,
                "on_part_end": parts.end_part,
                "on_end": parts.end,
            },
        )
        parser.write(data)
        parser.finalize()
    except FormParserError as exc:
        raise BadRequestError(f"invalid multipart body: {exc}") from exc
    if not parts.is_complete:
        raise BadRequestError("invalid multipart body: it is cut short")
    return parts.parts


def _add_part(
    headers: Mapping[str, str],
    content: bytes,
    fields: dict[str, str | list[str]],
    files: list[FilePart],
) -> None:
    from python_multipart.multipart import parse_options_header  # noqa: PLC0415  # as above

    disposition, options = parse_options_header(headers.get("content-disposition", ""))
    raw_name = options.get(b"name")
    if disposition != b"form-data" or raw_name is None:
        raise BadRequestError("invalid multipart body: a part without name")
    name = _utf8(raw_name)
    raw_filename = options.get(b"filename")
    if raw_filename is not None:
        if content:
            filename = _utf8(raw_filename) or None
            files.append(FilePart(name, filename, headers.get("content-type"), content))
        return
    text = _utf8(content)
    earlier = fields.get(name)
    if earlier is None:
        fields[name] = text
    elif isinstance(earlier, list):
        earlier.append(text)
    else:
        fields[name] = [earlier, text]


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise BadRequestError("invalid multipart body: not UTF-8") from exc
