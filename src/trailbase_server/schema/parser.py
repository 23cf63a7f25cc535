"""
Definitions of tables, indexes and triggers: text as SQLite stores it → model.

Everything is accepted that SQLite accepts. What the model has no place for (sizes of types, names
of column constraints, sort orders of keys) is read over; whoever needs it has the text itself in
``sql``.
"""

from collections.abc import Sequence

from msgspec import Struct

from trailbase_server.schema.canonical import canonical_text
from trailbase_server.schema.columns import (
    parse_column,
    parse_conflict,
    parse_name_list,
    parse_references,
)
from trailbase_server.schema.cursor import Cursor, split_list
from trailbase_server.schema.lexer import (
    SchemaSyntaxError,
    Token,
    TokenKind,
    name_of,
    unquote,
)
from trailbase_server.schema.model import (
    Check,
    Column,
    ForeignKey,
    Index,
    IndexColumn,
    QualifiedName,
    Table,
    Trigger,
    UniqueConstraint,
)

_CONSTRAINTS = frozenset(("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"))
_CLOSING = {"[": "]", '"': '"', "'": "'", "`": "`"}


def parse_qualified_name(text: str) -> QualifiedName:
    """
    Read ``name`` or ``schema.name`` as written in a configuration.

    Args:
        text: Each part may be quoted in any of SQLite's ways; unquoted text is split at its first
            dot, so ``db.test.bar`` is ``test.bar`` in ``db``.

    Returns:
        The name; its schema is None if none was given.

    Raises:
        SchemaSyntaxError: A semicolon, or an empty part.

    Spec:
        sqlite/names
    """
    if ";" in text:
        raise SchemaSyntaxError("';' in a name", text.index(";"))
    first, rest = _split_name(text.strip())
    parts = [first] if rest is None else [first, rest]
    names = [_unquote_part(part.strip()) for part in parts]
    if not all(names):
        raise SchemaSyntaxError("empty name")
    return QualifiedName(names[-1], names[0] if len(names) > 1 else None)


def _split_name(text: str) -> tuple[str, str | None]:
    end = text.find(_CLOSING[text[0]], 1) if text[:1] in _CLOSING else -1
    while 0 < end < len(text) - 1 and text[end + 1] == text[end] != "]":
        end = text.find(text[0], end + 2)
    dot = text.find(".", end + 1)
    return (text, None) if dot < 0 else (text[:dot], text[dot + 1 :])


def _unquote_part(part: str) -> str:
    is_quoted = len(part) > 1 and _CLOSING.get(part[0]) == part[-1]
    return unquote(part) if is_quoted else part


def _parse_name(cursor: Cursor, schema: str | None) -> QualifiedName:
    name = cursor.name()
    if cursor.accept("."):
        return QualifiedName(cursor.name(), schema or name)
    return QualifiedName(name, schema)


def _open_statement(cursor: Cursor, *kinds: str) -> bool:
    """Step over ``CREATE [TEMP] <kinds> [IF NOT EXISTS]``; returns whether it is temporary."""
    cursor.expect("CREATE")
    temporary = bool(cursor.one_of(("TEMP", "TEMPORARY")))
    cursor.expect(*kinds)
    cursor.accept("IF", "NOT", "EXISTS")
    return temporary


def parse_table(sql: str, schema: str | None = None) -> Table:
    """
    Read a ``CREATE TABLE`` or ``CREATE VIRTUAL TABLE`` statement.

    Args:
        sql: The statement, for instance from ``sqlite_schema``.
        schema: Database it was found in; replaces a schema in the text.

    Returns:
        The table; a virtual one has no columns.

    Raises:
        SchemaSyntaxError: It is no such statement.

    Spec:
        sqlite/create-table-table
    """
    cursor = Cursor.of(sql)
    if cursor.word(1) == "VIRTUAL":
        _open_statement(cursor, "VIRTUAL", "TABLE")
        name = _parse_name(cursor, schema)
        cursor.expect("USING")
        return Table(name, strict=False, columns=(), virtual_table=True, sql=sql)
    temporary = _open_statement(cursor, "TABLE") or schema == "temp"
    name = _parse_name(cursor, schema)
    cursor.expect("(")
    columns: list[Column] = []
    constraints: list[ForeignKey | UniqueConstraint | Check] = []
    while True:
        if cursor.word() in _CONSTRAINTS:
            constraints += _parse_constraints(cursor)
        elif constraints:
            raise cursor.error("a constraint")
        else:
            columns.append(parse_column(cursor))
        if not cursor.accept(","):
            break
    cursor.expect(")")
    strict, without_rowid = _parse_table_options(cursor)
    return Table(
        name=name,
        strict=strict,
        columns=tuple(columns),
        foreign_keys=tuple(c for c in constraints if isinstance(c, ForeignKey)),
        unique=tuple(c for c in constraints if isinstance(c, UniqueConstraint)),
        checks=tuple(c for c in constraints if isinstance(c, Check)),
        temporary=temporary,
        without_rowid=without_rowid,
        sql=sql,
    )


def _parse_table_options(cursor: Cursor) -> tuple[bool, bool]:
    strict = without_rowid = False
    while not cursor.is_done:
        if cursor.accept("WITHOUT", "ROWID"):
            without_rowid = True
        else:
            cursor.expect("STRICT")
            strict = True
        if not cursor.is_done:
            cursor.expect(",")
    return strict, without_rowid


