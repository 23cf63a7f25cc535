"""
Column definitions: the part between two commas of a ``CREATE TABLE`` statement.

A column's meaning for a record API hangs on the order of its constraints, so they are kept in the
order of the source.
"""

from trailbase_server.schema.canonical import canonical_text
from trailbase_server.schema.cursor import Cursor, split_list
from trailbase_server.schema.lexer import (
    RESERVED,
    Token,
    TokenKind,
    is_name,
    keyword,
    name_of,
    unquote,
)
from trailbase_server.schema.model import (
    Affinity,
    Check,
    Collate,
    Column,
    ColumnOption,
    ConflictClause,
    DataType,
    Default,
    Generated,
    NotNull,
    Null,
    References,
    ReferentialAction,
    Unique,
)

_DATA_TYPES = {
    "ANY": DataType.ANY,
    "BLOB": DataType.BLOB,
    "TEXT": DataType.TEXT,
    "INTEGER": DataType.INTEGER,
    "INT": DataType.INTEGER,
    "REAL": DataType.REAL,
}
_CONFLICTS = {clause.value.upper(): clause for clause in ConflictClause}
_SIGNS = ("+", "-")


def parse_data_type(type_name: str) -> DataType:
    """
    Give the storage class of a declared type; anything unknown is ``ANY``.

    Spec:
        sqlite/create-table-table
    """
    return _DATA_TYPES.get(type_name.upper(), DataType.ANY)


def parse_affinity(type_name: str) -> Affinity:
    """
    Give SQLite's affinity of a declared type.

    Spec:
        sqlite/create-table-table
    """
    name = type_name.upper()
    if "INT" in name:
        return Affinity.INTEGER
    if "CHAR" in name or "CLOB" in name or "TEXT" in name:
        return Affinity.TEXT
    if not name or "BLOB" in name:
        return Affinity.BLOB
    if "REAL" in name or "FLOA" in name or "DOUB" in name:
        return Affinity.REAL
    return Affinity.NUMERIC


def make_column(name: str, type_name: str, options: tuple[ColumnOption, ...] = ()) -> Column:
    """Make a column of a declared type."""
    return Column(name, type_name, parse_data_type(type_name), parse_affinity(type_name), options)


def parse_column(cursor: Cursor) -> Column:
    """
    Read a column definition.

    Args:
        cursor: Stands at the column's name; is moved to the comma or parenthesis behind.

    Raises:
        SchemaSyntaxError: It is no column definition.

    Spec:
        sqlite/create-table-table
    """
    name = cursor.name()
    type_name = _parse_type(cursor)
    options: list[ColumnOption] = []
    while not cursor.is_done and cursor.peek().text not in (",", ")"):
        if not _skip_unkept(cursor):
            options.append(_parse_option(cursor))
    return make_column(name, type_name, tuple(options))


def _parse_type(cursor: Cursor) -> str:
    words: list[str] = []
    while is_name(cursor.peek()) and cursor.word() not in RESERVED:
        # Without AS these words are a type, like any others.
        if [cursor.word(ahead) for ahead in range(3)] == ["GENERATED", "ALWAYS", "AS"]:
            break
        words.append(unquote(cursor.take().text))
    if words and cursor.peek().text == "(":
        cursor.group()
    return " ".join(words)


def _skip_unkept(cursor: Cursor) -> bool:
    """Step over what the model does not keep: names of constraints, deferrability by itself."""
    if cursor.accept("CONSTRAINT"):
        cursor.name()
        return True
    if cursor.accept("DEFERRABLE") or cursor.accept("NOT", "DEFERRABLE"):
        _parse_initially(cursor)
        return True
    return False


