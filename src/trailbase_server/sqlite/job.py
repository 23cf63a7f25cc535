"""
A queued write: a function and its arguments, and a future of its outcome.

It is a future of the kind that tasks accept. A plain one would cost two trips through the event
loop for each write: a callback without ``context`` (the front door's) is called at once when the
job is answered; those of tasks are scheduled, as they expect.
"""

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any


class Job:
    """
    Queue a write.

    Args:
        function: Called with the transaction, then
        args, kwargs: These.
        loop: Where whoever waits is told.

    Attributes:
        savepoint: It may have to be undone alone: it runs more than one statement.
        outcome, error: What came of it.
        is_answered, cancelled: Whoever asked knows, or has gone.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "args",
        "callbacks",
        "cancelled",
        "error",
        "function",
        "is_answered",
        "kwargs",
        "loop",
        "outcome",
        "savepoint",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.loop = loop
        self.savepoint = not hasattr(function, "single_statement")
        self.outcome: Any = None
        self.error: BaseException | None = None
        self.is_answered = False
        self.cancelled = False
        self.callbacks: list[tuple[Callable[..., Any], Context | None]] = []
        self._asyncio_future_blocking = False

    def answer(self) -> None:
        """Deliver the outcome, unless whoever asked has gone."""
        if self.is_answered:
            return
        self.is_answered = True
        for callback, context in self.callbacks:
            if context is None:
                callback(self)
            else:
                self.loop.call_soon(callback, self, context=context)

    # What tasks ask of a future

    def __await__(self) -> Generator["Job", None, Any]:
        if not self.is_answered:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def result(self) -> Any:
        """What the job returned; raises what it raised."""
        if self.error is not None:
            raise self.error
        return self.outcome

    def add_done_callback(
        self, callback: Callable[..., Any], *, context: Context | None = None
    ) -> None:
        """Have a function called with this job when it is answered."""
        self.callbacks.append((callback, context))

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""
        return self.loop

    def cancel(self, msg: object = None) -> bool:
        """Nobody waits any more: the job is left out unless it has begun."""
        if self.is_answered:
            return False
        self.cancelled = True
        self.error = asyncio.CancelledError(msg)
        self.answer()
        return True
