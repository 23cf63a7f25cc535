"""
What the events of a record API are made of.

A change carries the values of all columns in table order. The plan picks the visible ones for the
payload, and hands all of them to the read rule: the relation ``_ROW_`` of an event is a SELECT of
bound values, each cast to its column's type and given its column's collation, so that comparisons
behave as they do on the stored row (in a STRICT table the cast changes nothing). Many users are
judged by one statement: on a rule that looks members up, 64 users cost 48 µs together and 210 µs
one by one.
"""

import logging
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from trailbase_server.db.base import Action, Change
from trailbase_server.db.dialect import quote
from trailbase_server.db.errors import DatabaseError
from trailbase_server.db.values import Row
from trailbase_server.errors import AppError
from trailbase_server.records.access import READ, UNAVAILABLE, Read, Rule
from trailbase_server.records.api import RecordApi
from trailbase_server.records.encode import RowEncoder, compile_encoder, dump_json
from trailbase_server.schema.lexer import TokenKind, tokenize
from trailbase_server.schema.model import Catalog, Collate, Column, DataType

log = logging.getLogger(__name__)
User = bytes | None
"""Id of a subscriber, None for an anonymous one."""

MAX_USERS = 64  # per statement; a power of two. Bounds the time of one statement, too
_NAMES: dict[Action, bytes] = {"insert": b"Insert", "update": b"Update", "delete": b"Delete"}
_ROW_IDS = ("rowid", "_rowid_", "oid")  # a column of the same name hides one of them
_CASTS = {
    DataType.BLOB: "BLOB",
    DataType.TEXT: "TEXT",
    DataType.INTEGER: "INTEGER",
    DataType.REAL: "REAL",
}


@dataclass(frozen=True, eq=False, slots=True)
class EventPlan:
    """
    How changes of a table become events of an API.

    Attributes:
        api: The plan of its requests.
        columns: All columns of the table, in its order.
        key_index: Place of the record's key among them.
        shown: Places of the visible columns, in the order of the payload.
        encode: Encodes a row of those.
        reread_sql: Selects all columns by row id, for changes that come without values; None where
            there are no row ids.
        is_rowid: The key is the row id.
        statements: The read rule by number of users; filled as needed.
    """

    api: RecordApi
    columns: tuple[Column, ...]
    key_index: int
    shown: tuple[int, ...]
    encode: RowEncoder
    reread_sql: str | None
    is_rowid: bool
    statements: dict[int, str] = field(default_factory=dict)

    def row_of(self, read: Read, change: Change) -> Row | None:
        """
        Find the values of a changed row.

        The engine cannot tell them where a table has VIRTUAL columns. The row is read again then;
        of a deleted one only the row id is left.

        Returns:
            All values in table order; None if they cannot be known.
        """
        if len(change.values) == len(self.columns):
            return change.values
        if change.action != "delete":
            if change.values or self.reread_sql is None:
                return None
            rows = read(self.reread_sql, (change.rowid,))
            return rows[0] if rows else None
        if change.values or not self.is_rowid:
            return None
        return tuple(
            change.rowid if index == self.key_index else None for index in range(len(self.columns))
        )

    def render(self, action: Action, row: Row) -> bytes:
        """
        Encode an event up to its number, which differs from stream to stream.

        Raises:
            EncodeError: A value has no JSON form.

        Spec:
            records/sse-stream
        """
        record = self.encode(tuple([row[index] for index in self.shown]))
        return b'{"%b":%b,"seq":' % (_NAMES[action], dump_json(record))

    def allowed(self, read: Read, row: Row, users: AbstractSet[User]) -> AbstractSet[User]:
        """
        Tell which users may see a row.

        Args:
            read: Runs one statement.
            row: All values in table order.
            users: At least one.

        Returns:
            Those with table permission whom the read rule does not refuse.

        Raises:
            OverBudgetError: The rule takes longer than the event loop can spare.
            DatabaseError: The database is not available (503).

        Spec:
            records/per-event-evaluation-at-delivery-with-the-api-definition-current-at-that-time
        """
        api = self.api
        permitted = users
        if not api.authenticated & READ:
            permitted = frozenset()
        elif not api.world & READ:
            permitted = users - {None}
        rule = api.read_rule
        if rule is None or not permitted:
            return permitted
        if not rule.uses_user:
            return permitted if self._judge(read, rule, row, [None]) else frozenset()
        # A rule that uses ``_USER_`` as a relation must not find several users in it.
        size = 1 if rule.with_sql else MAX_USERS
        asked = list(permitted)
        found: set[User] = set()
        for start in range(0, len(asked), size):
            found.update(self._judge(read, rule, row, asked[start : start + size]))
        return found

    def _judge(self, read: Read, rule: Rule, row: Row, users: Sequence[User]) -> Sequence[User]:
        """Evaluate the rule for users at once; where that fails, one by one."""
        count = len(users)
        try:
            if count == 1:
                params = (users[0], *row) if rule.uses_user else row
                return users if read(self._statement(1, rule), params) else ()
            size = 1 << (count - 1).bit_length()
            padded = (*users, *[users[-1]] * (size - count))
            rows = read(self._statement(size, rule), (*padded, *row))
        except DatabaseError as exc:
            if exc.status == UNAVAILABLE:
                raise
            if count == 1:
                log.debug("a rule failed on an event: %s", exc.detail)
                return ()
            return [user for user in users if self._judge(read, rule, row, [user])]
        return [user for (user,) in rows]  # type: ignore[misc]  # what was bound as a user

    def _statement(self, users: int, rule: Rule) -> str:
        sql = self.statements.get(users)
        if sql is None:
            sql = self._single(rule) if users == 1 else self._several(users, rule)
            self.statements[users] = sql
        return sql

    def _single(self, rule: Rule) -> str:
        row = row_relation(self.columns, 1 + rule.uses_user)
        return (
            f"{rule.with_sql}SELECT 1 FROM {rule.from_sql}{row} "  # noqa: S608  # quoted
            f"WHERE CAST({rule.condition} AS INTEGER)"
        )

    def _several(self, users: int, rule: Rule) -> str:
        values = ", ".join(f"(?{place + 1})" for place in range(users))
        row = row_relation(self.columns, users + 1)
        return (
            f"WITH _USER_(id) AS (VALUES {values}) SELECT _USER_.id FROM _USER_, {row} "  # noqa: S608
            f"WHERE CAST({_with_user_relation(rule.condition)} AS INTEGER)"
        )


