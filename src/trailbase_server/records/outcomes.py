"""
Whether an access rule can hold at all, and whether it can fail: answered without any record.

A rule is taken apart along AND, OR and NOT. A condition that only compares columns of the magic
relations with each other and with literals is *understood*; for any other one (a sub-query, a
function, arithmetic) it is assumed that it may be true, false or NULL as it likes. The database
then looks for a combination of values with the wanted outcome. Values are chosen so that none is
left out that could make a difference: for each column the literals of the rule, their neighbours
and some that occur nowhere. So "impossible" can be relied on; "possible" may also mean that nobody
knows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod

from trailbase_server.db.errors import DatabaseError, OverBudgetError
from trailbase_server.db.values import SqlValue
from trailbase_server.records.access import Read
from trailbase_server.records.columns import MAX_INTEGER, MIN_INTEGER, ApiColumn
from trailbase_server.records.rules import (
    FIELDS,
    REQUEST,
    ROW,
    USER,
    find_mentions,
    significant_tokens,
)
from trailbase_server.schema.lexer import (
    SchemaSyntaxError,
    Token,
    TokenKind,
    keyword,
    outer_words,
    unquote,
)
from trailbase_server.schema.model import DataType

MAX_COMBINATIONS = 200_000  # of values: a tenth of a second; more are not tried
MAX_DEPTH = 50  # nested conditions; SQLite itself stops at 1,000

_USERS: tuple[SqlValue, ...] = (b"\x01" * 16, b"\x02" * 16)
_STRANGER = b"\x03" * 16  # a key that is nobody's
_COMPARING = frozenset(("=", "==", "<>", "!=", "<", ">", "<=", ">=", "(", ")", ","))
_WORDS = frozenset(
    ("IS", "NOT", "NULL", "IN", "BETWEEN", "AND", "TRUE", "FALSE", "ISNULL", "NOTNULL")
)
_QUERIES = ("SELECT", "WITH", "VALUES")
_CASTS: Mapping[DataType, str] = {
    DataType.INTEGER: "INTEGER",
    DataType.REAL: "REAL",
    DataType.TEXT: "TEXT",
    DataType.BLOB: "BLOB",
}


class Caller(StrEnum):
    """Who asks."""

    ANONYMOUS = "anonymous"
    USER = "user"


@dataclass(slots=True)
class _Variable:
    """Something with a value: its name in the statement, what it may be, and its affinity."""

    name: str
    values: list[SqlValue]
    cast: str | None = None


@dataclass(slots=True)
class _Analysis:
    tokens: Sequence[Token]
    columns: Mapping[str, ApiColumn]
    caller: Caller
    variables: dict[tuple[str, str], _Variable] = field(default_factory=dict)


def is_possible(
    text: str,
    columns: Mapping[str, ApiColumn],
    caller: Caller,
    read: Read,
    *,
    fails: bool = False,
) -> bool:
    """
    Look for values with which a rule grants or denies access.

    Args:
        text: A rule that compiles; several may be combined with AND, each in parentheses.
        columns: All columns of the table by their names in lower case.
        caller: Who asks.
        read: Runs a statement on any connection.
        fails: Look for values with which it denies.

    Returns:
        False only if there are none.
    """
    try:
        tokens = significant_tokens(text)
    except SchemaSyntaxError:
        return True
    analysis = _Analysis(tokens, columns, caller)
    condition = f"CAST(({_expression(analysis, 0, len(tokens), 0)}) AS INTEGER)"
    variables = list(analysis.variables.values())
    if prod(len(variable.values) for variable in variables) > MAX_COMBINATIONS:
        return True
    checks = [f"{condition} IS NOT TRUE" if fails else condition, *_sent_together(analysis)]
    relations = ", ".join(map(_relation, variables))
    source = f" FROM {relations}" if relations else ""
    # The rule is the operator's, its values are bound.
    sql = f"SELECT 1{source} WHERE {' AND '.join(checks)} LIMIT 1"
    try:
        return bool(read(sql, [value for variable in variables for value in variable.values]))
    except (DatabaseError, OverBudgetError):
        return True


def is_left_to_query(text: str, relation: str, column: str) -> bool:
    """
    Does a condition that is not understood look at a column?

    Args:
        text: A rule.
        relation: One of ``rules.MAGIC_NAMES``.
        column: Its name; empty for any.
    """
    try:
        tokens = significant_tokens(text)
    except SchemaSyntaxError:
        return True
    analysis = _Analysis(tokens, {}, Caller.USER)  # without columns nothing is understood …
    wanted = column.lower()
    for low, high in _conditions(analysis, 0, len(tokens), 0):
        if _is_comparison(analysis, low, high):  # … but its form is
            continue
        for token, mention in zip(tokens[low:high], find_mentions(tokens)[low:high], strict=True):
            is_bare = relation == ROW and token.kind is TokenKind.IDENTIFIER
            if mention.relation == relation and wanted in ("", mention.column):
                return True
            if is_bare and wanted and unquote(token.text).lower() == wanted:
                return True
    return False


def named_fields(text: str) -> list[str]:
    """List the names that a rule looks up in ``_REQ_FIELDS_``."""
    try:
        tokens = significant_tokens(text)
    except SchemaSyntaxError:
        return []
    found = []
    for at, mention in enumerate(find_mentions(tokens)):
        if mention.relation != FIELDS or at < 2 or keyword(tokens[at - 1]) != "IN":
            continue
        left = at - 3 if keyword(tokens[at - 2]) == "NOT" else at - 2
        if left >= 0 and tokens[left].kind is TokenKind.STRING:
            found.append(unquote(tokens[left].text))
    return found


def _relation(variable: _Variable) -> str:
    rows = ", ".join(["(?)"] * len(variable.values))
    value = f"CAST(column1 AS {variable.cast})" if variable.cast else "column1"
    return f"(SELECT {value} AS x FROM (VALUES {rows})) AS {variable.name}"  # noqa: S608  # names of ours


def _sent_together(analysis: _Analysis) -> Iterator[str]:
    """A value in the request is one of its fields."""
    for (relation, name), variable in analysis.variables.items():
        listed = analysis.variables.get((FIELDS, name))
        if relation == REQUEST and listed is not None:
            yield f"({listed.name}.x = 1 OR {variable.name}.x IS NULL)"


def _expression(analysis: _Analysis, low: int, high: int, depth: int) -> str:
    """Render tokens as a condition over the variables."""
    parts, glue = _split(analysis.tokens, low, high)
    if depth < MAX_DEPTH:
        if glue:
            inner = (_expression(analysis, one, end, depth + 1) for one, end in parts)
            return f" {glue} ".join(f"({part})" for part in inner)
        if low < high and keyword(analysis.tokens[low]) == "NOT":
            return f"NOT ({_expression(analysis, low + 1, high, depth + 1)})"
        if _is_group(analysis.tokens, low, high):
            return _expression(analysis, low + 1, high - 1, depth + 1)
    return _condition(analysis, low, high)


def _conditions(analysis: _Analysis, low: int, high: int, depth: int) -> Iterator[tuple[int, int]]:
    parts, glue = _split(analysis.tokens, low, high)
    if depth >= MAX_DEPTH:
        yield low, high
    elif glue:
        for one, end in parts:
            yield from _conditions(analysis, one, end, depth + 1)
    elif low < high and keyword(analysis.tokens[low]) == "NOT":
        yield from _conditions(analysis, low + 1, high, depth + 1)
    elif _is_group(analysis.tokens, low, high):
        yield from _conditions(analysis, low + 1, high - 1, depth + 1)
    else:
        yield low, high


def _split(tokens: Sequence[Token], low: int, high: int) -> tuple[list[tuple[int, int]], str]:
    """Split at the operators that bind least: OR, else AND; no glue: there are none."""
    places: dict[str, list[int]] = {"OR": [], "AND": []}
    for at, word in outer_words(tokens[low:high]):
        if word in places:
            places[word].append(low + at)
    for glue, found in places.items():
        if found:
            return list(zip([low, *(at + 1 for at in found)], [*found, high], strict=True)), glue
    return [(low, high)], ""


def _is_group(tokens: Sequence[Token], low: int, high: int) -> bool:
    """Is this one condition in parentheses?"""
    if high - low < 3 or tokens[low].text != "(" or keyword(tokens[low + 1]) in _QUERIES:
        return False
    depth = 0
    for at in range(low, high):
        depth += (tokens[at].text == "(") - (tokens[at].text == ")")
        if depth == 0:
            return at == high - 1
        if depth == 1 and tokens[at].text == ",":
            return False
    return False


def _is_comparison(analysis: _Analysis, low: int, high: int) -> bool:
    """Does a condition consist of nothing but columns, literals and comparing words?"""
    tokens, mentions = analysis.tokens, find_mentions(analysis.tokens)
    at = low
    while at < high:
        token, mention = tokens[at], mentions[at]
        if mention.relation == FIELDS:
            return _is_lookup(tokens, low, high)
        if mention.relation:
            if not mention.column:
                return False
            at += 3
            continue
        is_literal = token.kind in (TokenKind.STRING, TokenKind.NUMBER, TokenKind.BLOB)
        is_sign = (
            token.text == "-" and _is_number(tokens, at + 1, high) and _is_open(tokens, low, at)
        )
        if not (is_literal or is_sign or token.text in _COMPARING or keyword(token) in _WORDS):
            return False
        at += 1
    return low < high


def _is_number(tokens: Sequence[Token], at: int, high: int) -> bool:
    return at < high and tokens[at].kind is TokenKind.NUMBER


def _is_open(tokens: Sequence[Token], low: int, at: int) -> bool:
    """Does an operand begin here?"""
    return (
        at == low
        or tokens[at - 1].text in _COMPARING - {")"}
        or bool(keyword(tokens[at - 1]) in _WORDS - {"NULL", "TRUE", "FALSE"})
    )


def _is_lookup(tokens: Sequence[Token], low: int, high: int) -> bool:
    """Is this ``'name' [NOT] IN _REQ_FIELDS_``?"""
    words = [keyword(token) for token in tokens[low + 1 : high - 1]]
    return tokens[low].kind is TokenKind.STRING and words in (["IN"], ["NOT", "IN"])


def _condition(analysis: _Analysis, low: int, high: int) -> str:
    tokens = analysis.tokens
    mentions = find_mentions(tokens)
    if not _is_comparison(analysis, low, high):
        return _anything(analysis, low, high)
    if mentions[high - 1].relation == FIELDS:
        name = unquote(tokens[low].text).lower()
        values: list[SqlValue] = [0, 1] if name in analysis.columns else [0]
        variable = _variable(analysis, (FIELDS, name), values)
        return f"{variable}.x = {int(high - low == 3)}"
    words = []
    at = low
    while at < high:
        mention = mentions[at]
        if not mention.relation:
            words.append(tokens[at].text)
            at += 1
            continue
        variable_name = _column(analysis, mention.relation, mention.column)
        if variable_name is None:
            return _anything(analysis, low, high)
        words.append(f"{variable_name}.x")
        at += 3
    return " ".join(words)


def _anything(analysis: _Analysis, low: int, high: int) -> str:
    """A condition that may be whatever it likes; the same text is the same condition."""
    tokens = analysis.tokens[low:high]
    mentions = find_mentions(analysis.tokens)[low:high]
    text = " ".join(token.text for token in tokens)
    values: list[SqlValue] = [0, 1, None]
    if analysis.caller is Caller.ANONYMOUS and any(m.relation == USER for m in mentions):
        values = [0]  # what is looked up for nobody is not found
    return f"{_variable(analysis, ('', text), values)}.x"


def _column(analysis: _Analysis, relation: str, name: str) -> str | None:
    """The variable of a column of a magic relation; None if there is no such column."""
    if relation == USER:
        if name != "id":
            return None
        users: list[SqlValue] = [*_USERS, *_literals(analysis.tokens, DataType.BLOB)]
        known: list[SqlValue] = users if analysis.caller is Caller.USER else [None]
        return _variable(analysis, (USER, "id"), known)
    column = analysis.columns.get(name)
    if column is None:
        return None
    values = _domain(analysis.tokens, column.data_type)
    if relation == REQUEST or column.nullable:
        values.append(None)
    # What is bound has no affinity, what is stored has that of its column.
    cast = _CASTS.get(column.data_type) if relation == ROW else None
    return _variable(analysis, (relation, name), values, cast)


def _variable(
    analysis: _Analysis, key: tuple[str, str], values: list[SqlValue], cast: str | None = None
) -> str:
    found = analysis.variables.get(key)
    if found is None:
        found = _Variable(f"v{len(analysis.variables)}", list(dict.fromkeys(values)), cast)
        analysis.variables[key] = found
    return found.name


def _domain(tokens: Sequence[Token], data_type: DataType) -> list[SqlValue]:
    """Values of a type of which one at least stands for each that there can be."""
    if data_type is DataType.ANY:
        return [value for one in _CASTS for value in _domain(tokens, one)]
    return [*_FRESH[data_type](), *_literals(tokens, data_type)]


_FRESH: Mapping[DataType, Callable[[], list[SqlValue]]] = {
    DataType.INTEGER: lambda: [-1, 0, 1, 2],
    DataType.REAL: lambda: [-1.0, 0.0, 0.5, 1.0],
    DataType.TEXT: lambda: ["", "a", "b", "\U0010ffff"],
    DataType.BLOB: lambda: [*_USERS, _STRANGER, b""],
}


def _literals(tokens: Sequence[Token], data_type: DataType) -> list[SqlValue]:
    """The literals of a rule as values of a type, with their neighbours."""
    found: list[SqlValue] = []
    for token in tokens:
        if token.kind is TokenKind.BLOB and data_type is DataType.BLOB:
            value = bytes.fromhex(token.text[2:-1])
            found += [value, value + b"\0"]
        elif token.kind in (TokenKind.STRING, TokenKind.NUMBER):
            is_text = token.kind is TokenKind.STRING
            text = unquote(token.text) if is_text else token.text
            found += _neighbours(text, data_type)
    return found


def _neighbours(text: str, data_type: DataType) -> list[SqlValue]:
    if data_type is DataType.TEXT:
        return [text, text + "a"]
    try:
        number = float(text) if "x" not in text.lower() else float(int(text, 16))
        whole = int(number)
    except (ValueError, OverflowError):
        return []
    if data_type is DataType.INTEGER:
        around = [sign * (whole + step) for sign in (1, -1) for step in (-2, -1, 0, 1, 2)]
        return [value for value in around if MIN_INTEGER <= value <= MAX_INTEGER]
    if data_type is DataType.REAL:
        return [sign * (number + step) for sign in (1, -1) for step in (-0.5, 0.0, 0.5)]
    return []
