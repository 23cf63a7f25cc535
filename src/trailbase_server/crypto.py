"""Randomness and comparisons that must not leak: the only place that makes secrets."""

import hmac
import secrets
import string
from hashlib import sha256

ALPHANUMERIC = string.ascii_letters + string.digits
LOWER_ALPHANUMERIC = string.ascii_lowercase + string.digits


def random_text(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """Make ``length`` random characters of ``alphabet`` from the operating system's generator."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def random_bytes(length: int) -> bytes:
    """Make ``length`` random bytes."""
    return secrets.token_bytes(length)


def is_same_secret(left: str | bytes, right: str | bytes) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(
        left.encode() if isinstance(left, str) else left,
        right.encode() if isinstance(right, str) else right,
    )


def digest(text: str) -> bytes:
    """SHA-256 of the text, 32 bytes: for values that only need to be recognised later."""
    return sha256(text.encode()).digest()
