"""
The part of SELECT that says where a view's columns come from.

Conditions, orders and limits are read over. What makes columns unpredictable (compound queries,
DISTINCT, windows, values, table-valued functions) raises ``UnfitQueryError``: such a view can be
looked at, but it cannot back a record API.
"""

from collections.abc import Sequence

from msgspec import Struct

from trailbase_server.schema.cursor import Cursor, split_list
from trailbase_server.schema.lexer import (
    SchemaSyntaxError,
    Token,
    TokenKind,
    is_quoted,
    keyword,
    name_of,
)
from trailbase_server.schema.model import DataType, Join

MAX_DEPTH = 50  # queries inside each other; SQLite itself stops at about 100

_JOIN_WORDS = {
    "NATURAL": Join.NATURAL,
    "CROSS": Join.CROSS | Join.INNER,
    "INNER": Join.INNER,
    "LEFT": Join.LEFT | Join.OUTER,
    "RIGHT": Join.RIGHT | Join.OUTER,
    "FULL": Join.LEFT | Join.RIGHT | Join.OUTER,
    "OUTER": Join.OUTER,
}
_COMPOUND = frozenset(("UNION", "INTERSECT", "EXCEPT"))
_CLAUSES = frozenset(("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT")) | _COMPOUND
_NO_ALIAS = frozenset(_JOIN_WORDS) | {"INDEXED", "WINDOW"}
_AGGREGATES = frozenset(("MIN", "MAX", "SUM"))
_TIMES = frozenset(("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"))
_CAST_TYPES = frozenset(("ANY", "BLOB", "TEXT", "INTEGER", "INT", "REAL", "BOOLEAN"))


class UnfitQueryError(SchemaSyntaxError):
    """The query is fine, but its columns cannot be told."""


class Star(Struct, frozen=True):
    """``*``, or ``table.*``."""

    table: str | None


class ColumnName(Struct, frozen=True):
    """``column``, or ``table.column``."""

    table: str | None
    name: str


class Cast(Struct, frozen=True):
    """``CAST (… AS type)``."""

    type_name: str


class Literal(Struct, frozen=True):
    """A constant."""

    data_type: DataType


class Aggregate(Struct, frozen=True):
    """``MIN``, ``MAX`` or ``SUM``; without ``argument`` if that is no plain column."""

    function: str
    argument: ColumnName | None


Expression = Star | ColumnName | Cast | Literal | Aggregate


class Item(Struct, frozen=True):
    """A result column; ``text`` is its expression, from the first to the last token."""

    expression: Expression
    alias: str | None
    text: str


class Source(Struct, frozen=True):
    """
    A table or query behind FROM.

    Attributes:
        joins: Bits of ``Join`` that connect it to what is left of it, 0 for the first.
        name, schema: Of a table.
        query: Of a query in parentheses.
        alias: None without.
        using: Columns of ``USING``.
    """

    joins: int
    name: str = ""
    schema: str | None = None
    query: "Select | None" = None
    alias: str | None = None
    using: tuple[str, ...] = ()


class Select(Struct, frozen=True):
    """
    A query.

    Attributes:
        items: Result columns.
        sources: At least one.
        group_by: Tokens of the GROUP BY terms.
        tables: Queries of the WITH clause with their column names, if given.
    """

    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    group_by: tuple[Sequence[Token], ...]
    tables: tuple[tuple[str, tuple[str, ...] | None, "Select"], ...] = ()


