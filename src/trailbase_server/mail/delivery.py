"""
The worker that sends what is in the outbox.

It sleeps until a mail is written (``wake``), one is due, or ``POLL_S`` have passed: a command in
another process may have written one. Up to ``PARALLEL`` attempts run at a time, so that one slow
server of a transport does not hold up the rest. Only the process that serves a depot runs a worker.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.errors import AppError
from trailbase_server.mail.outbox import Outbox, Waiting
from trailbase_server.mail.transport import SendError, Transport

log = logging.getLogger(__name__)
PARALLEL = 4  # attempts at a time: connections to the mail server
POLL_S = 30  # longest sleep
PURGE_S = 3600  # between two looks for mails to forget
STOP_S = 5  # time for attempts in flight at the end; their mails are sent again otherwise


class Delivery:
    """
    Sends mails in the background.

    Args:
        outbox: Where they are.
        transport: The way out at the moment of an attempt.
        clock: Time between purges.

    Attributes:
        sent: Mails that were taken since the start.
        failed: Attempts that failed.
        given_up: Mails after their last attempt.
    """

    def __init__(
        self, outbox: Outbox, transport: Callable[[], Transport], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._purge_at = clock.monotonic()
        self._hurry = True
        self.sent = self.failed = self.given_up = 0

    @property
    def is_running(self) -> bool:
        """Has it been started?"""
        return self._loop is not None

    def start(self) -> None:
        """Begin, with an attempt for everything that waits."""
        self._loop = asyncio.create_task(self._run(), name="mail delivery")

    def wake(self) -> None:
        """Say that there is something to send."""
        self._wake.set()

    def hurry(self) -> None:
        """Try everything that waits again, now: the way out may have been mended."""
        self._hurry = True
        self._wake.set()

    async def stop(self) -> None:
        """End; attempts in flight get ``STOP_S``. Idempotent."""
        if self._loop is None:
            return
        self._loop.cancel()
        with suppress(asyncio.CancelledError):
            await self._loop
        self._loop = None
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                if self._hurry:
                    self._hurry = False
                    await self._outbox.hurry()
                await self._purge()
                pause = await self._start_attempts()
            except AppError as exc:
                # The disk is full or busy: the mails are where they are, and it may pass.
                log.warning("cannot read the outbox: %s", exc)
                pause = POLL_S
            await self._sleep(pause)

    async def _purge(self) -> None:
        now = self._clock.monotonic()
        if now >= self._purge_at:
            self._purge_at = now + PURGE_S
            await self._outbox.purge()

    async def _start_attempts(self) -> float:
        """Begin as many attempts as there is room for; returns how long to sleep, in seconds."""
        # Nothing waits most of the time: a read finds that out without a write.
        due = await self._outbox.next_due_s()
        if due is None or due > 0:
            return POLL_S if due is None else min(due, POLL_S)
        free = PARALLEL - len(self._running)
        mails = await self._outbox.claim(free) if free > 0 else []
        for mail in mails:
            task = asyncio.create_task(self._attempt(mail))
            self._running.add(task)
            task.add_done_callback(self._finished)
        return POLL_S if len(mails) < free or free <= 0 else 0

    async def _sleep(self, pause: float) -> None:
        # Not ``wait_for``: up to Python 3.11 it loses a cancellation that comes with the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a mail's outcome was not written down", exc_info=task.exception())

    async def _attempt(self, mail: Waiting) -> None:
        try:
            await self._transport().send(mail.envelope)
        except SendError as exc:
            await self._postpone(mail, exc.reason, is_final=exc.is_permanent)
        except Exception as exc:  # an edge: one odd mail must not be tried for ever
            log.exception("an attempt to send a mail broke off")
            await self._postpone(mail, type(exc).__name__, is_final=False)
        else:
            self.sent += 1
            await self._outbox.settle(mail)
            log.debug("mail %d (%s) was taken", mail.id, mail.letter)

    async def _postpone(self, mail: Waiting, reason: str, *, is_final: bool) -> None:
        self.failed += 1
        pause = await self._outbox.postpone(mail, reason, is_final=is_final)
        self.given_up += pause is None
        then = "given up" if pause is None else f"next attempt in {pause} s"
        log.warning(
            "mail %d (%s) was not taken, attempt %d: %s; %s",
            *(mail.id, mail.letter, mail.attempts + 1, reason, then),
        )
