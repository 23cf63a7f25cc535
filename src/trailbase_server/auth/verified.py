"""
Tokens that have been verified, by their bytes, until they expire.

Verifying a signature costs 100 µs, looking it up here a fraction of one. Only good tokens are kept,
so nobody can fill the table without valid ones; when it is full the oldest entry goes.
"""

from typing import TYPE_CHECKING

from trailbase_server.auth.keys import SigningKeys
from trailbase_server.auth.tokens import LEEWAY_S, read_auth_token
from trailbase_server.clock import Clock
from trailbase_server.ids import UserId
from trailbase_server.web.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY = 8192  # tokens; about 1.3 KiB each
_BEARER = b"Bearer "
_COOKIE = b"Cookie "


class VerifiedTokens:
    """
    A bounded cache in front of the signature check.

    Args:
        keys: Of the depot.
        clock: For expiry.

    Attributes:
        on_forget: Called with users whose tokens are dropped, to end what they have opened.
    """

    def __init__(self, keys: SigningKeys, clock: Clock) -> None:
        self._keys = keys
        self._now = clock.now
        self._known: dict[bytes, Identity] = {}
        self.on_forget: Callable[[UserId], None] | None = None

    def bearer(self, authorization: bytes) -> Identity | None:
        """
        Identity of an ``Authorization`` header.

        Args:
            authorization: The value. The scheme is ``Bearer``, one blank; blanks at the end do
                not count.
        """
        known = self._known.get(authorization)
        if known is not None:
            if known.expires_at + LEEWAY_S >= self._now():
                return known
            del self._known[authorization]
            return None
        if not authorization.startswith(_BEARER):
            return None
        canonical = authorization.rstrip(b" \t")
        if canonical != authorization:
            return self.bearer(canonical)
        return self._verify(authorization, authorization[len(_BEARER) :], False)

    def cookie(self, token: str) -> Identity | None:
        """Identity of an auth token that came as a cookie."""
        raw = token.encode()
        key = _COOKIE + raw
        known = self._known.get(key)
        if known is not None and known.expires_at + LEEWAY_S >= self._now():
            return known
        return self._verify(key, raw, True)

    def forget(self, user_id: UserId) -> None:
        """Drop what is kept of a user; ``on_forget`` does the same elsewhere."""
        for key in [key for key, known in self._known.items() if known.user_id == user_id]:
            del self._known[key]
        if self.on_forget is not None:
            self.on_forget(user_id)

    def clear(self) -> None:
        """Drop everything: other keys count now."""
        self._known.clear()

    def _verify(self, key: bytes, token: bytes, from_cookie: bool) -> Identity | None:
        identity = read_auth_token(self._keys, token, self._now(), from_cookie=from_cookie)
        if identity is None:
            self._known.pop(key, None)
            return None
        if len(self._known) >= CAPACITY:
            del self._known[next(iter(self._known))]
        self._known[key] = identity
        return identity
