"""
Files beside the key pair that a rotation leaves: public keys that still verify, and what further
secrets are derived from.

.. code-block:: text

    retired_keys.json   {"keys":[{"x":"<public key, base64url>","until":<Unix seconds>}]}
    derivation_key      32 bytes, base64url: the first private key, or what came after a leak

Neither is there before the first rotation. The reference server does not look at them.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from trailbase_server.errors import OperatorError
from trailbase_server.ids import decode_b64u, encode_b64u

RETIRED_FILE = "retired_keys.json"
DERIVATION_FILE = "derivation_key"
MAX_RETIRED = 4  # keys: each costs a verification for every token that is no good
_LENGTH = 32  # bytes of either kind


class RetiredKey(Struct, frozen=True):
    """
    A public key that signs no more.

    Attributes:
        public: 32 bytes.
        until: Unix seconds; afterwards it verifies nothing.
    """

    public: bytes
    until: int


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    x: str
    until: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[_Entry]


def read_retired(directory: Path) -> tuple[RetiredKey, ...]:
    """
    Read the retired keys of a depot.

    Raises:
        OperatorError: The file is malformed.
        OSError: It cannot be read.
    """
    path = directory / RETIRED_FILE
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=_File).keys
    except FileNotFoundError:
        return ()
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise OperatorError(f"{path}: {exc}") from exc
    return tuple(RetiredKey(_bytes_of(path, entry.x), entry.until) for entry in entries)


def render_retired(keys: Sequence[RetiredKey]) -> str:
    """Text of the file."""
    entries = [_Entry(encode_b64u(key.public), key.until) for key in keys]
    return msgspec.json.encode(_File(entries)).decode() + "\n"


def read_derivation(directory: Path) -> bytes | None:
    """
    Read what secrets are derived from; None while that is the private key.

    Raises:
        OperatorError: The file is malformed.
        OSError: It cannot be read.
    """
    path = directory / DERIVATION_FILE
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        return None
    return _bytes_of(path, text.strip())


def render_derivation(secret: bytes) -> str:
    """Text of the file."""
    return encode_b64u(secret) + "\n"


def _bytes_of(path: Path, text: str) -> bytes:
    data = decode_b64u(text)
    if data is None or len(data) != _LENGTH:
        raise OperatorError(f"{path} is malformed: expected {_LENGTH} bytes in base64")
    return data
