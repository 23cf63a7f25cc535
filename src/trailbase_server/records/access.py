"""
Who may do what: table-level permissions, and access rules as finished SQL.

A rule is an SQL expression over the relations ``_USER_``, ``_REQ_``, ``_REQ_FIELDS_`` and ``_ROW_``.
Where a rule only uses the plain forms ``_USER_.id`` and ``_REQ_.column``, these become bound
parameters: a one-row relation costs SQLite a co-routine (8.1 µs against 1.3 µs for a read with a
membership rule), and a parameter can use an index. Other uses, such as a sub-query *from* ``_REQ_``,
get the relation as a common table expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from trailbase_server.db.values import SqlValue
from trailbase_server.web.identity import Identity

CREATE, READ, UPDATE, DELETE, SCHEMA = 1, 2, 4, 8, 16
"""Permission flags as configured."""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A compiled access rule.

    ``sql`` is one statement that returns a row if access is granted and none if not. An error while
    preparing or running it means denied as well. Its parameters come from ``bind``.

    Attributes:
        sql: The check.
        condition: The rule alone, for embedding after ``AND``; uses ``?1`` for the user and
            ``_ROW_`` for the row, so only meaningful for read rules.
        uses_user: ``?1`` is the caller's id.
        uses_row: The key follows as a parameter.
        request_columns: Columns whose converted values follow, in this order.
        uses_fields: A JSON array with the names of the columns in the request comes last.
    """

    sql: str
    condition: str
    uses_user: bool
    uses_row: bool
    request_columns: tuple[str, ...]
    uses_fields: bool

    def bind(
        self,
        user: bytes | None,
        key: int | bytes | None = None,
        values: Mapping[str, SqlValue] | None = None,
    ) -> list[SqlValue]:
        """
        Collect the parameters of ``sql``.

        Args:
            user: 16 bytes, None for anonymous callers.
            key: Key of the stored row, for rules of update, read and delete.
            values: Converted values of the columns present in the request, by name; a name with
                value None was sent as null.
        """
        params: list[SqlValue] = [user] if self.uses_user else []
        if self.uses_row:
            params.append(key)
        if values is not None:
            params += map(values.get, self.request_columns)
            if self.uses_fields:
                params.append(_names(values))
        return params


def _names(values: Mapping[str, SqlValue]) -> str:
    return orjson.dumps(list(values)).decode()


def user_of(identity: Identity | None) -> bytes | None:
    """Give the caller's id as rules see it."""
    return None if identity is None else identity.user_id
