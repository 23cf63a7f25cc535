"""
When to order a certificate: at once if there is none for these names, else when two thirds of its
life are over; and again, ever later, while the authority does not give one.

Nothing here ends the server: what was in use stays in use, and without a certificate handshakes are
refused. Plain HTTP is never the way out.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from threading import Thread

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.config.files import OWNER_ONLY, make_private_directory, replace_file
from trailbase_server.crypto import random_bytes
from trailbase_server.errors import OperatorError
from trailbase_server.server.acme.challenges import Challenges
from trailbase_server.server.acme.errors import IssuanceError, UnreachableError
from trailbase_server.server.acme.settings import AcmeSettings
from trailbase_server.server.tls import Certificates

log = logging.getLogger(__name__)
RENEW_AFTER = 2 / 3  # of a certificate's life: a third of it is left for repairs
JITTER = 0.03  # of its life, so that not everybody asks at the same moment
LOOK_S = 3600.0  # longest sleep: clocks are set and machines suspended
UNREACHABLE_RETRY_S = 5.0  # first wait when nobody answers; doubles
# First wait after a refusal; doubles. Authorities bear five failed attempts an hour.
REFUSED_RETRY_S = 150.0
MAX_RETRY_S = 6 * 3600.0  # longest wait
MAX_DOUBLINGS = 20  # more would only be a larger number than MAX_RETRY_S

Obtain = Callable[[AcmeSettings, Challenges], bytes]


class CertificateKeeper:
    """
    Keeps a certificate fresh.

    Args:
        settings: What the operator wants.
        certificates: Where it is used; its files are ours.
        challenges: Answered while an order runs.
        obtain: Orders one; blocks.
        clock: Tells when.
    """

    def __init__(
        self,
        settings: AcmeSettings,
        certificates: Certificates,
        challenges: Challenges,
        obtain: Obtain | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._settings = settings
        self._certificates = certificates
        self._challenges = challenges
        self._obtain = obtain or _obtain
        self._clock = clock
        self._jitter = _random_fraction() * JITTER
        self._failures = 0
        self._hurry = asyncio.Event()

    def load(self) -> None:
        """Take over what an earlier start has got; what is no good will be replaced."""
        if self._settings.certificate.exists():
            try:
                self._certificates.load()
            except OperatorError as exc:
                log.error("%s: getting a new one", exc)  # noqa: TRY400  # the message says it all

    def due_in(self) -> float:
        """Seconds until an order is due; 0 or less: now."""
        certificate = self._certificates.certificate
        if certificate is None or set(certificate.names) != set(self._settings.domains):
            return 0.0
        lifetime = certificate.not_after - certificate.not_before
        due = certificate.not_before + lifetime * (RENEW_AFTER - self._jitter)
        return due - self._clock.now()

    async def attempt(self) -> float:
        """
        Order one now.

        Returns:
            Seconds until the next attempt; 0: it went well.
        """
        names = ", ".join(self._settings.domains)
        try:
            await asyncio.to_thread(self._check_folder)
            pem = await _in_thread(lambda: self._obtain(self._settings, self._challenges))
            await asyncio.to_thread(replace_file, self._settings.certificate, pem, OWNER_ONLY)
            self._certificates.load()
        except (IssuanceError, OperatorError, OSError) as exc:
            wait_s = self._back_off(is_short=isinstance(exc, UnreachableError))
            self._certificates.source_problem = f"ACME: no certificate for {names}: {exc}"
            log.error(  # noqa: TRY400  # the message says it all
                "ACME: no certificate for %s: %s; next attempt in %d s", names, exc, wait_s
            )
            return wait_s
        self._failures = 0
        self._certificates.source_problem = ""
        log.info("ACME: got a certificate for %s", names)
        return 0.0

    async def run(self) -> None:
        """Order whenever it is due, for ever."""
        self._certificates.on_reload = self._hurry.set
        while True:
            wait_s = self.due_in()
            if wait_s <= 0:
                wait_s = await self.attempt()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), min(wait_s, LOOK_S))
            self._hurry.clear()

    def _back_off(self, *, is_short: bool) -> float:
        first = UNREACHABLE_RETRY_S if is_short else REFUSED_RETRY_S
        wait_s = min(first * 2.0 ** min(self._failures, MAX_DOUBLINGS), MAX_RETRY_S)
        self._failures += 1
        return wait_s * (1 + _random_fraction() / 4)

    def _check_folder(self) -> None:
        """A certificate that cannot be stored need not be ordered."""
        folder = self._settings.folder
        make_private_directory(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OperatorError(f'"{folder}" is not writable')


@asynccontextmanager
async def keep_certificate(keeper: CertificateKeeper | None) -> AsyncIterator[None]:
    """Let it run until the end of the block."""
    if keeper is None:
        yield
        return
    running = asyncio.ensure_future(keeper.run())
    try:
        yield
    finally:
        running.cancel()


def _obtain(settings: AcmeSettings, challenges: Challenges) -> bytes:
    # Imported when first needed: an extra, and start-up time.
    from trailbase_server.server.acme.client import obtain_certificate  # noqa: PLC0415

    return obtain_certificate(settings, challenges)


def _random_fraction() -> float:
    return random_bytes(1)[0] / 256


async def _in_thread(work: Callable[[], bytes]) -> bytes:
    """Run it in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bytes] = loop.create_future()

    def settle(result: bytes | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        elif result is not None:
            future.set_result(result)

    def run() -> None:
        result: bytes | None = None
        error: BaseException | None = None
        try:
            result = work()
        except BaseException as exc:  # noqa: BLE001  # it is the waiter's
            error = exc
        with suppress(RuntimeError):  # the loop has gone
            loop.call_soon_threadsafe(settle, result, error)

    Thread(target=run, name="acme", daemon=True).start()
    return await future
