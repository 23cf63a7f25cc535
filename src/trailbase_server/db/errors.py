"""
What can go wrong in a database, in the words of no particular engine.

.. code-block:: text

    DatabaseError           500  anything else: broken SQL of ours, a corrupt file
    ├── ConstraintError     400  a constraint said no; ``kind`` says which
    ├── RejectedError       400  a function or expression failed on these values
    ├── BusyError           503  somebody else holds the lock for too long
    ├── DiskError           503  full or failing disk, read-only file
    ├── OverloadedError     503  a bounded queue is full
    └── ClosedError         503  the database is shutting down
    OverBudgetError              a read that does not belong on the event loop (never reaches a
    client)
"""

from trailbase_server.errors import AppError

CONSTRAINT_KINDS = (
    "check",
    "commit hook",
    "fk",
    "function",
    "not null",
    "pk",
    "trigger",
    "unique",
    "vtab",
    "row id",
    "pinned",
    "data type",
)
"""Names of the constraint families (spec records/texts-for-constraint-violations)."""


class DatabaseError(AppError):
    """The engine failed in a way that no client can mend."""

    status = 500


class ConstraintError(DatabaseError):
    """
    A constraint refused the change.

    Args:
        kind: One of ``CONSTRAINT_KINDS``.
        detail: The engine's message; may name tables and columns.
    """

    status = 400

    def __init__(self, kind: str, *, detail: str = "") -> None:
        super().__init__(f"db constraint: {kind}", detail=detail)
        self.kind = kind


class RejectedError(DatabaseError):
    """A function or expression failed on the given values."""

    status = 400

    def __init__(self, *, detail: str = "") -> None:
        super().__init__("rejected", detail=detail)


class BusyError(DatabaseError):
    """The lock could not be had within the busy time-out."""

    status = 503


class DiskError(DatabaseError):
    """The disk is full, failing or read-only."""

    status = 503


class OverloadedError(DatabaseError):
    """A bounded queue is full."""

    status = 503


class ClosedError(DatabaseError):
    """The database was closed."""

    status = 503


class OverBudgetError(Exception):
    """
    A read took longer than the event loop can spare.

    Whoever runs a plain function inline repeats it on the reader pool: ``Database.on_pool``.
    """
