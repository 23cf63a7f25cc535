"""Write a batch of entries in one transaction: all of them or, if it fails, none."""

from collections.abc import Sequence
from typing import Protocol

from trailbase_server.db.values import Params
from trailbase_server.logs.rows import Inserts
from trailbase_server.web.log_entry import LogEntry


class LogConnection(Protocol):
    """What the log needs of a database connection; it is used in one thread only."""

    def execute(self, sql: str, params: Params = ..., /) -> object:
        """Run one statement; what it returns can be iterated over."""
        ...

    def close(self) -> None:
        """Give the file back; what is not committed is rolled back."""
        ...


def write_batch(connection: LogConnection, inserts: Inserts, entries: Sequence[LogEntry]) -> None:
    """
    Insert entries in their order.

    Raises:
        Exception: The engine's, or a text that is no Unicode. The connection may be in a
            transaction and is to be closed.

    Spec:
        server/access-log-rows
    """
    execute = connection.execute
    execute("BEGIN IMMEDIATE")
    for statement, values in inserts.of(entries):
        execute(statement, values)
    execute("COMMIT")