def parse_select(sql: str, tokens: Sequence[Token], depth: int = 0) -> Select:
    """
    Read a query.

    Args:
        sql: Text the tokens are from.
        tokens: The query, without comments.
        depth: How many queries are around this one.

    Raises:
        UnfitQueryError: Its columns cannot be told.
        SchemaSyntaxError: It is no query.

    Spec:
        sqlite/rejected-outright-mapping-null
        sqlite/from-handling
    """
    if depth > MAX_DEPTH:
        raise UnfitQueryError("too many queries inside each other")
    cursor = Cursor(tokens)
    tables = _parse_with(sql, cursor, depth)
    cursor.expect("SELECT")
    if cursor.accept("DISTINCT"):
        raise UnfitQueryError("DISTINCT")
    cursor.accept("ALL")
    items = [_parse_item(sql, cursor.until((",", "FROM")))]
    while cursor.accept(","):
        items.append(_parse_item(sql, cursor.until((",", "FROM"))))
    if not cursor.accept("FROM"):
        raise UnfitQueryError("no FROM")
    sources = [_parse_source(sql, cursor, 0, depth)]
    while (joins := _parse_join(cursor)) is not None:
        sources.append(_parse_source(sql, cursor, joins, depth))
    if cursor.accept("WHERE"):
        _skip_expression(cursor)
    group_by: tuple[Sequence[Token], ...] = ()
    if cursor.accept("GROUP", "BY"):
        start = cursor.at
        while not cursor.is_done and not _is_clause(cursor):
            cursor.take()
        group_by = tuple(split_list(cursor.tokens[start : cursor.at]))
    _check_rest(cursor)
    return Select(tuple(items), tuple(sources), group_by, tables)


def _parse_with(
    sql: str, cursor: Cursor, depth: int
) -> tuple[tuple[str, tuple[str, ...] | None, Select], ...]:
    tables: list[tuple[str, tuple[str, ...] | None, Select]] = []
    if not cursor.accept("WITH"):
        return ()
    cursor.accept("RECURSIVE")
    while True:
        name = cursor.name()
        columns = None
        if cursor.peek().text == "(":
            columns = tuple(name_of(item[0]) or "" for item in split_list(cursor.group()) if item)
        cursor.expect("AS")
        if not cursor.accept("MATERIALIZED"):
            cursor.accept("NOT", "MATERIALIZED")
        tables.append((name, columns, parse_select(sql, cursor.group(), depth + 1)))
        if not cursor.accept(","):
            return tuple(tables)


def _check_rest(cursor: Cursor) -> None:
    while not cursor.is_done:
        if cursor.word() in _COMPOUND and cursor.word(1) in ("SELECT", "ALL", "VALUES"):
            raise UnfitQueryError("compound query")
        if _is_window(cursor):
            raise UnfitQueryError("WINDOW")
        if cursor.peek().text == "(":
            cursor.group()
        else:
            cursor.take()


def _skip_expression(cursor: Cursor) -> None:
    """Step over a condition, up to the next join or clause."""
    while not cursor.is_done and not _is_clause(cursor) and not _is_join(cursor):
        if cursor.peek().text == "(":
            cursor.group()
        else:
            cursor.take()


def _is_clause(cursor: Cursor) -> bool:
    return cursor.word() in _CLAUSES or _is_window(cursor)


def _is_window(cursor: Cursor) -> bool:
    """Does a WINDOW clause begin? The word may be a name."""
    return cursor.word() == "WINDOW" and cursor.word(2) == "AS"


def _is_join(cursor: Cursor) -> bool:
    if cursor.peek().text == ",":
        return True
    ahead = 0
    while cursor.word(ahead) in _JOIN_WORDS:
        ahead += 1
    return cursor.word(ahead) == "JOIN"


def _parse_join(cursor: Cursor) -> int | None:
    if not _is_join(cursor):
        return None
    if cursor.accept(","):
        return Join.INNER
    bits = 0
    while word := cursor.one_of(_JOIN_WORDS):
        bits |= _JOIN_WORDS[word]
    cursor.expect("JOIN")
    return bits if bits & ~Join.NATURAL else bits | Join.INNER


