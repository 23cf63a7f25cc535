"""
Authorization codes that were exchanged, and the sessions that came of them.

A code with its verifier that is shown twice is known to two parties. Nobody can tell which one is
the thief, so the session ends for both (RFC 6749, 4.1.2). Kept in memory for as long as a code
could have been exchanged, and bounded: when full, the oldest one is forgotten.
"""

from trailbase_server.auth.sessions import CODE_TTL_S, stored_form
from trailbase_server.clock import Clock

CAPACITY = 4096  # codes; about 300 bytes each

_Key = tuple[str, str]


class UsedCodes:
    """
    Sessions by the code that they came from.

    Args:
        clock: For their age.
    """

    def __init__(self, clock: Clock) -> None:
        self._now = clock.monotonic
        self._sessions: dict[_Key, tuple[str, float]] = {}  # refresh token as stored, since when

    def remember(self, code: str, challenge: str, refresh_token: str) -> None:
        """
        Note what an exchange has led to.

        Args:
            code: As received; only its digest is kept, as of the token.
            challenge: Computed from the verifier that was received.
            refresh_token: Of the session.
        """
        if len(self._sessions) >= CAPACITY:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[stored_form(code), challenge] = stored_form(refresh_token), self._now()

    def take(self, code: str, challenge: str) -> str | None:
        """The session that an earlier exchange has led to, as its token is stored; once."""
        found = self._sessions.pop((stored_form(code), challenge), None)
        if found is None or self._now() - found[1] > CODE_TTL_S:
            return None
        return found[0]
