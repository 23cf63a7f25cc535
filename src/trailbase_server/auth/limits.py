"""
How often something may be tried: so many attempts, then a pause.

An attempt is counted before anybody knows how it ends, so parallel ones do not slip through. The
window begins anew with every attempt that is counted; a refused one does not prolong it. The table
is bounded: when it is full, the key that was used longest ago is forgotten.
"""

from trailbase_server.clock import Clock
from trailbase_server.crypto import digest
from trailbase_server.errors import TooManyRequestsError

CAPACITY = 16_384  # keys; about 200 bytes each
HOUR_S = 3600  # window of most limits


class AttemptLimit:
    """
    Attempts by key.

    Args:
        clock: For the window.
        attempts: How many there may be in one window.
        window_s: Seconds after the last counted attempt until they are forgotten.
    """

    def __init__(self, clock: Clock, attempts: int, window_s: float) -> None:
        self._now = clock.monotonic
        self._attempts = attempts
        self._window_s = window_s
        self._counted: dict[bytes, tuple[int, float]] = {}  # attempts, time of the last one

    def take(self, key: bytes) -> bool:
        """Count an attempt; False, with nothing counted, when there have been too many."""
        now = self._now()
        count, last = self._counted.get(key, (0, now))
        if now - last >= self._window_s:
            count = 0
        if count >= self._attempts:
            return False
        self._store(key, count + 1, now)
        return True

    def demand(self, key: bytes) -> None:
        """
        Count an attempt.

        Raises:
            TooManyRequestsError: There have been too many.
        """
        if not self.take(key):
            raise TooManyRequestsError

    def exhaust(self, key: bytes) -> None:
        """Leave no attempt for one window."""
        self._store(key, self._attempts, self._now())

    def forget(self, key: bytes) -> None:
        """Start afresh."""
        self._counted.pop(key, None)

    def _store(self, key: bytes, count: int, now: float) -> None:
        self._counted.pop(key, None)
        if len(self._counted) >= CAPACITY:
            del self._counted[next(iter(self._counted))]
        self._counted[key] = (count, now)  # at the end: the longest unused ones come first


def identifier_key(text: str) -> bytes:
    """Key of what somebody typed as an address or name: letter case does not matter."""
    return digest(text.strip().casefold())


class FlowLimits:
    """
    The limits of the accounts' flows.

    Those for mails count twice: what was typed, which answers 429 and is the same for accounts
    that do not exist; and the account, so that its address and its name share a limit, which shows
    by no more than a mail that does not come.

    Args:
        clock: For all of them.

    Attributes:
        verify, reset, otp_request: Mails by what was typed, and by account.
        otp_login: Guesses by what was typed.
        otp_guesses: Guesses by account.
        pending: Guesses by half-finished log-in.
        second_factor: Guesses by account.
        change_email: Mails to new addresses by account.

    Spec:
        auth/per-identifier-in-memory-per-process-lost-on-restart
    """

    def __init__(self, clock: Clock) -> None:
        self.verify = AttemptLimit(clock, 1, 4 * HOUR_S)
        self.reset = AttemptLimit(clock, 1, HOUR_S)
        self.otp_request = AttemptLimit(clock, 1, 300)
        self.otp_login = AttemptLimit(clock, 3, 60)
        self.otp_guesses = AttemptLimit(clock, 6, 300)
        self.pending = AttemptLimit(clock, 5, 180)  # longer than such a token lives
        self.second_factor = AttemptLimit(clock, 5, 60)
        self.change_email = AttemptLimit(clock, 5, HOUR_S)
