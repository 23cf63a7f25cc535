"""
Models as SQL: the statements that create a table or an index.

Names are quoted; texts inside (types, checks, defaults) come from whoever edits the schema, and are
only taken if they stay what they are called: one type, one expression.
"""

from collections.abc import Iterable, Iterator, Sequence

from trailbase_server.db.dialect import quote, quote_qualified
from trailbase_server.schema.canonical import canonical_text, check_expression
from trailbase_server.schema.lexer import (
    RESERVED,
    SchemaSyntaxError,
    Token,
    TokenKind,
    keyword,
    tokenize,
)
from trailbase_server.schema.model import (
    Check,
    Collate,
    Column,
    ColumnOption,
    ConflictClause,
    Default,
    ForeignKey,
    Generated,
    Index,
    IndexColumn,
    NotNull,
    Null,
    References,
    ReferentialAction,
    Table,
    Unique,
    UniqueConstraint,
)

_ACTIONS = {
    ReferentialAction.RESTRICT: "RESTRICT",
    ReferentialAction.CASCADE: "CASCADE",
    ReferentialAction.SET_NULL: "SET NULL",
    ReferentialAction.NO_ACTION: "NO ACTION",
    ReferentialAction.SET_DEFAULT: "SET DEFAULT",
}
_DEFERRABLE = frozenset(
    f"{no}DEFERRABLE{initially}"
    for no in ("", "NOT ")
    for initially in ("", " INITIALLY DEFERRED", " INITIALLY IMMEDIATE")
)

_NO_TYPE = RESERVED | {"", "GENERATED"}


def render_table(table: Table) -> str:
    """
    Render a ``CREATE TABLE`` statement.

    Args:
        table: Not a virtual one.

    Returns:
        The statement without semicolon; parsing it gives the same model.

    Raises:
        SchemaSyntaxError: A text of the model is not what it should be, or there are no columns.

    Spec:
        sqlite/model-sql-used-by-create-alter-table-and-index
    """
    if table.virtual_table or not table.columns:
        raise SchemaSyntaxError("a table without columns cannot be created")
    parts = [
        *map(render_column, table.columns),
        *map(_render_unique, table.unique),
        *map(_render_foreign_key, table.foreign_keys),
        *(_named(check.name, f"CHECK ({_expression(check.expr)})") for check in table.checks),
    ]
    options = [
        text
        for text, is_on in (("STRICT", table.strict), ("WITHOUT ROWID", table.without_rowid))
        if is_on
    ]
    temporary = " TEMPORARY" if table.temporary else ""
    schema = None if table.temporary else table.name.database_schema
    name = quote_qualified(schema, table.name.name)
    tail = f" {', '.join(options)}" if options else ""
    return f"CREATE{temporary} TABLE {name} ({', '.join(parts)}){tail}"


def render_column(column: Column) -> str:
    """
    Render a column definition.

    Raises:
        SchemaSyntaxError: A text of the model is not what it should be.

    Spec:
        sqlite/model-sql-used-by-create-alter-table-and-index
    """
    words = [quote(column.name)]
    if column.type_name:
        words.append(_type(column.type_name))
    words += map(_render_option, column.options)
    return " ".join(words)


def _render_option(option: ColumnOption) -> str:
    match option:
        case Null():
            return "NULL"
        case NotNull():
            return "NOT NULL"
        case Default(sql=sql):
            return f"DEFAULT {_default(sql)}"
        case Unique(is_primary=is_primary, conflict_clause=clause, autoincrement=autoincrement):
            words = "PRIMARY KEY" if is_primary else "UNIQUE"
            return f"{words}{_conflict(clause)}{' AUTOINCREMENT' if autoincrement else ''}"
        case References():
            return _references(option)
        case Check(expr=expr):
            return f"CHECK ({_expression(expr)})"
        case Generated(expr=expr, mode=mode):
            if mode not in (None, "Virtual", "Stored"):
                raise SchemaSyntaxError(f"unknown kind of generated column: {mode}")
            tail = f" {mode.upper()}" if mode else ""
            return f"GENERATED ALWAYS AS ({_expression(expr)}){tail}"
        case Collate(name=name):
            return f"COLLATE {quote(name)}"


