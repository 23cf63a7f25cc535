"""
Reload: take over what an operator has changed in a depot, without a restart.

In order: the configuration as text, checked in itself, so that a broken one stops the reload before
anything has changed; migrations of all databases; the configuration against the schema; then keys,
certificate and the database of addresses, each on its own. What fails leaves in place what ran
before it, and is remembered: in the log, at ``GET /api/_admin/reload`` and in readiness.

Reloads run one at a time. Those asked for while one is waiting are the same one: a hundred signals
are two reloads.
"""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.errors import AppError, OperatorError

Work = Callable[[], Awaitable[None]]


class Part(Struct, frozen=True):
    """
    One thing to reload.

    Attributes:
        name: For people.
        work: Reloads it; raises ``OperatorError`` or ``AppError``, having changed nothing.
        is_needed: If it fails, what follows makes no sense.
    """

    name: str
    work: Work
    is_needed: bool = False


class Step(Struct, frozen=True):
    """
    What became of a part.

    Attributes:
        name: Of the part.
        error: Empty if it went well.
    """

    name: str
    error: str = ""


class Outcome(Struct, frozen=True):
    """
    What became of a reload.

    Attributes:
        started, finished: Unix seconds.
        steps: As far as it came, in order.
    """

    started: float
    finished: float
    steps: tuple[Step, ...]

    @property
    def error(self) -> str:
        """All that went wrong, one line a problem or more; empty if nothing did."""
        return "\n".join(step.error for step in self.steps if step.error)


class Reloader:
    """
    Reloads, one at a time.

    Args:
        parts: In order.
        clock: Tells when.

    Attributes:
        last: The last outcome; None before the first.

    Spec:
        server/sighup-unix-run-only
        server/zero-downtime-operation-p2
    """

    def __init__(self, parts: list[Part], clock: Clock = SYSTEM_CLOCK) -> None:
        self.last: Outcome | None = None
        self._parts = parts
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[None] | None = None

    async def run(self, work: Work | None = None) -> None:
        """
        Reload after the reload that runs, together with all who ask for it meanwhile.

        Args:
            work: Calls ``apply`` in the end; None: just that.

        Raises:
            OperatorError, AppError: As of ``work``.
        """
        if self._waiting is None:
            self._waiting = asyncio.ensure_future(self._run(work or self.apply))
        # Whoever gives up waiting must not take it from the others.
        await asyncio.shield(self._waiting)

    async def _run(self, work: Work) -> None:
        async with self._turn:
            self._waiting = None  # whoever asks from now on may have changed more
            await work()

    async def apply(self) -> None:
        """
        Reload all parts and remember the outcome.

        Raises:
            OperatorError: All that went wrong.
        """
        started = self._clock.now()
        steps = []
        for part in self._parts:
            error = await _attempt(part.work)
            steps.append(Step(part.name, error))
            if error and part.is_needed:
                break
        self.last = Outcome(started, self._clock.now(), tuple(steps))
        if self.last.error:
            raise OperatorError(self.last.error)


async def _attempt(work: Work) -> str:
    try:
        await work()
    except (OperatorError, AppError) as exc:
        detail = exc.detail if isinstance(exc, AppError) else ""
        return str(exc) or detail or type(exc).__name__
    return ""
