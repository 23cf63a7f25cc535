"""
One-time codes of an authenticator app: RFC 6238 with SHA-1, six digits, steps of thirty seconds.

These are the parameters that every app understands, and the only ones we accept: a secret stored
with others could never be used to log in. A secret travels as an ``otpauth`` URL.
"""

import hmac
from base64 import b32decode, b32encode
from binascii import Error as EncodingError
from urllib.parse import parse_qsl, quote, urlsplit

from trailbase_server.crypto import is_same_secret, random_bytes

DIGITS = 6
STEP_S = 30  # life of a code; what every app assumes
TOLERANCE = 1  # steps that clocks may be apart
SECRET_BYTES = 20  # of new secrets: the size of a SHA-1
MIN_SECRET_BYTES = 16  # 128 bits
MAX_SECRET_BYTES = 64  # one block of the hash
MAX_URL_LENGTH = 1024  # characters
_PARAMETERS = {"algorithm": "SHA1", "digits": str(DIGITS), "period": str(STEP_S)}


def new_secret() -> str:
    """Make a secret: base32 without padding."""
    return encode_secret(random_bytes(SECRET_BYTES))


def encode_secret(data: bytes) -> str:
    """Render a secret as base32 without padding."""
    return b32encode(data).decode("ascii").rstrip("=")


def decode_secret(text: str) -> bytes | None:
    """Read a base32 secret; None unless it is one of an acceptable length."""
    bare = text.rstrip("=").upper()
    try:
        data = b32decode(bare + "=" * (-len(bare) % 8))
    except (EncodingError, ValueError):
        return None
    return data if MIN_SECRET_BYTES <= len(data) <= MAX_SECRET_BYTES else None


def code_at(secret: bytes, step: int) -> str:
    """
    The code of one step.

    Spec:
        auth/totp-second-factor
    """
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: str, code: str, now_s: int) -> int | None:
    """
    Compare a code with those that are good now.

    Args:
        secret: Base32.
        code: As typed; blanks do not count.
        now_s: Unix seconds.

    Returns:
        The step whose code it is, for ``factors.use_step``; None if it is wrong.
    """
    key = decode_secret(secret)
    typed = "".join(code.split())
    if key is None or not typed.isascii():
        return None
    current = now_s // STEP_S
    found = None
    for step in range(max(current - TOLERANCE, 0), current + TOLERANCE + 1):
        # All of them are compared, so that time does not tell which one it was.
        if is_same_secret(code_at(key, step), typed):
            found = step
    return found


def render_url(issuer: str, account: str, secret: str) -> str:
    """
    Describe a secret for an authenticator app.

    Args:
        issuer: Name of the application.
        account: Name of the user there.
        secret: Base32.

    Spec:
        auth/totp-second-factor
    """
    name = quote(issuer, safe="")
    return f"otpauth://totp/{name}:{quote(account, safe='')}?secret={secret}&issuer={name}"


def parse_url(url: str) -> str | None:
    """
    Read the secret of an ``otpauth`` URL.

    Returns:
        Base32 without padding; None for any other URL, for a secret that is too short, and for
        parameters that differ from ours.
    """
    if len(url) > MAX_URL_LENGTH:
        return None
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return None
    query = dict(pairs)
    if parts.scheme != "otpauth" or parts.netloc != "totp" or len(query) != len(pairs):
        return None
    if any(query.get(name, value).upper() != value for name, value in _PARAMETERS.items()):
        return None
    data = decode_secret(query.get("secret", ""))
    return encode_secret(data) if data is not None else None
