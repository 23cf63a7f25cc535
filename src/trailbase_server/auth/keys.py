"""
The Ed25519 key pair of a depot: read it, make it, sign and verify with it.

The files are read by hand. The private one comes in two forms, PKCS#8 version 1 and version 2
(which carries the public key as well); the ``cryptography`` package refuses the second one, and
importing it costs 9 MiB and 20 ms. So it is imported when something is signed or verified for the
first time.

The private file is published before the public one, and each in one step: processes that start
together on a new depot agree on one pair. ``key_rotation`` gives a depot another pair; what the one
before has signed is good until it expires.
"""

import hmac
import os
import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.auth.retired_keys import RetiredKey, read_derivation, read_retired
from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_bytes, random_text
from trailbase_server.errors import OperatorError
from trailbase_server.ids import encode_b64u

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
    The key pair of a depot, and the public keys of those before it.

    Args:
        seed: 32 bytes, the private key.
        public: 32 bytes, the public key that belongs to it.
        retired: Keys that only verify.
        derivation: What further secrets are derived from; None for the seed.
    """

    def __init__(
        self,
        seed: bytes,
        public: bytes,
        retired: Sequence[RetiredKey] = (),
        derivation: bytes | None = None,
    ) -> None:
        self._seed = seed
        self._public = public
        self._retired = tuple(retired)
        self._derivation = derivation or seed

    @classmethod
    def of_seed(cls, seed: bytes) -> "SigningKeys":
        """A pair without predecessors."""
        return cls(seed, _derive_public(seed))

    def adopt(self, other: "SigningKeys") -> None:
        """Become another pair, in place: everybody who holds this one goes on with it."""
        self.__dict__.clear()
        self.__dict__.update(other.__dict__)

    @property
    def public_pem(self) -> str:
        """Text of the public key file."""
        return render_public(self._public)

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._public

    @property
    def derivation(self) -> bytes:
        """What further secrets are derived from."""
        return self._derivation

    @cached_property
    def name(self) -> str:
        """What tokens and key sets call the public key."""
        return thumbprint(self._public)

    def verifying(self, now_s: float) -> list[bytes]:
        """All public keys that count now, the current one first."""
        return [self._public, *(key.public for key in self._retired if key.until >= now_s)]

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another purpose, the same at every start and after a rotation."""
        return hmac.digest(self._derivation, purpose, "sha256")

    def sign(self, message: bytes) -> bytes:
        """64 bytes of signature."""
        return self._signer.sign(message)

    def is_signed(self, message: bytes, signature: bytes, now_s: float = inf) -> bool:
        """Did this pair, or one that still counts at a time in Unix seconds, sign the message?"""
        return _is_signed(self._verifier, message, signature) or any(
            key.until >= now_s and _is_signed(_verifier(key.public), message, signature)
            for key in self._retired
        )

    @cached_property
    def _signer(self) -> "Ed25519PrivateKey":
        return _signer(self._seed)

    @cached_property
    def _verifier(self) -> "Ed25519PublicKey":
        return _verifier(self._public)


def thumbprint(public: bytes) -> str:
    """Name of a public key: the digest of its parts, 43 characters (RFC 7638 and 8037)."""
    # Names in this order, without blanks: that is what the digest is made of.
    text = f'{{"crv":"Ed25519","kty":"OKP","x":"{encode_b64u(public).rstrip("=")}"}}'
    return encode_b64u(sha256(text.encode()).digest()).rstrip("=")


def load_keys(directory: Path) -> SigningKeys:
    """
    Read the key pair of a depot, or make one where there is none.

    Args:
        directory: ``secrets/keys`` of the depot; created when missing.

    Returns:
        The pair. A missing public file is written again from the private one, and so is one that
        an interrupted rotation has left.

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
        retired, derivation = read_retired(directory), read_derivation(directory)
        found = _parse_public(public, public_text) if public_text is not None else None
        if found is None or (found != derived and found in {key.public for key in retired}):
            publish_public(public, derived)
        elif found != derived:
            raise OperatorError(f"{public} does not belong to {private}")
    except (OSError, UnicodeDecodeError) as exc:
        raise OperatorError(f"cannot use the keys in {directory}: {exc}") from exc
    return SigningKeys(seed, derived, retired, derivation)


def _publish_new_private(directory: Path) -> None:
    """Write a new private key unless somebody else has just done so."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed = random_bytes(KEY_BYTES)
    finished = write_beside(directory / PRIVATE_FILE, render_private(seed, _derive_public(seed)))
    try:
        with suppress(FileExistsError):
            os.link(finished, directory / PRIVATE_FILE)
    finally:
        finished.unlink()


def publish_public(path: Path, public: bytes) -> None:
    """Write a public key file, if the disk lets us."""
    with suppress(PermissionError):  # a depot mounted read-only: the derived key serves
        write_beside(path, render_public(public)).replace(path)


def render_private(seed: bytes, public: bytes) -> str:
    """Text of a private key file."""
    der = _VERSION_2_HEAD + seed + _PUBLIC_IN_VERSION_2 + public
    return _render_pem("PRIVATE KEY", der)


def render_public(public: bytes) -> str:
    """Text of a public key file."""
    return _render_pem("PUBLIC KEY", _PUBLIC_HEAD + public)


def write_beside(path: Path, text: str) -> Path:
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


def _verifier(public: bytes) -> "Ed25519PublicKey":
    # Imported when first needed: start-up time.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    return Ed25519PublicKey.from_public_bytes(public)


def _is_signed(verifier: "Ed25519PublicKey", message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # when first needed

    try:
        verifier.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _derive_public(seed: bytes) -> bytes:
    return _signer(seed).public_key().public_bytes_raw()
