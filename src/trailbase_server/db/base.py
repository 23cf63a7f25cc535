"""
The contract between the program and a database: reads where you are, writes in turns.

*Reads.* ``Database.read`` runs at once in the calling thread. On the event loop it has a budget of
about two milliseconds; a statement that exceeds it raises ``OverBudgetError`` and the caller
repeats the *whole* function with ``Database.on_pool``. A function that only reads can therefore be
written without any ``await``. Code that already is a coroutine uses ``Database.query``, which does
the repeating itself.

*Writes.* A write is a module-level function plus plain arguments: ``await
database.write(insert_user, email, digest)``. The function gets a ``Transaction`` first. It may be
run more than once (nobody has been answered before the commit), so it must be repeatable and have
no side effects besides the database. What it raises is raised by ``write``, and only its own
changes are undone. When ``write`` returns, the change is committed.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from trailbase_server.db.values import Params, Row, SqlValue

P = ParamSpec("P")
R = TypeVar("R")
JobT = TypeVar("JobT", bound=Callable[..., Any])


class Reader(Protocol):
    """Something that answers queries at once."""

    def read(self, sql: str, params: Params = ()) -> list[Row]:
        """
        Run one reading statement to completion.

        Args:
            sql: One statement; values as ``?1``, ``?2`` ….
            params: Values in that order.

        Returns:
            All rows.

        Raises:
            OverBudgetError: On the event loop, when it takes too long.
            RejectedError: A function failed on the values.
            DatabaseError: The statement is wrong or the file is broken.
        """
        ...


class Transaction(Reader, Protocol):
    """The view of one write job: reads see the job's own changes and those of earlier jobs."""

    def run(self, sql: str, params: Params = ()) -> int:
        """Run one statement for its effect; returns the number of changed rows."""
        ...

    def insert(self, sql: str, params: Params = ()) -> int | None:
        """
        Run one ``INSERT`` of one row that returns none.

        Returns:
            None if no row was inserted or, by the statement's own conflict clause, updated. Else,
            if a row of a table with row ids was inserted, its row id; else any number.
        """
        ...


WriteJob = Callable[Concatenate[Transaction, P], R]


def single_statement(job: JobT) -> JobT:
    """
    Mark a write job that changes the database with at most one statement.

    Such a job needs no savepoint: a failing statement undoes itself.
    """
    job.single_statement = True  # type: ignore[attr-defined]  # an attribute of a function object
    return job


Action = Literal["insert", "update", "delete"]


class Change:
    """
    One row that a committed job has changed.

    Attributes:
        action: What happened.
        schema: Database schema the table is in (``main`` or an attached name).
        table: Name of the table.
        rowid: Row id after an insert or update, before a delete; 0 for tables without row ids.
        values: All column values in table order: new ones, or the last ones before a delete.
        old_rowid: Row id before an update; equal to ``rowid`` otherwise.
    """

    __slots__ = ("action", "old_rowid", "rowid", "schema", "table", "values")

    def __init__(
        self,
        action: Action,
        schema: str,
        table: str,
        rowid: int,
        values: tuple[SqlValue, ...],
        old_rowid: int,
    ) -> None:
        self.action = action
        self.schema = schema
        self.table = table
        self.rowid = rowid
        self.values = values
        self.old_rowid = old_rowid


ChangeListener = Callable[[Sequence[Change]], None]
"""Called on the event loop after each commit with its changes in commit order."""


class Database(Reader, Protocol):
    """One database: an inline reader, a bounded pool of readers, one writer that works in turns."""

    def prepare_error(self, sql: str) -> str | None:
        """Compile a statement without running it: None, or the engine's message."""
        ...

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """Like ``read``, for coroutines: moves to the reader pool when the budget is exceeded."""
        ...

    def leave_loop(self) -> None:
        """
        Say that what follows cannot be interrupted by the budget.

        Raises:
            OverBudgetError: On the event loop: the caller is repeated on the pool, where this
                does nothing.
        """
        ...

    def on_pool(self, function: Callable[..., R], *args: Any) -> Coroutine[Any, Any, R]:
        """
        Run a function on a reader thread, where ``read`` has no budget.

        Raises:
            OverloadedError: The pool's queue is full.
        """
        ...

    async def write(
        self, job: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """
        Queue a write job for the next turn and wait for its commit.

        Raises:
            ConstraintError: A constraint refused it.
            RejectedError: A function failed on the values.
            OverloadedError: Too many jobs are waiting.
            BusyError, DiskError: The turn could not be committed; nothing of it happened.
        """
        ...

    def submit(
        self, job: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[R]:
        """
        Do what ``write`` does, without a coroutine of its own, for the hot path.

        Returns:
            To be awaited at once, and nothing else.

        Raises:
            OverloadedError: Too many jobs are waiting; the others come when it is awaited.
        """
        ...

    async def listen(self, listener: ChangeListener | None) -> None:
        """
        Deliver row changes, or stop with None.

        When it returns, the changes of every later commit are delivered, and whole.
        """
        ...
