"""
The ``id_token`` that comes with an access token: whether it is for us, and by whom it is signed.

Where the service publishes keys at an address that we know, the signature is verified: RS256, by
``kid``. Elsewhere the token came from the service itself, so what remains is to check that it was
made for us, is fresh, and speaks of the same user (OpenID Connect Core, 3.1.3.7).
"""

from collections.abc import Mapping
from typing import Any

import orjson

from trailbase_server.auth.oauth.outgoing import Conversation
from trailbase_server.auth.tokens import LEEWAY_S
from trailbase_server.clock import Clock
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import DependencyError, UnauthorizedError
from trailbase_server.ids import decode_b64u

MAX_TOKEN = 16 * 1024  # characters; ours have about 1,000
KEYS_TTL_S = 24 * 3600  # services replace keys rarely, and announce new ones before
RETRY_S = 60  # between two fetches because of a key that is not there
MAX_KEYS = 32  # of one service; there are about three

Claims = Mapping[str, Any]


class ProviderKeys:
    """
    Public keys of services, by address and key id. One entry for each service that has keys.

    Args:
        clock: For their age.
    """

    def __init__(self, clock: Clock) -> None:
        self._now = clock.monotonic
        self._sets: dict[str, tuple[float, dict[str, Any]]] = {}

    async def find(self, http: Conversation, url: str, key_id: str) -> Any:
        """
        Find a key, fetching the set if it is old, or misses the key and was not fetched just now.

        Raises:
            UnauthorizedError: There is no such key.
            DependencyError: The set cannot be had.
        """
        now = self._now()
        fetched, keys = self._sets.get(url, (None, {}))
        limit_s = KEYS_TTL_S if key_id in keys else RETRY_S
        if fetched is None or now - fetched > limit_s:
            keys = _parse_keys(await http.get(url))
            self._sets[url] = (now, keys)
        if key_id not in keys:
            raise UnauthorizedError(detail="the id_token is signed with an unknown key")
        return keys[key_id]


def _parse_keys(answer: object) -> dict[str, Any]:
    import jwt  # noqa: PLC0415  # imported when first needed: start-up time

    entries = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise DependencyError(detail="the service's keys: expected a list")
    keys: dict[str, Any] = {}
    for entry in entries[:MAX_KEYS]:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str):
            try:
                keys[entry["kid"]] = jwt.PyJWK(entry, "RS256").key
            except (jwt.PyJWTError, ValueError, TypeError, KeyError):
                continue  # of another kind: others may do
    return keys


async def read_signed(
    keys: ProviderKeys, http: Conversation, url: str, token: str
) -> dict[str, Any]:
    """
    Verify the signature of an ``id_token``; its claims are checked elsewhere.

    Args:
        keys: Where keys are kept.
        http: To fetch them.
        url: Where the service publishes them.
        token: As received.

    Raises:
        UnauthorizedError: No key, or not the key, that it is signed with.
        DependencyError: It is malformed, or the keys cannot be had.
    """
    import jwt  # noqa: PLC0415  # imported when first needed: start-up time

    header = _decode_part(token, 0)
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str):
        raise UnauthorizedError(detail="the id_token is not signed as agreed")
    key = await keys.find(http, url, key_id)
    try:
        jwt.PyJWS().decode(token, key, algorithms=["RS256"])
    except (jwt.PyJWTError, ValueError, TypeError) as exc:
        raise UnauthorizedError(detail=f"the id_token: {type(exc).__name__}") from exc
    return _decode_part(token, 1)


def read_unsigned(token: str) -> dict[str, Any]:
    """
    Claims of an ``id_token`` that came straight from the service.

    Raises:
        DependencyError: It is malformed.
    """
    return _decode_part(token, 1)


def check_claims(claims: Claims, client_id: str, issuer: str, nonce: str, now_s: float) -> None:
    """
    Check that an ``id_token`` was made for this log-in.

    Args:
        claims: What it says.
        client_id: Our name at the service.
        issuer: Who must have made it; empty if unknown.
        nonce: What we sent to be repeated; empty for nothing.
        now_s: Unix seconds.

    Raises:
        UnauthorizedError: It is for somebody else, for another log-in, or too old.

    Spec:
        auth/providers
    """
    audience, expires_at = claims.get("aud"), claims.get("exp")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise UnauthorizedError(detail="the id_token is for somebody else")
    if not isinstance(expires_at, int | float) or expires_at + LEEWAY_S < now_s:
        raise UnauthorizedError(detail="the id_token has expired")
    if issuer and claims.get("iss") != issuer:
        raise UnauthorizedError(detail="the id_token is of another service")
    repeated = claims.get("nonce")
    if nonce and not (isinstance(repeated, str) and is_same_secret(repeated, nonce)):
        raise UnauthorizedError(detail="the id_token is for another log-in")


def _decode_part(token: str, index: int) -> dict[str, Any]:
    parts = token.split(".") if len(token) <= MAX_TOKEN else []
    data = None
    if len(parts) == 3 and "=" not in parts[index]:  # header, claims, signature
        data = decode_b64u(parts[index] + "=" * (-len(parts[index]) % 4))
    try:
        value = orjson.loads(data) if data is not None else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DependencyError(detail="the id_token is malformed")
    return value
