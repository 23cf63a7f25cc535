"""
Filters of subscriptions: does a changed row match?

A filter means what it means for a list. Comparisons of values of the column's own type are done
here, in Python (0.2 µs); a property test holds them against SQLite. Whatever else there is (LIKE,
regular expressions, geometry, ANY columns, collations, infinities) goes to SQLite, as a condition
on the row's values. Two subscriptions with the same filter share its result: ``Match`` compares by
what it says.
"""

import logging
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailbase_server.db.errors import DatabaseError
from trailbase_server.db.values import Row, SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.query.filter import And, Comparison, FilterNode, Operator, type_value
from trailbase_server.query.parse import InvalidQueryError
from trailbase_server.query.sql import compile_filter
from trailbase_server.records.access import UNAVAILABLE, Read
from trailbase_server.records.realtime.plan import EventPlan, row_relation
from trailbase_server.schema.model import Collate, Column, DataType

log = logging.getLogger(__name__)
Test = Callable[[Row], bool]

_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_EQUAL: operator.le,
}
_SAMPLES: Mapping[DataType, SqlValue] = {
    DataType.TEXT: "",
    DataType.INTEGER: 0,
    DataType.REAL: 0.0,
    DataType.ANY: "",
}


@dataclass(frozen=True, slots=True)
class Match:
    """
    A compiled filter.

    Attributes:
        sql: Statement that returns a row if the bound row matches.
        params: Values behind those of the row.
        test: The same without SQLite, None if it cannot be done.
    """

    sql: str
    params: tuple[SqlValue, ...]
    test: Test | None = field(compare=False)

    def accepts(self, read: Read, row: Row) -> bool:
        """
        Tell whether a row matches; a filter that fails on its values does not.

        Raises:
            OverBudgetError: It takes longer than the event loop can spare.
            DatabaseError: The database is not available (503).
        """
        if self.test is not None:
            return self.test(row)
        try:
            return bool(read(self.sql, (*row, *self.params)))
        except DatabaseError as exc:
            if exc.status == UNAVAILABLE:
                raise
            log.debug("a filter failed on an event: %s", exc.detail)
            return False


def compile_match(plan: EventPlan, node: FilterNode) -> Match:
    """
    Compile the filter of a subscription.

    Args:
        plan: Of the API.
        node: The filter as parsed.

    Raises:
        InvalidQueryError: A column cannot be filtered by, or a value does not fit it.

    Spec:
        records/endpoint-and-set-up-checks
    """
    try:
        condition, params = compile_filter(node, plan.api.filters, "_ROW_")
        test = _compile_test(node, plan.columns)
    except BadRequestError as exc:
        raise InvalidQueryError from exc
    row = row_relation(plan.columns, 1)
    return Match(f"SELECT 1 FROM {row} WHERE {condition}", tuple(params), test)  # noqa: S608  # quoted


def check_match(read: Read, match: Match, columns: Sequence[Column]) -> None:
    """
    Try a filter on a made-up row: a malformed pattern or geometry should fail now, not silently
    at each event.

    Raises:
        InvalidQueryError: It cannot be evaluated.
        OverBudgetError: On the event loop, when it takes too long.
    """
    if match.test is not None:
        return
    # BLOB columns are null: they may be geometries, and those are not made up so easily.
    sample = [_SAMPLES.get(column.data_type) for column in columns]
    try:
        read(match.sql, (*sample, *match.params))
    except DatabaseError as exc:
        if exc.status == UNAVAILABLE:
            raise
        raise InvalidQueryError from exc


def _compile_test(node: FilterNode, columns: Sequence[Column]) -> Test | None:
    if isinstance(node, Comparison):
        return _compile_comparison(node, columns)
    tests = [_compile_test(inner, columns) for inner in node.nodes]
    simple = [test for test in tests if test is not None]
    if len(simple) < len(tests):
        return None
    return _all_of(simple) if isinstance(node, And) else _any_of(simple)


def _all_of(tests: Sequence[Test]) -> Test:
    return lambda row: all(test(row) for test in tests)


def _any_of(tests: Sequence[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)


def _compile_comparison(node: Comparison, columns: Sequence[Column]) -> Test | None:
    index = next(i for i, column in enumerate(columns) if column.name == node.column)
    column = columns[index]
    if node.operator is Operator.IS:
        wanted = node.value == "NULL"
        return lambda row: (row[index] is None) is wanted
    compare = _COMPARE.get(node.operator)
    if compare is None or column.data_type is DataType.ANY:
        return None
    if any(isinstance(option, Collate) for option in column.options):
        return None
    (value,) = type_value(column.data_type, node.value)
    if value is None or value != value:  # not a number: NULL for SQLite
        return None

    def is_match(row: Row) -> bool:
        found = row[index]
        return found is not None and compare(found, value)

    return is_match
