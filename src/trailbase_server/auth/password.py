"""
Passwords: which ones are good enough, and the threads that hash and compare them.

One comparison takes some 20 ms and 19 MiB. It runs on a few threads with a bounded queue; when that
is full, clients are told to come again (503). The threads have a lower priority than the event
loop, so that people who log in do not slow everybody else down.

An account that does not exist, or has no password, costs the same comparison against a hash that no
password matches: time does not tell which accounts there are.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from trailbase_server.auth.identifiers import is_alphanumeric, is_numeric
from trailbase_server.auth.options import PasswordRules
from trailbase_server.crypto import UnknownHashError, hash_password, verify_password
from trailbase_server.errors import BadRequestError, InternalError, UnavailableError

R = TypeVar("R")

MAX_PASSWORD_BYTES = 128  # what a hash is spent on; fixed on the wire
MAX_THREADS = 4  # 19 MiB each
MAX_WAITING = 64  # about a second of work
NICENESS = 10  # of the threads: reads go first
CURRENT_HASH = "$argon2id$v=19$m=19456,t=2,p=1$"
UNMATCHED_HASH = f"{CURRENT_HASH}{'A' * 22}${'A' * 43}"


def check_password(rules: PasswordRules, password: str, repeated: str) -> None:
    """
    Check a new password.

    Args:
        rules: Of the configuration.
        password: As typed; nothing is trimmed.
        repeated: The same once more.

    Raises:
        BadRequestError: It does not do; the message says why.

    Spec:
        auth/password-policy
    """
    length = len(password.encode())
    if password != repeated:
        raise BadRequestError("Passwords don't match")
    if length < rules.minimal_length:
        raise BadRequestError("Password too short")
    if length > MAX_PASSWORD_BYTES:
        raise BadRequestError("Password too long")
    if rules.digits:
        if not any(map(is_numeric, password)):
            raise BadRequestError("Must contain digits")
        if all(map(is_numeric, password)):
            raise BadRequestError("Must contain non-digits")
    if rules.mixed_case and not (
        any(map(str.islower, password)) and any(map(str.isupper, password))
    ):
        raise BadRequestError("Must contain lower and upper case")
    if rules.special and all(map(is_alphanumeric, password)):
        raise BadRequestError("Must contain special characters")


def needs_rehash(password_hash: str) -> bool:
    """Was this made with other parameters than new hashes are, or imported?"""
    return not password_hash.startswith(CURRENT_HASH)


class PasswordWorkers:
    """
    Threads for hashing and comparing.

    Args:
        threads: How many; None: one per processor, at most ``MAX_THREADS``.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or min(MAX_THREADS, os.cpu_count() or 1)
        self._pool: ThreadPoolExecutor | None = None
        self.waiting = 0

    async def hash(self, password: str) -> str:
        """
        Hash a new password.

        Raises:
            UnavailableError: Too many are waiting.
        """
        return await self._run(hash_password, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """
        Compare a password with a stored hash.

        Args:
            password_hash: None for an account that has none, or does not exist.
            password: As typed.

        Raises:
            InternalError: The stored hash is unusable.
            UnavailableError: Too many are waiting.
        """
        try:
            same = await self._run(verify_password, password_hash or UNMATCHED_HASH, password)
        except UnknownHashError as exc:
            raise InternalError(detail="unusable password hash") from exc
        return same and password_hash is not None

    async def _run(self, work: Callable[..., R], *args: str) -> R:
        if self.waiting >= MAX_WAITING:
            raise UnavailableError("too many log-ins at once")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "password", _lower_priority)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Stop the threads. Idempotent."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _lower_priority() -> None:
    if sys.platform == "linux":  # where threads have priorities of their own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
