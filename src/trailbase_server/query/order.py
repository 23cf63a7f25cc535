"""ORDER BY from the terms of a query."""

from collections.abc import Container, Sequence

from trailbase_server.db.dialect import quote
from trailbase_server.query.parse import InvalidQueryError, OrderTerm


def compile_order(terms: Sequence[OrderTerm], columns: Container[str], alias: str) -> str:
    """
    Turn order terms into what follows ``ORDER BY``.

    Args:
        terms: At least one.
        columns: Names a client may order by: visible columns only.
        alias: Name of the relation in the statement.

    Raises:
        InvalidQueryError: A column is not among ``columns``.

    Spec:
        records/order
    """
    parts = []
    for term in terms:
        if term.column not in columns:
            raise InvalidQueryError
        parts.append(f"{alias}.{quote(term.column)}{' DESC' if term.descending else ''}")
    return ", ".join(parts)
