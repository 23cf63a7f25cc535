"""
What a handler has to say about its deed for the audit log.

The dispatcher opens a note for routes with an ``audit`` action, and hands it to the auditor with
the answer. Whoever knows more on the way, handler or below, writes it on the note of the request
that is being answered; elsewhere, as in commands, ``annotate`` does nothing.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trailbase_server.web.request import Request
    from trailbase_server.web.response import Response
    from trailbase_server.web.route import Route


class AuditNote:
    """
    What is known besides request and answer.

    Attributes:
        actor: Id and name of the administrator who has logged in by this request; else the
            request's identity acts.
        object: What it was done to.
        before, after: What was changed, by name; without secrets.
    """

    __slots__ = ("actor", "after", "before", "object")

    def __init__(self) -> None:
        self.actor: tuple[bytes, str] | None = None
        self.object = ""
        self.before: Mapping[str, Any] | None = None
        self.after: Mapping[str, Any] | None = None


Auditor = Callable[["Route", "Request", "Response", AuditNote], Awaitable[None]]
"""Called with every answer of a route with an ``audit`` action, before it is sent; never raises."""

# Per task: of the request that it answers.
_CURRENT: ContextVar[AuditNote | None] = ContextVar("audit_note", default=None)


@contextmanager
def noting() -> Iterator[AuditNote]:
    """Take notes until the end of the block."""
    note = AuditNote()
    token = _CURRENT.set(note)
    try:
        yield note
    finally:
        _CURRENT.reset(token)


def annotate(
    *,
    actor: tuple[bytes, str] | None = None,
    object: str | None = None,  # noqa: A002  # the word of the log
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write on the note of the current request what is given; see ``AuditNote``."""
    note = _CURRENT.get()
    if note is None:
        return
    if actor is not None:
        note.actor = actor
    if object is not None:
        note.object = object
    if before is not None:
        note.before = before
    if after is not None:
        note.after = after
