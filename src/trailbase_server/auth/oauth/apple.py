"""
Apple's client secrets: short-lived tokens that the operator's key signs.

The configured secret is either such a token, which works for half a year at most, or the key itself
as a JSON object, which works for ever:

.. code-block:: text

    {"team_id": "…", "key_id": "…", "private_key": "-----BEGIN PRIVATE KEY-----\\n…"}
"""

from typing import Any

import orjson

from trailbase_server.errors import InternalError

AUDIENCE = "https://appleid.apple.com"
SECRET_TTL_S = 300  # one log-in; Apple allows half a year
_MEMBERS = ("team_id", "key_id", "private_key")


def is_usable_secret(configured: str) -> bool:
    """Is it a secret, or a complete signing key?"""
    return not configured.startswith("{") or _parse_key(configured) is not None


def client_secret(configured: str, client_id: str, now_s: int) -> str:
    """
    The secret to send.

    Args:
        configured: A secret, which is returned, or a key.
        client_id: The service's id at Apple.
        now_s: Unix seconds.

    Raises:
        InternalError: The key cannot be used.

    Spec:
        auth/functional-defects
    """
    if not configured.startswith("{"):
        return configured
    key = _parse_key(configured)
    if key is None:
        raise InternalError(detail="apple: the secret is no signing key")
    import jwt  # noqa: PLC0415  # imported when first needed: start-up time

    claims = {
        "iss": key["team_id"],
        "iat": now_s,
        "exp": now_s + SECRET_TTL_S,
        "aud": AUDIENCE,
        "sub": client_id,
    }
    try:
        return jwt.encode(claims, key["private_key"], "ES256", headers={"kid": key["key_id"]})
    except (ValueError, TypeError, jwt.PyJWTError) as exc:
        raise InternalError(detail=f"apple: the key cannot sign: {type(exc).__name__}") from exc


def _parse_key(configured: str) -> dict[str, str] | None:
    try:
        key: Any = orjson.loads(configured)
    except ValueError:
        return None
    if not isinstance(key, dict) or not all(isinstance(key.get(name), str) for name in _MEMBERS):
        return None
    return key
