"""
What a row says about its files, and how that is made.

A file column holds one object or a list of them: key of the stored object, name as uploaded, unique
name, type as declared, type as recognised. Whoever changes this changes depots on disk.
"""

from typing import Any

import orjson

from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.db.values import SqlValue

MAX_STEM_CHARS = 128  # of the unique name, which has to fit into URLs
MAX_EXTENSION_CHARS = 32  # longer than any that means something
SUFFIX_LENGTH = 10  # random characters that make a name unique

Metadata = dict[str, Any]


def stored_entries(text: SqlValue) -> list[Metadata]:
    """Read a stored value: one file or a list of them; what is malformed counts as no file."""
    if not isinstance(text, str):
        return []
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict)]


def object_keys(text: SqlValue) -> set[str]:
    """Collect the keys of the objects that a stored value refers to."""
    keys = (entry.get("id") for entry in stored_entries(text))
    return {key for key in keys if isinstance(key, str)}


def render_metadata(value: Metadata | list[Metadata]) -> str:
    """Render metadata as it is stored: compact."""
    return orjson.dumps(value).decode()


def unique_filename(original: str | None, suffix: str) -> str:
    """
    Make the name a file is downloaded under.

    Args:
        original: As the client called it.
        suffix: Random letters and digits.

    Returns:
        Letters, digits and ``-_.`` of the original name with the suffix before the extension.

    Spec:
        records/stored-metadata-column-text
    """
    kept = "".join(c for c in original or "" if c.isalnum() or c in "-_.")
    stem, dot, extension = kept.rpartition(".")
    if not stem:  # no dot, or only the one in front
        stem, extension = kept, ""
    stem, extension = stem[:MAX_STEM_CHARS], extension[:MAX_EXTENSION_CHARS]
    name = f"{stem}_{suffix}" if stem else suffix
    return f"{name}.{extension}" if dot and extension else name


def sniff_media_type(head: bytes) -> str | None:
    """Recognise the type of a file by its first bytes; None if they say nothing."""
    import filetype  # noqa: PLC0415  # imported when first needed: start-up time

    found: str | None = filetype.guess_mime(head) if head else None
    return found


def describe_file(
    key: str, original: str | None, content_type: str | None, head: bytes
) -> Metadata:
    """
    Make the metadata of a new file; members that are not known are left out.

    Args:
        key: In the object store.
        original: Name the client gave.
        content_type: Type the client declared.
        head: First bytes.

    Spec:
        records/stored-metadata-column-text
    """
    members = {
        "id": key,
        "original_filename": original,
        "filename": unique_filename(original, random_text(SUFFIX_LENGTH, LOWER_ALPHANUMERIC)),
        "content_type": content_type,
        "mime_type": sniff_media_type(head),
    }
    return {name: value for name, value in members.items() if value is not None}
