"""
Who may do what: table-level permissions, and the evaluation of access rules.

A rule has been compiled into one statement (``rules``). It grants access by returning a row; a row
that does not exist, NULL, 0 and a failure all mean: denied.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from trailbase_server.db.errors import DatabaseError
from trailbase_server.db.values import Params, Row, SqlValue
from trailbase_server.errors import ForbiddenError
from trailbase_server.records.columns import Key
from trailbase_server.records.encode import dump_json
from trailbase_server.web.identity import Identity

CREATE, READ, UPDATE, DELETE, SCHEMA = 1, 2, 4, 8, 16
"""Permission flags as configured."""

UNAVAILABLE = 503  # status of errors that say nothing about the rule

Read = Callable[[str, Params], list[Row]]
"""``Reader.read``."""


class Rule(Struct, frozen=True):
    """
    A compiled access rule.

    ``sql`` is one statement that returns a row if access is granted and none if not. An error while
    running it means denied as well. Its parameters come from ``bind``.

    Attributes:
        sql: The check.
        with_sql, from_sql: Relations to put before ``SELECT`` and after ``FROM`` where the
            condition is embedded in another statement; usually empty.
        condition: The rule in parentheses; only meaningful elsewhere for rules without request.
        uses_user: The first parameter is the caller's id.
        uses_row: The key follows.
        request_columns: Columns whose converted values follow, in this order.
        uses_fields: A JSON array with the names of the columns in the request comes last.
    """

    sql: str
    with_sql: str
    from_sql: str
    condition: str
    uses_user: bool
    uses_row: bool
    request_columns: tuple[str, ...]
    uses_fields: bool

    def bind(
        self,
        user: bytes | None,
        key: Key | None = None,
        values: Mapping[str, SqlValue] | None = None,
    ) -> list[SqlValue]:
        """
        Collect the parameters of ``sql``.

        Args:
            user: 16 bytes, None for anonymous callers.
            key: Key of the stored row, for rules of read, update and delete.
            values: Converted values of the columns present in the request, by name; a name with
                value None was sent as null.
        """
        params: list[SqlValue] = [user] if self.uses_user else []
        if self.uses_row:
            params.append(key)
        if values is not None:
            params += map(values.get, self.request_columns)
            if self.uses_fields:
                params.append(dump_json(list(values)).decode())
        return params


def user_of(identity: Identity | None) -> bytes | None:
    """Give the caller's id as rules see it."""
    return None if identity is None else identity.user_id


def permission_masks(world: Sequence[int], authenticated: Sequence[int]) -> tuple[int, int]:
    """
    Fold lists of flags into two masks: of everybody, and of callers with a valid token.

    Spec:
        records/table-level
    """
    everybody = 0
    for flag in world:
        everybody |= flag
    members = everybody
    for flag in authenticated:
        members |= flag
    return everybody, members


def read_ruled(read: Read, sql: str, params: Params) -> list[Row]:
    """
    Run a statement that contains a rule.

    Returns:
        At least one row.

    Raises:
        ForbiddenError: There is no row, or the rule failed on these values.
        DatabaseError: The database is not available now.
    """
    try:
        rows = read(sql, params)
    except DatabaseError as exc:
        if exc.status == UNAVAILABLE:
            raise
        raise ForbiddenError(detail=f"a rule failed: {exc.detail}") from exc
    if not rows:
        raise ForbiddenError
    return rows


def check_rule(
    read: Read,
    rule: Rule,
    user: bytes | None,
    key: Key | None = None,
    values: Mapping[str, SqlValue] | None = None,
) -> None:
    """
    Evaluate a rule; arguments as of ``Rule.bind``.

    Raises:
        ForbiddenError: The rule is not true, or there is no such row.

    Spec:
        records/row-level-rules
    """
    read_ruled(read, rule.sql, rule.bind(user, key, values))
