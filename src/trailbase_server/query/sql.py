"""Filters as SQL conditions: names are quoted after a look-up, values are bound."""

import re
from collections.abc import Mapping

from trailbase_server.db.dialect import quote
from trailbase_server.db.values import SqlValue
from trailbase_server.query.filter import (
    Comparison,
    FilterColumn,
    FilterNode,
    InvalidFilterError,
    Operator,
    Or,
    type_value,
)
from trailbase_server.schema.model import DataType

MAX_WKT_LEVELS = 16  # parentheses inside parentheses; a collection of multi-polygons has six

_COMPARE = {
    Operator.EQUAL: "=",
    Operator.NOT_EQUAL: "<>",
    Operator.GREATER: ">",
    Operator.GREATER_EQUAL: ">=",
    Operator.LESS: "<",
    Operator.LESS_EQUAL: "<=",
    Operator.LIKE: "LIKE",
}
_SPATIAL = {
    Operator.WITHIN: "ST_Within",
    Operator.INTERSECTS: "ST_Intersects",
    Operator.CONTAINS: "ST_Contains",
}
# What can be told without a geometry library; the function that is called reads it in full.
_WKT_START = re.compile(
    r"\s*(?:POINT|LINESTRING|LINEARRING|POLYGON|MULTIPOINT|MULTILINESTRING|MULTIPOLYGON"
    r"|GEOMETRYCOLLECTION)\s*(?:ZM|Z|M)?\s*(?:EMPTY\s*\Z|(?=\())",
    re.IGNORECASE,
)
_WKT_CHARACTERS = re.compile(r"[A-Za-z0-9+\-.,()\s]*\Z")


def compile_filter(
    node: FilterNode, columns: Mapping[str, FilterColumn], alias: str
) -> tuple[str, list[SqlValue]]:
    """
    Turn a filter into a condition.

    Args:
        node: The filter.
        columns: All columns a client may filter by. Hidden, excluded and unknown ones are missing.
        alias: Name of the relation in the statement.

    Returns:
        A condition that stands beside others without further parentheses, with one plain ``?``
        per value, and the values in that order.

    Raises:
        InvalidFilterError: A column is not among ``columns``, or a value does not fit.

    Spec:
        records/operators
    """
    params: list[SqlValue] = []
    return _compile(node, columns, alias, params), params


def _compile(
    node: FilterNode, columns: Mapping[str, FilterColumn], alias: str, params: list[SqlValue]
) -> str:
    if isinstance(node, Comparison):
        column = columns.get(node.column)
        if column is None:
            raise InvalidFilterError
        return _compare(f"{alias}.{quote(column.name)}", column, node, params)
    word = " OR " if isinstance(node, Or) else " AND "
    return f"({word.join([_compile(inner, columns, alias, params) for inner in node.nodes])})"


def _compare(name: str, column: FilterColumn, node: Comparison, params: list[SqlValue]) -> str:
    operator = node.operator
    if operator is Operator.IS:
        return f"{name} IS NULL" if node.value == "NULL" else f"{name} IS NOT NULL"
    if operator in _SPATIAL:
        if column.data_type is not DataType.BLOB:
            raise InvalidFilterError
        check_wkt(node.value)
        params.append(node.value)
        return f"{_SPATIAL[operator]}({name}, ST_GeomFromText(?))"
    values = type_value(column.data_type, node.value)
    if operator is Operator.REGEXP:
        params.append(values[0])
        # Upstream lets NULL match every pattern.
        return f"({name} IS NOT NULL AND {name} REGEXP ?)"
    # Only where equality is meant does it help to try a text as bytes, too.
    if len(values) > 1 and operator in (Operator.EQUAL, Operator.NOT_EQUAL):
        params += values
        return f"{name} {'IN' if operator is Operator.EQUAL else 'NOT IN'} (?, ?)"
    params.append(values[0])
    return f"{name} {_COMPARE[operator]} ?"


def check_wkt(text: str) -> None:
    """
    Refuse what cannot be a geometry in well-known text.

    Raises:
        InvalidFilterError: Other characters (``;`` and ``'`` among them), no geometry name,
            unbalanced or too many parentheses.

    Spec:
        records/operators
    """
    if not _WKT_CHARACTERS.match(text) or not _WKT_START.match(text):
        raise InvalidFilterError
    level = 0
    for character in text:
        if character == "(":
            level += 1
        elif character == ")":
            level -= 1
        if not 0 <= level <= MAX_WKT_LEVELS:
            raise InvalidFilterError
    if level:
        raise InvalidFilterError