def _parse_source(sql: str, cursor: Cursor, joins: int, depth: int) -> Source:
    name, schema, query = "", None, None
    if cursor.peek().text == "(":
        inner = cursor.group()
        if not inner or keyword(inner[0]) not in ("SELECT", "WITH"):
            raise UnfitQueryError("joins in parentheses, or values")
        query = parse_select(sql, inner, depth + 1)
    else:
        name = cursor.name()
        if cursor.accept("."):
            schema, name = name, cursor.name()
        if cursor.peek().text == "(":
            raise UnfitQueryError("table-valued function")
    alias = None
    if cursor.accept("AS") or (
        name_of(cursor.peek()) is not None and cursor.word() not in _NO_ALIAS
    ):
        alias = cursor.name()
    if cursor.accept("INDEXED", "BY"):
        cursor.name()
    else:
        cursor.accept("NOT", "INDEXED")
    using: tuple[str, ...] = ()
    if cursor.accept("ON"):
        _skip_expression(cursor)
    elif cursor.accept("USING"):
        using = tuple(name_of(item[0]) or "" for item in split_list(cursor.group()) if item)
    return Source(joins, name, schema, query, alias, using)


def _parse_item(sql: str, tokens: Sequence[Token]) -> Item:
    alias = None
    body = tokens
    last = name_of(tokens[-1]) if tokens else None
    if len(tokens) > 2 and last is not None and keyword(tokens[-2]) == "AS":
        alias, body = last, tokens[:-2]
    elif len(tokens) > 1 and last is not None and _ends_operand(tokens[-2]):
        alias, body = last, tokens[:-1]
    if not body:
        raise SchemaSyntaxError("empty result column")
    text = sql[body[0].start : body[-1].end]
    expression = _parse_expression(body)
    if expression is None:
        raise UnfitQueryError(f"column of unknown type: {text}", body[0].start)
    return Item(expression, alias, text)


def _ends_operand(token: Token) -> bool:
    if token.kind is TokenKind.OPERATOR:
        return token.text == ")"
    return name_of(token) is not None or keyword(token) in ("", "NULL")


def _parse_expression(tokens: Sequence[Token]) -> Expression | None:
    if len(tokens) == 1:
        return _parse_single(tokens[0])
    if len(tokens) == 3 and tokens[1].text == "." and tokens[2].text == "*":
        table = name_of(tokens[0])
        return None if table is None else Star(table)
    column = parse_column_name(tokens)
    if column is not None:
        return column
    function = keyword(tokens[0])
    cursor = Cursor(tokens[1:])
    if cursor.peek().text != "(":
        return None
    inner = cursor.group()
    if not cursor.is_done:
        return None
    if function == "CAST":
        return _parse_cast(inner)
    if function in _AGGREGATES:
        return Aggregate(tokens[0].text, parse_column_name(inner))
    return None


def _parse_single(token: Token) -> Expression | None:
    word = keyword(token)
    if token.text == "*":
        return Star(None)
    if token.kind is TokenKind.STRING or word in _TIMES:
        return Literal(DataType.TEXT)
    if token.kind is TokenKind.BLOB:
        return Literal(DataType.BLOB)
    if token.kind is TokenKind.NUMBER:
        is_integer = token.text.replace("_", "").isdigit() or token.text[:2] in ("0x", "0X")
        return Literal(DataType.INTEGER if is_integer else DataType.REAL)
    if word == "NULL":
        return Literal(DataType.ANY)
    return parse_column_name([token])


def _parse_cast(tokens: Sequence[Token]) -> Cast | None:
    if len(tokens) < 3 or keyword(tokens[-2]) != "AS" or is_quoted(tokens[-1]):
        return None
    type_name = tokens[-1].text.upper()
    return Cast(type_name) if type_name in _CAST_TYPES else None


def parse_column_name(tokens: Sequence[Token]) -> ColumnName | None:
    """Read ``column`` or ``table.column``; None if it is something else."""
    if not all(token.kind is TokenKind.IDENTIFIER for token in tokens[::2]):
        return None
    names = [name_of(token) for token in tokens[::2]]
    match len(tokens), names:
        case 1, [str(name)]:
            return ColumnName(None, name)
        case 3, [str(table), str(name)] if tokens[1].text == ".":
            return ColumnName(table, name)
    return None