def compile_event_plan(api: RecordApi, catalog: Catalog) -> EventPlan | None:
    """
    Prepare the events of an API; None if its table has gone.

    Args:
        api: A table with subscriptions.
        catalog: What it was compiled from.

    Spec:
        records/sse-stream
    """
    table = catalog.table(api.table)
    if table is None:
        return None
    place = {column.name: index for index, column in enumerate(table.columns)}
    visible = [column for column in api.selection if not column.hidden]
    taken = {name.lower() for name in place}
    row_id = next((name for name in _ROW_IDS if name not in taken), None)
    reread_sql = None
    if row_id is not None and not table.without_rowid:
        names = ", ".join(f"_ROW_.{quote(column.name)}" for column in table.columns)
        reread_sql = f"SELECT {names} FROM {api.table_sql} AS _ROW_ WHERE _ROW_.{row_id} = ?1"  # noqa: S608
    return EventPlan(
        api=api,
        columns=table.columns,
        key_index=place[api.key.name],
        shown=tuple(place[column.name] for column in visible),
        encode=compile_encoder(visible, frozenset()),
        reread_sql=reread_sql,
        is_rowid=not table.without_rowid and api.key.definition.type_name.upper() == "INTEGER",
    )


def row_relation(columns: Sequence[Column], first: int) -> str:
    """
    Render ``_ROW_`` as a relation of one row of bound values.

    Args:
        columns: All columns of the table.
        first: Number of the parameter of the first column.
    """
    selected = ", ".join(
        _bound_column(column, first + index) for index, column in enumerate(columns)
    )
    return f"(SELECT {selected}) AS _ROW_"


def _bound_column(column: Column, place: int) -> str:
    cast = _CASTS.get(column.data_type)
    value = f"?{place}" if cast is None else f"CAST(?{place} AS {cast})"
    for option in column.options:
        if isinstance(option, Collate):
            value += f" COLLATE {quote(option.name)}"
    return f"{value} AS {quote(column.name)}"


def _with_user_relation(condition: str) -> str:
    """Undo what ``rules`` did for a single caller: the parameter ``?1`` was ``_USER_.id``."""
    parts: list[str] = []
    end = 0
    for token in tokenize(condition):
        if token.kind is TokenKind.PARAMETER:
            parts += (condition[end : token.start], "_USER_.id")
            end = token.end
    return "".join(parts) + condition[end:]


def render_error(status: int, message: str | None) -> bytes:
    """
    Render an error event up to its number.

    Args:
        status: ``FORBIDDEN``, ``LOSS`` or ``NOT_SERIALIZED``.
        message: For people.

    Spec:
        records/sse-stream
    """
    return b'{"Error":%b,"seq":' % dump_json({"status": status, "message": message})


FORBIDDEN, LOSS, NOT_SERIALIZED = 1, 2, 3
ACCESS_LOST = render_error(FORBIDDEN, "Access denied")
SESSION_ENDED = render_error(FORBIDDEN, "Session ended")
EVENTS_LOST = render_error(LOSS, "Events were lost")
_UNREADABLE = render_error(NOT_SERIALIZED, "A value has no JSON form")


def render_event(plan: EventPlan, action: Action, row: Row) -> bytes:
    """Render an event, or the error event that stands for it."""
    try:
        return plan.render(action, row)
    except AppError as exc:
        log.warning("an event of %s cannot be shown: %s", plan.api.name, exc.detail)
        return _UNREADABLE
