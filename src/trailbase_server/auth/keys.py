"""
The Ed25519 key pair of a depot: read it, make it, sign and verify with it.

The files are read by hand. The private one comes in two forms, PKCS#8 version 1 and version 2
(which carries the public key as well); the ``cryptography`` package refuses the second one, and
importing it costs 9 MiB and 20 ms. So it is imported when something is signed or verified for the
first time.

The private file is published before the public one, and each in one step: processes that start
together on a new depot agree on one pair.
"""

import hmac
import os
import re
from base64 import b64encode
from binascii import a2b_base64
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_bytes, random_text
from trailbase_server.errors import OperatorError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PRIVATE_FILE = "private_key.pem"
PUBLIC_FILE = "public_key.pem"
KEY_BYTES = 32  # of a seed and of a public key
# DER by hand:
# SEQUENCE { INTEGER version, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING seed } … }
_ALGORITHM_AND_SEED = bytes.fromhex("300506032b657004220420")
_VERSION_2_HEAD = bytes.fromhex("3051020101") + _ALGORITHM_AND_SEED
_VERSIONS = (bytes.fromhex("020100"), bytes.fromhex("020101"))
_PUBLIC_IN_VERSION_2 = bytes.fromhex("812100")  # [1] BIT STRING, no unused bits
_PUBLIC_HEAD = bytes.fromhex("302a300506032b6570032100")


class SigningKeys:
    """
    A key pair.

    Args:
        seed: 32 bytes, the private key.
        public: 32 bytes, the public key that belongs to it.
    """

    def __init__(self, seed: bytes, public: bytes) -> None:
        self._seed = seed
        self._public = public

    @property
    def public_pem(self) -> str:
        """Text of the public key file."""
        return _render_pem("PUBLIC KEY", _PUBLIC_HEAD + self._public)

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._public

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another purpose, the same at every start."""
        return hmac.digest(self._seed, purpose, "sha256")

    def sign(self, message: bytes) -> bytes:
        """64 bytes of signature."""
        return self._signer.sign(message)

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        """Did this pair sign the message?"""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # when first needed

        try:
            self._verifier.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _signer(self) -> "Ed25519PrivateKey":
        return _signer(self._seed)

    @cached_property
    def _verifier(self) -> "Ed25519PublicKey":
        # Imported when first needed: start-up time.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )

        return Ed25519PublicKey.from_public_bytes(self._public)


def load_keys(directory: Path) -> SigningKeys:
    """
    Read the key pair of a depot, or make one where there is none.

    Args:
        directory: ``secrets/keys`` of the depot; created when missing.

    Returns:
        The pair. A missing public file is written again from the private one.

    Raises:
        OperatorError: The private key alone is missing, a file is unreadable, malformed or cannot
            be written, or the two do not belong together.

    Spec:
        auth/signing-key-files
    """
    private, public = directory / PRIVATE_FILE, directory / PUBLIC_FILE
    try:
        public_text, text = _read(public), _read(private)
        if text is None:
            if public_text is not None:
                raise OperatorError(
                    f"{private} is missing while {public} exists: restore it, or remove both to "
                    "start with a new pair (all issued tokens become invalid)"
                )
            _publish_new_private(directory)
            text = private.read_text("ascii")
        seed, embedded = _parse_private(private, text)
        derived = embedded or _derive_public(seed)
        if public_text is None:
            _publish_public(public, derived)
        elif _parse_public(public, public_text) != derived:
            raise OperatorError(f"{public} does not belong to {private}")
    except (OSError, UnicodeDecodeError) as exc:
        raise OperatorError(f"cannot use the keys in {directory}: {exc}") from exc
    return SigningKeys(seed, derived)


def _publish_new_private(directory: Path) -> None:
    """Write a new private key unless somebody else has just done so."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed = random_bytes(KEY_BYTES)
    der = _VERSION_2_HEAD + seed + _PUBLIC_IN_VERSION_2 + _derive_public(seed)
    finished = _write_beside(directory / PRIVATE_FILE, _render_pem("PRIVATE KEY", der))
    try:
        with suppress(FileExistsError):
            os.link(finished, directory / PRIVATE_FILE)
    finally:
        finished.unlink()


def _publish_public(path: Path, public: bytes) -> None:
    with suppress(PermissionError):  # a depot mounted read-only: the derived key serves
        _write_beside(path, _render_pem("PUBLIC KEY", _PUBLIC_HEAD + public)).replace(path)


def _write_beside(path: Path, text: str) -> Path:
    """Write a complete file of another name in the same directory."""
    finished = path.with_name(f".{path.name}.{random_text(8, LOWER_ALPHANUMERIC)}")
    handle = os.open(finished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    return finished


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii")
    except FileNotFoundError:
        return None


def _parse_private(path: Path, text: str) -> tuple[bytes, bytes | None]:
    der = _parse_pem("PRIVATE KEY", text)
    at = der.find(_ALGORITHM_AND_SEED) if der else -1
    if der is None or der[:1] != b"\x30" or der[2:at] not in _VERSIONS:
        raise OperatorError(f"{path} is not an Ed25519 key in PKCS#8 form")
    start = at + len(_ALGORITHM_AND_SEED)
    seed, rest = der[start : start + KEY_BYTES], der[start + KEY_BYTES :]
    if len(seed) != KEY_BYTES:
        raise OperatorError(f"{path} is cut off")
    if rest.startswith(_PUBLIC_IN_VERSION_2) and len(rest) == len(_PUBLIC_IN_VERSION_2) + KEY_BYTES:
        return seed, rest[-KEY_BYTES:]
    return seed, None


def _parse_public(path: Path, text: str) -> bytes:
    der = _parse_pem("PUBLIC KEY", text)
    if der is None or not der.startswith(_PUBLIC_HEAD) or len(der) != len(_PUBLIC_HEAD) + KEY_BYTES:
        raise OperatorError(f"{path} is not an Ed25519 public key")
    return der[-KEY_BYTES:]


def _parse_pem(label: str, text: str) -> bytes | None:
    found = re.fullmatch(
        rf"\s*-----BEGIN {label}-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END {label}-----\s*", text
    )
    try:
        return a2b_base64("".join(found[1].split()), strict_mode=True) if found else None
    except ValueError:
        return None


def _render_pem(label: str, der: bytes) -> str:
    text = b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _signer(seed: bytes) -> "Ed25519PrivateKey":
    # Imported when first needed: start-up time.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    return Ed25519PrivateKey.from_private_bytes(seed)


def _derive_public(seed: bytes) -> bytes:
    return _signer(seed).public_key().public_bytes_raw()
