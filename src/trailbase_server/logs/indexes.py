"""
The indexes of ``_logs``: what it costs each request to have them, against what they find.

The reference has one for every status and every method. Nearly all rows are alike in both, so they
find little, and cost as much as the row itself. We keep an index of errors, which is what one looks
for, and of times, by which rows are removed. The table is the reference's as it was: it reads ours
and goes on with it, we take over its file.
"""

from collections.abc import Iterable
from typing import cast

from trailbase_server.logs.batch import LogConnection
from trailbase_server.query.filter import And, Comparison, FilterNode, Operator, Or, type_value
from trailbase_server.schema.model import DataType
from trailbase_server.web.request_id import FIRST_ERROR

ERRORS = f"_ROW_.status >= {FIRST_ERROR}"
"""Said word for word, it lets the engine see that the index of errors will do."""

_DEAR = ("__logs__status_index", "__logs__method_index")
_INDEX = "__logs__errors_index"


def slim_indexes(connection: LogConnection) -> None:
    """
    Replace the indexes that cost more than they find, once in the life of a file.

    Takes two seconds for ten million rows.

    Raises:
        Exception: The engine's. The connection may be in a transaction and is to be closed.
    """
    found = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?"
    if list(cast(Iterable[object], connection.execute(found, (_INDEX,)))):
        return
    connection.execute("BEGIN IMMEDIATE")
    for name in _DEAR:
        connection.execute(f"DROP INDEX IF EXISTS {name}")
    connection.execute(
        f"CREATE INDEX IF NOT EXISTS {_INDEX} ON _logs (status) WHERE status >= {FIRST_ERROR}"
    )
    connection.execute("COMMIT")


def is_about_errors(node: FilterNode) -> bool:
    """
    Whether only errors can pass a filter; False where that is hard to say.

    Raises:
        InvalidFilterError: It compares the status with what is no number.
    """
    if isinstance(node, And):
        return any(is_about_errors(inner) for inner in node.nodes)
    if isinstance(node, Or):
        return all(is_about_errors(inner) for inner in node.nodes)
    return node.column == "status" and _is_least_error(node)


def _is_least_error(node: Comparison) -> bool:
    if node.operator not in (Operator.EQUAL, Operator.GREATER, Operator.GREATER_EQUAL):
        return False
    (least,) = type_value(DataType.INTEGER, node.value)
    return isinstance(least, int) and least >= FIRST_ERROR
