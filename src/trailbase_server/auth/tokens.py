"""
Signed tokens: JSON claims, an Ed25519 signature, nothing stored.

.. code-block:: text

    token  = header "." claims "." signature      base64url without padding
    header = {"typ":"JWT","alg":"EdDSA"}          anything else but EdDSA is refused

Auth tokens name our key (``kid``) for services that check them with ``jwks``; we do not look at it,
since any key of ours will do. Every token says in ``type`` what it is for, and only counts for
that. Reading is strict (one spelling of base64, required claims of the right type) and never
raises: a token is good or it is None. Spec: auth/jwt-envelope, auth/other-stateless-tokens.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeGuard

import orjson

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.auth.users import User
from trailbase_server.crypto import random_text
from trailbase_server.errors import InternalError
from trailbase_server.ids import UUID_BYTES, UserId, decode_b64u, encode_b64u
from trailbase_server.web.identity import Identity

LEEWAY_S = 60  # clocks of clients and servers differ
MAX_TOKEN_BYTES = 8192  # ours have about 350; larger ones are not worth the work
CSRF_LENGTH = 20  # characters
_SIGNATURE_LENGTH = 86  # characters: 64 bytes


class TokenKind(IntEnum):
    """The values of the claim ``type``."""

    AUTH = 1
    PENDING_LOGIN = 2
    RESET_PASSWORD = 3
    CHANGE_EMAIL = 4
    VERIFY_EMAIL = 5


_FLOW_CLAIMS: Mapping[TokenKind, tuple[str, ...]] = {
    TokenKind.PENDING_LOGIN: ("sub", "method"),
    TokenKind.RESET_PASSWORD: ("sub", "pwd"),
    TokenKind.CHANGE_EMAIL: ("sub", "old_email", "new_email"),
    TokenKind.VERIFY_EMAIL: ("sub", "email"),
}


def mint_auth_token(keys: SigningKeys, user: User, now_s: int, ttl_s: int) -> Identity:
    """
    Make an auth token.

    Args:
        keys: Of the depot.
        user: Who is described.
        now_s: Unix seconds.
        ttl_s: Seconds until it expires.

    Returns:
        What the token says; the text is in ``token``.

    Raises:
        InternalError: The user has an unconfirmed address: such users get no tokens.

    Spec:
        auth/auth-token-claims-type-1
    """
    if user.unverified_email is not None:
        raise InternalError(detail="a token for an unverified user")
    csrf_token = random_text(CSRF_LENGTH)
    claims: dict[str, Any] = {
        "sub": encode_b64u(user.id),
        "iat": now_s,
        "exp": now_s + ttl_s,
        "type": TokenKind.AUTH.value,
    }
    if user.admin:
        claims["admin"] = True
    if user.totp_secret is not None:
        claims["mfa"] = True
    claims["provider"] = user.provider_id
    claims["email"] = user.email
    claims["username"] = user.username
    claims["csrf_token"] = csrf_token
    token = sign_claims(keys, claims, names_key=True)
    return Identity(
        user.id, user.admin, user.email, user.username, csrf_token, now_s + ttl_s, token
    )


def read_auth_token(
    keys: SigningKeys, token: bytes, now_s: float, *, from_cookie: bool = False
) -> Identity | None:
    """Verify an auth token; None unless it is one of ours, valid and complete."""
    claims = read_claims(keys, token, now_s)
    if claims is None or claims.get("type") != TokenKind.AUTH:
        return None
    subject, csrf_token = claims.get("sub"), claims.get("csrf_token")
    email, username = claims.get("email"), claims.get("username")
    if not (
        isinstance(subject, str)
        and isinstance(csrf_token, str)
        and isinstance(email, str | None)
        and isinstance(username, str | None)
        and _is_int(claims.get("iat"))
        and _is_int(claims.get("type"))
        and _is_int(claims.get("provider", 0))
        and isinstance(claims.get("admin", False), bool)
    ):
        return None
    user_id = decode_b64u(subject)
    if user_id is None or len(user_id) != UUID_BYTES:
        return None
    return Identity(
        UserId(user_id),
        claims.get("admin", False),
        email,
        username,
        csrf_token,
        claims["exp"],
        token.decode("ascii"),
        from_cookie,
    )


def has_odd_subject(keys: SigningKeys, token: bytes, now_s: float) -> bool:
    """Is it an auth token of ours that would be good, were its subject a user id?"""
    claims = read_claims(keys, token, now_s)
    if claims is None or claims.get("type") != TokenKind.AUTH:
        return False
    subject = claims.get("sub")
    return isinstance(subject, str) and subject_of({"sub": subject}) is None


def mint_flow_token(
    keys: SigningKeys, kind: TokenKind, claims: Mapping[str, str], expires_at: int
) -> str:
    """
    Make a token that carries one step of a flow (confirming an address, a second factor …).

    Args:
        keys: Of the depot.
        kind: What it is for; not ``AUTH``.
        claims: At least the ones the kind requires, ``sub`` among them.
        expires_at: Unix seconds.
    """
    rest = {name: value for name, value in claims.items() if name != "sub"}
    return sign_claims(keys, {"sub": claims["sub"], "exp": expires_at, "type": kind.value, **rest})


def read_flow_token(
    keys: SigningKeys, kind: TokenKind, token: str, now_s: float
) -> dict[str, str] | None:
    """
    Verify a token of a flow.

    Returns:
        Its text claims (all the kind requires, and further ones that are there), or None.
    """
    claims = read_claims(keys, token.encode(), now_s)
    if claims is None or not _is_int(claims.get("type")) or claims["type"] != kind:
        return None
    texts = {name: value for name, value in claims.items() if isinstance(value, str)}
    return texts if all(name in texts for name in _FLOW_CLAIMS[kind]) else None


def subject_of(claims: Mapping[str, str] | None) -> UserId | None:
    """Whose account the claims of a flow are about; None without claims or a proper id."""
    user_id = decode_b64u(claims["sub"]) if claims is not None else None
    return UserId(user_id) if user_id is not None and len(user_id) == UUID_BYTES else None


def sign_claims(keys: SigningKeys, claims: Mapping[str, Any], *, names_key: bool = False) -> str:
    """
    Encode and sign claims, in the order given.

    Args:
        keys: Of the depot.
        claims: What the token says.
        names_key: Others may want to check it, and need to know with which key.
    """
    header = {"typ": "JWT", "alg": "EdDSA"}
    if names_key:
        header["kid"] = keys.name
    parts = (orjson.dumps(header), orjson.dumps(claims))
    body = ".".join(encode_b64u(part).rstrip("=") for part in parts)
    return f"{body}.{encode_b64u(keys.sign(body.encode())).rstrip('=')}"


def read_claims(keys: SigningKeys, token: bytes, now_s: float) -> dict[str, Any] | None:
    """
    Verify envelope, signature and expiry.

    Args:
        keys: Of the depot.
        token: As received.
        now_s: Unix seconds.

    Returns:
        All claims, ``exp`` an integer; None for anything that is not a valid token.

    Spec:
        auth/jwt-envelope
    """
    parts = token.split(b".")
    if len(token) > MAX_TOKEN_BYTES or len(parts) != 3:  # header, claims, signature
        return None
    if len(parts[2]) != _SIGNATURE_LENGTH:
        return None
    signature, header = _decode(parts[2]), _decode_object(parts[0])
    if signature is None or header is None or header.get("alg") != "EdDSA" or "crit" in header:
        return None
    if not keys.is_signed(token[: token.rindex(b".")], signature, now_s):
        return None
    claims = _decode_object(parts[1])
    if claims is None or "aud" in claims:
        return None
    expires_at = claims.get("exp")
    return claims if _is_int(expires_at) and expires_at + LEEWAY_S >= now_s else None


def _decode(text: bytes) -> bytes | None:
    if b"=" in text or not text.isascii():
        return None
    return decode_b64u((text + b"=" * (-len(text) % 4)).decode("ascii"))


def _decode_object(text: bytes) -> dict[str, Any] | None:
    data = _decode(text)
    try:
        value = orjson.loads(data) if data is not None else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _is_int(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
