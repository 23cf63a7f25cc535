"""
Challenges: random bytes that a device signs, sealed so that nothing is kept of those handed out.

.. code-block:: text

    expires (8 bytes) | nonce (16) | seal (32: purpose, account, expires and nonce, keyed)

Anybody may ask for a challenge without end. A table of them would either grow or forget those of
honest people, so only challenges that were *answered*, with a true signature, are kept, until they
run out: a second use finds the first one. The table is on disk, so it serves every listener and
survives a restart.
"""

from typing import Literal

from msgspec import Struct

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.crypto import is_same_secret, random_bytes
from trailbase_server.ids import UserId

TTL_S = 300  # time to find and unlock a device
NONCE_BYTES = 16  # enough that none comes twice
_EXPIRES_BYTES = 8
_SEAL_BYTES = 32
CHALLENGE_BYTES = _EXPIRES_BYTES + NONCE_BYTES + _SEAL_BYTES  # of every challenge of ours

Purpose = Literal["register", "login"]


class Challenge(Struct, frozen=True):
    """
    A challenge of ours that is still good, unless it was used.

    Attributes:
        nonce: Tells it from all others.
        expires: Unix seconds.
    """

    nonce: bytes
    expires: int


def mint_challenge(
    keys: SigningKeys, purpose: Purpose, now_s: int, user_id: UserId | None = None
) -> bytes:
    """
    Make a challenge that is good for ``TTL_S`` seconds.

    Args:
        keys: Of the depot.
        purpose: The only thing that it is good for.
        now_s: Unix seconds.
        user_id: The only account that it is good for; None for a log-in, where nobody knows yet.
    """
    body = (now_s + TTL_S).to_bytes(_EXPIRES_BYTES) + random_bytes(NONCE_BYTES)
    return body + _seal(keys, purpose, user_id, body)


def read_challenge(
    keys: SigningKeys, purpose: Purpose, challenge: bytes, now_s: int, user_id: UserId | None = None
) -> Challenge | None:
    """Open a challenge; None unless it is ours, for this purpose and account, and not over."""
    body, seal = challenge[:-_SEAL_BYTES], challenge[-_SEAL_BYTES:]
    if len(challenge) != CHALLENGE_BYTES:
        return None
    if not is_same_secret(seal, _seal(keys, purpose, user_id, body)):
        return None
    expires = int.from_bytes(body[:_EXPIRES_BYTES])
    return Challenge(body[_EXPIRES_BYTES:], expires) if now_s < expires else None


def _seal(keys: SigningKeys, purpose: Purpose, user_id: UserId | None, body: bytes) -> bytes:
    # All parts but the purpose have fixed lengths, and it ends with a zero: no two messages of
    # different parts are the same.
    owner = b"\0" * 17 if user_id is None else b"\1" + user_id
    return keys.derive(b"passkey challenge:" + purpose.encode() + b"\0" + owner + body)
