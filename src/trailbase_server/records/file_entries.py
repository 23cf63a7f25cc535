"""
What stands in a file column: metadata of files, and how it comes from what clients send.

A client sends a file as JSON (``{"data": base64, …}``) or as a part of a form, and sends back what
it has read before to keep a file. The key of the object is never taken from a client, nor shown to
one: a file that is kept is looked up by its unique name in the stored row (``keep``).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import orjson
from msgspec import Struct

from trailbase_server.db.values import SqlValue
from trailbase_server.ids import decode_b64u, decode_base64, new_uuid4, render_uuid_text
from trailbase_server.storage.metadata import (
    Metadata,
    describe_file,
    render_metadata,
    stored_entries,
)
from trailbase_server.web.multipart import HEAD_BYTES, FilePart

MAX_FILES = 128  # in one column of one record
MAX_NAME_CHARS = 1024  # of a file name or media type: they are stored with the row

_NEW_FILE = frozenset(("data", "name", "filename", "content_type"))
_METADATA = frozenset(("id", "original_filename", "filename", "content_type", "mime_type"))


class InvalidFileError(ValueError):
    """Neither a new file nor one to keep."""


class Upload(Struct, frozen=True):
    """
    An object to be stored.

    Attributes:
        key: In the object store.
        content: The bytes, or a spooled file.
        metadata: What the row will say about it.
    """

    key: str
    content: bytes | Path
    metadata: Metadata


class FileValue(str):
    """
    A value of a file column on its way: the JSON text, and what it takes to make it true.

    Attributes:
        column: Name of the column.
        is_list: The text is a list.
        uploads: Objects that the text refers to and that do not exist yet.
        kept: Unique names of stored files by their place in the text, where so far stands what the
            client sent, without a key.
    """

    __slots__ = ("column", "is_list", "kept", "uploads")
    column: str
    is_list: bool
    uploads: tuple[Upload, ...]
    kept: Mapping[int, str]

    @classmethod
    def of(cls, column: str, entries: Iterable[Upload | Metadata], *, is_list: bool) -> Self:
        """
        Collect entries.

        Args:
            column: Name of the column.
            entries: Uploads, and metadata of files to keep.
            is_list: The column holds several files; otherwise there is one entry.
        """
        items = tuple(entries)
        found = [e.metadata if isinstance(e, Upload) else _without_key(e) for e in items]
        value = cls(render_metadata(found if is_list else found[0]))
        value.column = column
        value.is_list = is_list
        value.uploads = tuple(e for e in items if isinstance(e, Upload))
        value.kept = {n: e["filename"] for n, e in enumerate(items) if not isinstance(e, Upload)}
        return value

    def without_contents(self) -> str:
        """Copy without uploads; just the text if nothing is kept."""
        if not self.kept:
            return str(self)
        copy = type(self)(self)
        copy.column, copy.is_list, copy.kept, copy.uploads = (
            self.column,
            self.is_list,
            self.kept,
            (),
        )
        return copy

    def keep(self, stored: SqlValue) -> str | None:
        """
        Put the stored metadata of kept files in place.

        Args:
            stored: Value of the column in the row now.

        Returns:
            The text to store, None if a file to keep is not among the stored ones.
        """
        known = {entry.get("filename"): entry for entry in stored_entries(stored)}
        value = orjson.loads(str(self))  # the library takes no subclasses
        entries = value if self.is_list else [value]
        for place, name in self.kept.items():
            if name not in known:
                return None
            entries[place] = known[name]
        return render_metadata(entries if self.is_list else entries[0])


def read_files(column: str, value: Any, *, is_list: bool) -> FileValue:
    """
    Read what a client sent for a file column.

    Args:
        column: Name of the column.
        value: Parsed JSON or a ``FilePart``; with ``is_list`` a list of these.
        is_list: The column holds several files.

    Raises:
        InvalidFileError: Something else, or too many or too long.

    Spec:
        records/upload-in-json
        records/upload-as-multipart
    """
    if not is_list:
        return FileValue.of(column, (_read_entry(value),), is_list=False)
    if not isinstance(value, list):
        raise InvalidFileError("not a list of files")
    if len(value) > MAX_FILES:
        raise InvalidFileError(f"more than {MAX_FILES} files")
    return FileValue.of(column, map(_read_entry, value), is_list=True)


def _read_entry(value: Any) -> Upload | Metadata:
    if isinstance(value, FilePart):
        return _upload(value.content, value.head, value.filename, value.content_type)
    if not isinstance(value, dict):
        raise InvalidFileError("not a file")
    if "data" in value:
        return _read_new(value)
    if not value.keys() <= _METADATA or not isinstance(value.get("filename"), str):
        raise InvalidFileError("neither a new file nor metadata of a stored one")
    for name in _METADATA - {"filename"}:
        _text_member(value, name)
    return value


def _read_new(value: Mapping[str, Any]) -> Upload:
    if not value.keys() <= _NEW_FILE:
        raise InvalidFileError("unknown members of a file")
    encoded = value["data"]
    if not isinstance(encoded, str):
        raise InvalidFileError("data is no text")
    data = decode_b64u(encoded)
    if data is None:
        data = decode_base64(encoded)
    if data is None:
        raise InvalidFileError("data is no padded base64")
    _text_member(value, "name")
    return _upload(
        data,
        data[:HEAD_BYTES],
        _text_member(value, "filename"),
        _text_member(value, "content_type"),
    )


def _text_member(value: Mapping[str, Any], name: str) -> str | None:
    member = value.get(name)
    if member is not None and not isinstance(member, str):
        raise InvalidFileError(f"{name} is no text")
    return member


def _upload(
    content: bytes | Path, head: bytes, original: str | None, content_type: str | None
) -> Upload:
    for text in (original, content_type):
        if text is not None and len(text) > MAX_NAME_CHARS:
            raise InvalidFileError(f"a name of more than {MAX_NAME_CHARS} characters")
    key = render_uuid_text(new_uuid4())
    return Upload(key, content, describe_file(key, original, content_type, head))


def _without_key(metadata: Metadata) -> Metadata:
    return {name: value for name, value in metadata.items() if name != "id"}