def _parse_option(cursor: Cursor) -> ColumnOption:
    token = cursor.take()
    match keyword(token):
        case "NULL":
            parse_conflict(cursor)
            return Null()
        case "NOT":
            cursor.expect("NULL")
            parse_conflict(cursor)
            return NotNull()
        case "DEFAULT":
            return Default(canonical_text(_parse_default(cursor)))
        case "PRIMARY":
            return _parse_primary_key(cursor)
        case "UNIQUE":
            return Unique(is_primary=False, conflict_clause=parse_conflict(cursor))
        case "CHECK":
            expr = canonical_text(cursor.group())
            parse_conflict(cursor)
            return Check(expr)
        case "REFERENCES":
            return parse_references(cursor)
        case "COLLATE":
            return Collate(cursor.name())
        case "GENERATED":
            cursor.expect("ALWAYS", "AS")
            return _parse_generated(cursor)
        case "AS":
            return _parse_generated(cursor)
    cursor.at -= 1
    raise cursor.error("a column constraint")


def _parse_default(cursor: Cursor) -> list[Token]:
    start = cursor.at
    if cursor.peek().text == "(":
        cursor.group()
    else:
        if cursor.peek().text in _SIGNS:
            cursor.take()
        if cursor.take().kind in (TokenKind.OPERATOR, TokenKind.PARAMETER):
            cursor.at -= 1
            raise cursor.error("a default value")
    return list(cursor.tokens[start : cursor.at])


def _parse_primary_key(cursor: Cursor) -> Unique:
    cursor.expect("KEY")
    cursor.one_of(("ASC", "DESC"))
    conflict = parse_conflict(cursor)
    return Unique(True, conflict, autoincrement=cursor.accept("AUTOINCREMENT"))


def _parse_generated(cursor: Cursor) -> Generated:
    expr = canonical_text(cursor.group())
    mode = cursor.one_of(("VIRTUAL", "STORED"))
    return Generated(expr, mode.capitalize() or None)


def parse_conflict(cursor: Cursor) -> ConflictClause | None:
    """Read ``ON CONFLICT …`` if it is there."""
    if not cursor.accept("ON", "CONFLICT"):
        return None
    word = cursor.one_of(_CONFLICTS)
    if not word:
        raise cursor.error("a conflict clause")
    return _CONFLICTS[word]


def parse_name_list(cursor: Cursor) -> tuple[str, ...]:
    """Read ``(a, b COLLATE c DESC, …)``; only the names are kept."""
    names = []
    start = cursor.at
    for item in split_list(cursor.group()):
        # SQLite allows a name in parentheses here.
        name = next((name_of(token) for token in item if token.text not in ("(", ")")), None)
        if name is None:
            cursor.at = start
            raise cursor.error("column names")
        names.append(name)
    return tuple(names)


def parse_references(cursor: Cursor) -> References:
    """Read what stands behind ``REFERENCES``."""
    table = cursor.name()
    columns = parse_name_list(cursor) if cursor.peek().text == "(" else ()
    on_delete = on_update = None
    while True:
        if cursor.accept("ON", "DELETE"):
            on_delete = _parse_action(cursor)
        elif cursor.accept("ON", "UPDATE"):
            on_update = _parse_action(cursor)
        elif cursor.accept("ON", "INSERT"):
            _parse_action(cursor)
        elif cursor.accept("MATCH"):
            cursor.name()
        else:
            break
    deferrable = None
    start = cursor.at
    if cursor.accept("DEFERRABLE") or cursor.accept("NOT", "DEFERRABLE"):
        _parse_initially(cursor)
        deferrable = " ".join(token.text.upper() for token in cursor.tokens[start : cursor.at])
    return References(table, columns, on_delete, on_update, deferrable)


def _parse_initially(cursor: Cursor) -> None:
    if cursor.accept("INITIALLY") and not cursor.one_of(("DEFERRED", "IMMEDIATE")):
        raise cursor.error("DEFERRED or IMMEDIATE")


def _parse_action(cursor: Cursor) -> ReferentialAction:
    for words, action in (
        (("SET", "NULL"), ReferentialAction.SET_NULL),
        (("SET", "DEFAULT"), ReferentialAction.SET_DEFAULT),
        (("NO", "ACTION"), ReferentialAction.NO_ACTION),
        (("CASCADE",), ReferentialAction.CASCADE),
        (("RESTRICT",), ReferentialAction.RESTRICT),
    ):
        if cursor.accept(*words):
            return action
    raise cursor.error("a referential action")
