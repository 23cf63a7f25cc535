"""
Ids as they travel: URL-safe base64 with padding, UUID texts, and the makers of new UUIDs.

One strict codec serves record ids, user ids and BLOB values: the alphabet is ``A-Za-z0-9-_``,
padding is mandatory, unused trailing bits are zero, nothing else is tolerated (spec records,
legend; spec sqlite/2.6). ``base64`` of the standard library is more lenient in each of these
points.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from typing import NewType

from uuid_utils import uuid4, uuid7

UserId = NewType("UserId", bytes)
"""The 16 raw bytes of a user's UUID."""

_UUID_TEXT = re.compile(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z"
)
# The characters of the other alphabet become one that no alphabet has.
_TO_STANDARD = bytes.maketrans(b"-_+/", b"+/??")
# Last characters before one and before two signs of padding whose unused bits are zero.
_CANONICAL_BEFORE_ONE = frozenset(b"AEIMQUYcgkosw048")
_CANONICAL_BEFORE_TWO = frozenset(b"AQgw")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
UUID_TEXT_LENGTH = 36  # characters: 32 hexadecimal digits and 4 hyphens
UUID_BYTES = 16


def encode_b64u(data: bytes) -> str:
    """Render bytes as URL-safe base64 with padding."""
    return b2a_base64(data, newline=False).translate(_TO_URL_SAFE).decode("ascii")


def encode_b64u_all(values: Sequence[object]) -> list[object]:
    """
    Render many values as ``encode_b64u`` does; what is not bytes stays as it is.

    Where all are UUIDs they are rendered in one step: 16 bytes and two of filling are 24
    characters, of which the last two stand for the filling.
    """
    try:
        joined = b"\0\0".join(values)  # type: ignore[arg-type]  # not all of them may be bytes
    except TypeError:
        joined = b""
    if len(joined) != len(values) * 18 - 2 or set(map(len, values)) != {UUID_BYTES}:  # type: ignore[arg-type]  # all are bytes here
        return [encode_b64u(value) if isinstance(value, bytes) else value for value in values]
    text = encode_b64u(joined + b"\0\0")
    return [f"{text[start : start + 22]}==" for start in range(0, len(text), 24)]


def decode_b64u(text: str) -> bytes | None:
    """
    Read URL-safe base64 with canonical padding.

    Returns:
        The bytes, or None for any text that ``encode_b64u`` would not have produced.
    """
    try:
        raw = text.encode("ascii")
        data = a2b_base64(raw.translate(_TO_STANDARD), strict_mode=True)
    except ValueError:
        return None
    if len(raw) & 3:  # padding after a whole group is let through
        return None
    # Trailing bits that are not zero decode as well: only the canonical spelling is accepted.
    if raw.endswith(b"=="):
        return data if raw[-3] in _CANONICAL_BEFORE_TWO else None
    if raw.endswith(b"="):
        return data if raw[-2] in _CANONICAL_BEFORE_ONE else None
    return data


def decode_base64(text: str) -> bytes | None:
    """Read standard base64 with canonical padding; None for anything else."""
    try:
        raw = text.encode("ascii")
        data = a2b_base64(raw, strict_mode=True)
    except ValueError:
        return None
    return None if raw.endswith(b"=") and b2a_base64(data, newline=False) != raw else data


def parse_uuid_text(text: str) -> bytes | None:
    """Read a hyphenated UUID of 36 characters in any case; None for anything else."""
    return bytes.fromhex(text.replace("-", "")) if _UUID_TEXT.match(text) else None


def render_uuid_text(data: bytes) -> str:
    """Render 16 bytes as lower-case hyphenated UUID text."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def decode_blob_text(text: str) -> bytes | None:
    """
    Read the text form of a BLOB value or key: UUID text if it is exactly 36 characters, else
    base64.

    Spec:
        records/record-ids
    """
    if len(text) == UUID_TEXT_LENGTH:
        data = parse_uuid_text(text)
        if data is not None:
            return data
    return decode_b64u(text)


def new_uuid4() -> bytes:
    """16 random bytes with version 4."""
    return uuid4().bytes


def new_uuid7() -> bytes:
    """16 bytes with version 7, strictly increasing within the process."""
    return uuid7().bytes
