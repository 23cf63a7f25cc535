"""
Lock an account for a while after too many wrong passwords.

.. code-block:: text

    open ── failure 3 ──> locked ── 60 s after the last failure ──> open
    open ── success ────> open, nothing counted

Attempts are counted before the password is compared: while as many comparisons are running as
failures are left, further attempts wait for one of them to end. So parallel guesses do not slip
through, and parallel log-ins with the right password all succeed. An attempt that is refused does
not prolong the lock.

Kept in memory and bounded: when full, the account whose last failure is longest ago is forgotten.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct, field

from trailbase_server.clock import Clock
from trailbase_server.errors import TooManyRequestsError

MAX_FAILURES = 3  # wrong passwords in a row
WINDOW_S = 60  # locked for this long after the last failure
CAPACITY = 1024  # accounts
MAX_WAITING = 32  # attempts per account


class Attempt(Struct):
    """
    One attempt that is being made.

    Attributes:
        succeeded: Set by whoever made it; it counts as a failure otherwise.
    """

    succeeded: bool = False


class _Account(Struct):
    failures: int = 0
    last_failure: float = 0.0
    running: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class Lockout:
    """
    Failures by account.

    Args:
        clock: For the window.
        enabled: False counts and refuses nothing.

    Spec:
        auth/per-identifier-in-memory-per-process-lost-on-restart
    """

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        self._clock = clock
        self._enabled = enabled
        self._accounts: dict[bytes, _Account] = {}

    @asynccontextmanager
    async def attempt(self, key: bytes) -> AsyncIterator[Attempt]:
        """
        Make one attempt.

        Args:
            key: Of the account.

        Raises:
            TooManyRequestsError: The account is locked, or too many attempts are waiting.
        """
        attempt = Attempt()
        if not self._enabled:
            yield attempt
            return
        await self._begin(key)
        try:
            yield attempt
        finally:
            self._end(key, attempt)

    def forget(self, key: bytes) -> None:
        """Unlock an account."""
        account = self._accounts.get(key)
        if account is not None:
            account.failures = 0

    async def _begin(self, key: bytes) -> None:
        while True:
            account = self._account(key)
            if account.failures >= MAX_FAILURES:
                raise TooManyRequestsError
            if account.failures + account.running < MAX_FAILURES:
                account.running += 1
                return
            if len(account.waiting) >= MAX_WAITING:
                raise TooManyRequestsError
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            account.waiting.append(turn)
            await turn

    def _end(self, key: bytes, attempt: Attempt) -> None:
        # It is there: accounts with running attempts are never forgotten.
        account = self._accounts.pop(key)
        account.running -= 1
        if attempt.succeeded:
            account.failures = 0
        else:
            account.failures += 1
            account.last_failure = self._clock.monotonic()
        waiting, account.waiting = account.waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)
        if account.failures or account.running:
            self._accounts[key] = account  # at the end: the longest quiet ones come first

    def _account(self, key: bytes) -> _Account:
        account = self._accounts.get(key)
        if account is None:
            self._make_room()
            account = self._accounts[key] = _Account()
        elif account.failures and self._clock.monotonic() - account.last_failure >= WINDOW_S:
            account.failures = 0
        return account

    def _make_room(self) -> None:
        if len(self._accounts) < CAPACITY:
            return
        quiet = next((key for key, account in self._accounts.items() if not account.running), None)
        if quiet is None:
            raise TooManyRequestsError
        del self._accounts[quiet]