def _parse_constraints(cursor: Cursor) -> list[ForeignKey | UniqueConstraint | Check]:
    """Read table constraints that follow each other without a comma, as SQLite allows."""
    found: list[ForeignKey | UniqueConstraint | Check] = []
    name: str | None = None
    while cursor.word() in _CONSTRAINTS:
        if cursor.accept("CONSTRAINT"):
            name = cursor.name()
            continue
        found.append(_parse_constraint(cursor, name))
        name = None
    return found


def _parse_constraint(cursor: Cursor, name: str | None) -> ForeignKey | UniqueConstraint | Check:
    if cursor.accept("CHECK"):
        expr = canonical_text(cursor.group())
        parse_conflict(cursor)
        return Check(expr, name)
    if cursor.accept("FOREIGN", "KEY"):
        columns = parse_name_list(cursor)
        cursor.expect("REFERENCES")
        found = parse_references(cursor)
        return ForeignKey(
            columns,
            found.foreign_table,
            found.referred_columns,
            found.on_delete,
            found.on_update,
            name,
            found.deferrable,
        )
    is_primary = cursor.accept("PRIMARY", "KEY")
    if not is_primary:
        cursor.expect("UNIQUE")
    columns = parse_name_list(cursor)
    return UniqueConstraint(columns, parse_conflict(cursor), name, is_primary)


def parse_index(sql: str, schema: str | None = None) -> Index:
    """
    Read a ``CREATE INDEX`` statement.

    Args:
        sql: The statement.
        schema: Database it was found in.

    Raises:
        SchemaSyntaxError: It is no such statement.

    Spec:
        sqlite/create-index-trigger
    """
    cursor = Cursor.of(sql)
    unique = cursor.word(1) == "UNIQUE"
    _open_statement(cursor, *(("UNIQUE", "INDEX") if unique else ("INDEX",)))
    name = _parse_name(cursor, schema)
    cursor.expect("ON")
    table_name = cursor.name()
    columns = tuple(_parse_index_column(item) for item in split_list(cursor.group()))
    predicate = None
    if cursor.accept("WHERE"):
        predicate = canonical_text(cursor.until(()))
    if not cursor.is_done or not columns:
        raise cursor.error()
    return Index(name, table_name, columns, unique, predicate, sql)


def _parse_index_column(tokens: Sequence[Token]) -> IndexColumn:
    tokens = list(tokens)
    nulls_first = ascending = None
    tail = [token.text.upper() for token in tokens]
    if tail[-2:] in (["NULLS", "FIRST"], ["NULLS", "LAST"]):
        nulls_first = tail[-1] == "FIRST"
        del tokens[-2:], tail[-2:]
    if len(tail) > 1 and tail[-1] in ("ASC", "DESC"):
        ascending = tail[-1] == "ASC"
        del tokens[-1]
    if not tokens:
        raise SchemaSyntaxError("an index without column")
    names = [name_of(token) for token in tokens if token.text != "."]
    if len(tokens) == 1 and tokens[0].kind is not TokenKind.STRING and names[0] is not None:
        return IndexColumn(names[0], ascending, nulls_first)
    text = canonical_text(tokens)
    if len(tokens) == 3 and tokens[1].text == "." and all(names):
        text = f"{names[0]}.{names[1]}"
    return IndexColumn(text, ascending, nulls_first, is_expression=True)


def parse_trigger(sql: str, schema: str | None = None) -> Trigger:
    """
    Read the head of a ``CREATE TRIGGER`` statement.

    Args:
        sql: The statement; its body is not looked at.
        schema: Database it was found in.

    Raises:
        SchemaSyntaxError: It is no such statement.

    Spec:
        sqlite/create-index-trigger
    """
    cursor = Cursor.of(sql)
    _open_statement(cursor, "TRIGGER")
    name = _parse_name(cursor, schema)
    cursor.until(("ON",))
    cursor.expect("ON")
    return Trigger(name, _parse_name(cursor, None).name, sql)


class ViewHead(Struct, frozen=True):
    """
    A view before its columns are known.

    Attributes:
        name: Name.
        temporary: ``CREATE TEMP VIEW``.
        columns: Explicit column list, None without.
        body: Tokens of the query.
        query: Canonical text of the query.
    """

    name: QualifiedName
    temporary: bool
    columns: tuple[str, ...] | None
    body: Sequence[Token]
    query: str


def parse_view_head(sql: str, schema: str | None = None) -> ViewHead:
    """
    Read a ``CREATE VIEW`` statement up to its query.

    Args:
        sql: The statement.
        schema: Database it was found in.

    Raises:
        SchemaSyntaxError: It is no such statement.

    Spec:
        sqlite/views-column-inference
    """
    cursor = Cursor.of(sql)
    temporary = _open_statement(cursor, "VIEW") or schema == "temp"
    name = _parse_name(cursor, schema)
    columns = parse_name_list(cursor) if cursor.peek().text == "(" else None
    cursor.expect("AS")
    body = cursor.tokens[cursor.at :]
    if not body:
        raise cursor.error("a query")
    return ViewHead(name, temporary, columns, body, canonical_text(body))