def _render_unique(constraint: UniqueConstraint) -> str:
    words = "PRIMARY KEY" if constraint.is_primary else "UNIQUE"
    text = f"{words} ({_names(constraint.columns)}){_conflict(constraint.conflict_clause)}"
    return _named(constraint.name, text)


def _render_foreign_key(key: ForeignKey) -> str:
    return _named(key.name, f"FOREIGN KEY ({_names(key.columns)}) {_references(key)}")


def _references(key: References | ForeignKey) -> str:
    words = [f"REFERENCES {quote(key.foreign_table)}"]
    if key.referred_columns:
        words[0] += f"({_names(key.referred_columns)})"
    if key.on_delete is not None:
        words.append(f"ON DELETE {_ACTIONS[key.on_delete]}")
    if key.on_update is not None:
        words.append(f"ON UPDATE {_ACTIONS[key.on_update]}")
    if key.deferrable is not None:
        if key.deferrable not in _DEFERRABLE:
            raise SchemaSyntaxError(f"unknown clause: {key.deferrable}")
        words.append(key.deferrable)
    return " ".join(words)


def render_index(index: Index, *, if_not_exists: bool = False) -> str:
    """
    Render a ``CREATE INDEX`` statement.

    Returns:
        The statement without semicolon; parsing it gives the same model.

    Raises:
        SchemaSyntaxError: A text of the model is not what it should be, or there are no columns.

    Spec:
        sqlite/model-sql-used-by-create-alter-table-and-index
    """
    if not index.columns:
        raise SchemaSyntaxError("an index without column")
    name = quote_qualified(index.name.database_schema, index.name.name)
    words = ["CREATE UNIQUE INDEX" if index.unique else "CREATE INDEX"]
    if if_not_exists:
        words.append("IF NOT EXISTS")
    columns = ", ".join(map(_render_index_column, index.columns))
    words.append(f"{name} ON {quote(index.table_name)} ({columns})")
    if index.predicate is not None:
        words.append(f"WHERE {_expression(index.predicate)}")
    return " ".join(words)


def _render_index_column(column: IndexColumn) -> str:
    name = column.column_name
    text = _expression(name) if column.is_expression else quote(name)
    if column.ascending is not None:
        text += " ASC" if column.ascending else " DESC"
    if column.nulls_first is not None:
        text += " NULLS FIRST" if column.nulls_first else " NULLS LAST"
    return text


def _named(name: str | None, text: str) -> str:
    return text if name is None else f"CONSTRAINT {quote(name)} {text}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(quote, names))


def _conflict(clause: ConflictClause | None) -> str:
    return "" if clause is None else f" ON CONFLICT {clause.value.upper()}"


def _expression(text: str) -> str:
    # Spelled anew: an unfinished comment would swallow what follows.
    return canonical_text(check_expression(text))


def _default(text: str) -> str:
    """Make sure that a default is a literal, a signed number, a word or in parentheses."""
    tokens = check_expression(text)
    if not (_is_group(tokens) or _is_single(tokens)):
        raise SchemaSyntaxError(f"a default that is no literal needs parentheses: {text}")
    return _expression(text)


def _is_group(tokens: Sequence[Token]) -> bool:
    depths = list(_depths(tokens))
    return tokens[0].text == "(" and depths[-1] == 0 and 0 not in depths[:-1]


def _depths(tokens: Iterable[Token]) -> Iterator[int]:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        yield depth


def _is_single(tokens: Sequence[Token]) -> bool:
    if len(tokens) == 2 and tokens[0].text in ("+", "-"):
        return tokens[1].kind is TokenKind.NUMBER
    return len(tokens) == 1 and tokens[0].kind is not TokenKind.OPERATOR


def _type(text: str) -> str:
    """Quote a type where it is not made of plain words."""
    try:
        tokens = tokenize(text)
    except SchemaSyntaxError:
        return quote(text)
    words = [keyword(token) for token in tokens]
    is_plain = _NO_TYPE.isdisjoint(words) and text == " ".join(token.text for token in tokens)
    return text if is_plain else quote(text)
