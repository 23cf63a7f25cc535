"""
Multipart forms, parsed while they arrive; large files go to disk at once.

``FormParser`` takes the body in pieces of any size. Texts and small files stay in memory, within a
bound; everything else is appended to spooled files, so that the memory a request takes does not
depend on the size of its body. ``parse_form`` is for a body that is in memory already.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from trailbase_server.errors import BadRequestError, TooLargeError
from trailbase_server.web.spool import Spool

MAX_PARTS = 1_000  # parts of a multipart body: their headers are parsed byte by byte
MAX_TEXT_BYTES = 10 * 1024 * 1024  # of all text fields: texts stay in memory
SMALL_BYTES = 64 * 1024  # a file up to this size stays in memory …
SMALL_TOTAL_BYTES = 1024 * 1024  # … unless there are many of them
WRITE_BYTES = 256 * 1024  # collected before they are written: a thread costs as much as 100 KiB
HEAD_BYTES = 8 * 1024  # kept of every file: what tells its type

Fields = dict[str, str | list[str]]


class FilePart(Struct, frozen=True):
    """
    A file in a multipart body.

    Attributes:
        name: Name of the form field.
        filename: As the client called it, None if it was empty.
        content_type: As the client declared it, None if it did not.
        content: At least one byte, or a spooled file, which ends with the request unless it is
            moved away.
        head: Its first bytes, at most ``HEAD_BYTES``.
    """

    name: str
    filename: str | None
    content_type: str | None
    content: bytes | Path
    head: bytes


class _File:
    """A file on its way: what is in memory, and what has been spooled before it."""

    def __init__(self, name: str, filename: str | None, content_type: str | None) -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.memory = bytearray()
        self.path: Path | None = None
        self.head = b""

    def part(self) -> FilePart:
        content = self.path or bytes(self.memory)
        head = self.head or bytes(self.memory[:HEAD_BYTES])
        return FilePart(self.name, self.filename, self.content_type, content, head)


class FormParser:
    """
    A push parser.

    Args:
        content_type: Value of the header, which names the boundary.

    Attributes:
        fields: Texts so far; of a repeated field all of them, in order.

    Raises:
        BadRequestError: Missing boundary.

    Spec:
        records/request-body-limits-and-decoding-order
    """

    def __init__(self, content_type: bytes) -> None:
        # Imported when first needed: start-up time.
        from python_multipart.exceptions import FormParserError  # noqa: PLC0415
        from python_multipart.multipart import (  # noqa: PLC0415
            MultipartParser,
            parse_options_header,
        )

        self._error = FormParserError
        self._options = parse_options_header
        _, options = parse_options_header(content_type.decode("latin-1"))
        boundary = options.get(b"boundary")
        if not boundary:
            raise BadRequestError("invalid multipart body: no boundary")
        with self._translated():
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        self.fields: Fields = {}
        self._files: list[_File] = []
        self._ended: list[_File] = []  # since the last call of ``spool_large``
        self._parts = 0
        self._text_bytes = 0
        self._small_bytes = 0
        self._is_complete = False
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._text_name = ""
        self._text = bytearray()
        self._file: _File | None = None

    def feed(self, data: bytes) -> None:
        """
        Parse the next piece.

        Raises:
            BadRequestError: Malformed, a part without name, a text that is not UTF-8, or more than
                ``MAX_PARTS`` parts.
            TooLargeError: More than ``MAX_TEXT_BYTES`` of text.
        """
        with self._translated():
            self._parser.write(data)

    def finish(self) -> tuple[FilePart, ...]:
        """
        End the body.

        Returns:
            Files in order. One without content is left out: that is how browsers send an empty
            file input.

        Raises:
            BadRequestError: It is cut short.
        """
        with self._translated():
            self._parser.finalize()
        if not self._is_complete:
            raise BadRequestError("invalid multipart body: it is cut short")
        return tuple(file.part() for file in self._files if file.memory or file.path)

    async def spool_large(self, spool: Spool) -> None:
        """
        Move to disk what should not stay in memory; call it between two pieces.

        Raises:
            UnavailableError: The disk does not take it.
        """
        for file in self._ended:
            size = len(file.memory)
            is_small = file.path is None and size <= SMALL_BYTES
            if is_small and self._small_bytes + size <= SMALL_TOTAL_BYTES:
                self._small_bytes += size
            elif size:
                await self._spool(file, spool)
        self._ended.clear()
        if self._file is not None and len(self._file.memory) >= WRITE_BYTES:
            await self._spool(self._file, spool)

    def spooled(self) -> list[Path]:
        """Files on disk."""
        return [file.path for file in self._files if file.path is not None]

    async def _spool(self, file: _File, spool: Spool) -> None:
        if file.path is None:
            file.head = bytes(file.memory[:HEAD_BYTES])
        data = bytes(file.memory)
        file.memory.clear()
        file.path = await spool.append(file.path, data)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._error as exc:
            raise BadRequestError(f"invalid multipart body: {exc}") from exc

    # What the parser reports

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadRequestError(f"invalid multipart body: more than {MAX_PARTS} parts")
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        disposition, options = self._options(self._headers.get("content-disposition", ""))
        raw_name = options.get(b"name")
        if disposition != b"form-data" or raw_name is None:
            raise BadRequestError("invalid multipart body: a part without name")
        name = _utf8(raw_name)
        raw_filename = options.get(b"filename")
        if raw_filename is None:
            self._file = None
            self._text_name = name
            self._text = bytearray()
        else:
            filename = _utf8(raw_filename) or None
            self._file = _File(name, filename, self._headers.get("content-type"))
            self._files.append(self._file)

    def _content(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.memory += data[start:end]
            return
        self._text_bytes += end - start
        if self._text_bytes > MAX_TEXT_BYTES:
            raise TooLargeError("text fields are too long")
        self._text += data[start:end]

    def _end_part(self) -> None:
        if self._file is not None:
            self._ended.append(self._file)
            self._file = None
            return
        text = _utf8(self._text)
        earlier = self.fields.get(self._text_name)
        if earlier is None:
            self.fields[self._text_name] = text
        elif isinstance(earlier, list):
            earlier.append(text)
        else:
            self.fields[self._text_name] = [earlier, text]

    def _end(self) -> None:
        self._is_complete = True


def is_multipart(content_type: bytes | None) -> bool:
    """Is a body of this type a multipart form?"""
    return content_type is not None and content_type.lower().startswith(b"multipart/form-data")


def parse_form(data: bytes, content_type: bytes) -> tuple[Fields, tuple[FilePart, ...]]:
    """
    Parse a multipart form that is in memory, and leave it there.

    Args:
        data: The body.
        content_type: Value of the header.

    Raises: As of ``FormParser``.
    """
    parser = FormParser(content_type)
    parser.feed(data)
    files = parser.finish()
    return parser.fields, files


def _utf8(data: bytes | bytearray) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise BadRequestError("invalid multipart body: not UTF-8") from exc
