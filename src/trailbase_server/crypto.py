"""Randomness and comparisons that must not leak: the only place that makes secrets."""

import hmac
import re
import secrets
import string
from hashlib import sha256

ALPHANUMERIC = string.ascii_letters + string.digits
LOWER_ALPHANUMERIC = string.ascii_lowercase + string.digits
ARGON2_MEMORY_KIB = 19_456  # with two passes, the least the field recommends: 19 MiB per log-in
ARGON2_PASSES = 2  # see ARGON2_MEMORY_KIB
ARGON2_LANES = 1
ARGON2_TAG_BYTES = 32
ARGON2_SALT_BYTES = 16
BCRYPT_MAX_BYTES = 72  # bcrypt has never looked at more

_BCRYPT = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}\Z")


def random_text(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """
    Make random characters from the operating system's generator, each as likely as any other.

    Args:
        length: How many.
        alphabet: At most 256 different ones.
    """
    # A character takes a byte; those that would make the first ones likelier are thrown away. One
    # call for many: each of them costs more than all the rest.
    count = len(alphabet)
    end = 256 - 256 % count
    made = ""
    while len(made) < length:
        drawn = secrets.token_bytes(2 * length)
        made += "".join([alphabet[byte % count] for byte in drawn if byte < end])
    return made[:length]


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


class UnknownHashError(ValueError):
    """A stored password hash that is neither Argon2 nor bcrypt."""


def hash_password(password: str) -> str:
    """
    Hash a new password: Argon2id, some 20 ms of work; never on the event loop.

    Returns:
        A PHC string ``$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>``.

    Spec:
        auth/password-hashes
    """
    from argon2 import PasswordHasher  # noqa: PLC0415  # imported when first needed: start-up time

    hasher = PasswordHasher(
        time_cost=ARGON2_PASSES,
        memory_cost=ARGON2_MEMORY_KIB,
        parallelism=ARGON2_LANES,
        hash_len=ARGON2_TAG_BYTES,
        salt_len=ARGON2_SALT_BYTES,
    )
    return hasher.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """
    Compare a password with a stored hash; never on the event loop.

    Args:
        password_hash: An Argon2 PHC string, verified with the parameters it carries, or a bcrypt
            hash of an imported user.
        password: What the user typed; bcrypt compares its first 72 bytes.

    Raises:
        UnknownHashError: The hash is of another kind or malformed.

    Spec:
        auth/password-hashes
    """
    if _BCRYPT.match(password_hash):
        return _verify_bcrypt(password_hash, password)
    from argon2 import PasswordHasher, exceptions  # noqa: PLC0415  # as above

    try:
        return PasswordHasher().verify(password_hash, password)
    except exceptions.VerifyMismatchError:
        return False
    except (exceptions.VerificationError, ValueError) as exc:
        raise UnknownHashError("neither an Argon2 nor a bcrypt hash") from exc


def _verify_bcrypt(password_hash: str, password: str) -> bool:
    import bcrypt  # noqa: PLC0415  # imported when first needed: few depots have such users

    secret = password.encode()[:BCRYPT_MAX_BYTES]
    # ``$2x$`` marks hashes of one old implementation that mistook bytes above 127. The library
    # knows only the right algorithm: equal for ASCII, a mismatch for the rest.
    stored = password_hash.replace("$2x$", "$2b$", 1).encode()
    try:
        return bcrypt.checkpw(secret, stored)
    except ValueError as exc:
        raise UnknownHashError("a malformed bcrypt hash") from exc
