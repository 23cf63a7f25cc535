"""
A log-in that is under way at a service: what the browser carries in the cookie ``oauth_state``.

It is a signed token: we remember nothing. It names the service, so that an answer of one service
cannot end a log-in that began with another; and it holds the secret that the service has to send
back with the browser, so that nobody can be logged in with somebody else's answer.
"""

from typing import Any

from msgspec import Struct

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.auth.sign_in import LoginParams
from trailbase_server.auth.tokens import read_claims, sign_claims, subject_of
from trailbase_server.crypto import random_bytes
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import UserId, encode_b64u

PENDING_TTL_S = 300  # to log in at the service
MAX_COOKIE = 3900  # characters: browsers drop larger cookies than 4,096 with name and attributes
_TEXTS = ("secret", "verifier", "provider", "nonce")
_OPTIONAL = ("challenge", "type", "redirect_uri", "mfa_redirect_uri", "err_redirect_uri", "link")


class Pending(Struct, frozen=True):
    """
    One log-in.

    Attributes:
        provider: Name of the service.
        secret: What comes back as ``state``.
        verifier: Of our own PKCE with the service.
        nonce: What its ``id_token`` repeats.
        params: What the log-in is to end with; targets have to be checked once more.
        error_uri: Where the browser is sent when it fails; the same.
        link: Whose account gets a further way in; None for a log-in.
    """

    provider: str
    secret: str
    verifier: str
    nonce: str
    params: LoginParams
    error_uri: str | None
    link: UserId | None = None


def new_pending(
    provider: str, params: LoginParams, error_uri: str | None, *, link: UserId | None = None
) -> Pending:
    """Begin a log-in, with secrets of its own."""
    return Pending(
        provider,
        _random(16),
        _random(32),
        nonce=_random(16),
        params=params,
        error_uri=error_uri,
        link=link,
    )


def _random(length: int) -> str:
    return encode_b64u(random_bytes(length)).rstrip("=")


def render_pending(keys: SigningKeys, pending: Pending, now_s: int) -> str:
    """
    The value of the cookie.

    Raises:
        BadRequestError: The targets are so long that browsers would drop it.

    Spec:
        auth/other-stateless-tokens
    """
    params = pending.params
    claims: dict[str, Any] = {
        "exp": now_s + PENDING_TTL_S,
        "secret": pending.secret,
        "verifier": pending.verifier,
        "challenge": params.code_challenge,
        "type": None if params.code_challenge is None else "code",
        "redirect_uri": params.redirect_uri,
        "mfa_redirect_uri": params.mfa_redirect_uri,
        "err_redirect_uri": pending.error_uri,
        "provider": pending.provider,
        "nonce": pending.nonce,
    }
    if pending.link is not None:
        claims["link"] = encode_b64u(pending.link)
    token = sign_claims(keys, claims)
    if len(token) > MAX_COOKIE:
        raise BadRequestError("the redirect targets are too long")
    return token


def parse_pending(keys: SigningKeys, token: str, now_s: float) -> Pending | None:
    """Read the cookie; None unless it is ours, fresh and complete."""
    claims = read_claims(keys, token.encode(), now_s)
    if claims is None or not all(isinstance(claims.get(name), str) for name in _TEXTS):
        return None
    if not all(isinstance(claims.get(name), str | None) for name in _OPTIONAL):
        return None
    challenge, target = claims.get("challenge"), claims.get("redirect_uri")
    has_code = claims.get("type") == "code"
    if claims.get("type") not in (None, "code"):
        return None
    if has_code and (challenge is None or target is None):
        return None
    link = subject_of({"sub": claims["link"]}) if claims.get("link") is not None else None
    if link is None and claims.get("link") is not None:
        return None
    params = LoginParams(target, claims.get("mfa_redirect_uri"), challenge if has_code else None)
    return Pending(
        claims["provider"],
        claims["secret"],
        claims["verifier"],
        claims["nonce"],
        params,
        claims.get("err_redirect_uri"),
        link,
    )
