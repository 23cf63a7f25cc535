"""
What a CHECK promises: which functions have vouched for a column's value.

A promise is a call that must be true (or its argument NULL) for the row to be stored:
``is_uuid (id)``, ``id IS NOT NULL AND is_uuid (id)``, ``place IS NULL OR ST_IsValid (place)``.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from trailbase_server.schema.lexer import (
    Token,
    TokenKind,
    keyword,
    outer_words,
    significant,
    tokenize,
)

MAX_DEPTH = 50  # levels of AND within OR; nobody hides a promise deeper


class Call(Struct, frozen=True):
    """
    A function call in an expression.

    Attributes:
        function: Name in lower case.
        arguments: Tokens between the parentheses.
    """

    function: str
    arguments: Sequence[Token]


def promised_calls(expr: str) -> Iterator[Call]:
    """
    Find the calls a CHECK makes sure of, and the one it begins with.

    Args:
        expr: Text of the CHECK without its parentheses.

    Spec:
        sqlite/record-primary-key-of-a-table
        sqlite/column-roles-from-column-level-checks-only
    """
    tokens = significant(tokenize(expr))
    if len(tokens) > 1 and keyword(tokens[0]) and tokens[1].text == "(":
        yield Call(tokens[0].text.lower(), _inside(tokens, 1))
    yield from _promised(tokens)


def all_calls(expr: str) -> Iterator[Call]:
    """Find every call in an expression, in the order of the text."""
    tokens = significant(tokenize(expr))
    for at, token in enumerate(tokens[:-1]):
        if keyword(token) and tokens[at + 1].text == "(":
            yield Call(token.text.lower(), _inside(tokens, at + 1))


def mentioned_names(expr: str) -> Iterator[Token]:
    """Find the tokens of an expression that may be names of columns."""
    tokens = significant(tokenize(expr))
    for at, token in enumerate(tokens):
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if token.kind is TokenKind.IDENTIFIER and following not in ("(", "."):
            yield token


def _inside(tokens: Sequence[Token], opening: int) -> Sequence[Token]:
    """Give what stands between a parenthesis and its partner, or the end."""
    return tokens[opening + 1 : _partner(tokens, opening)]


def _partner(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for at in range(opening, len(tokens)):
        depth += (tokens[at].text == "(") - (tokens[at].text == ")")
        if depth == 0:
            return at
    return len(tokens)


def _promised(tokens: Sequence[Token], depth: int = 0) -> Iterator[Call]:
    while tokens and tokens[0].text == "(" and _partner(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    if depth > MAX_DEPTH:
        return
    cases = _split(tokens, "OR")
    if len(cases) > 1:
        cases = [case for case in cases if not _is_null_test(case)]
        if len(cases) == 1:
            yield from _promised(cases[0], depth + 1)
        return
    parts = _split(tokens, "AND")
    if len(parts) > 1:
        for part in parts:
            yield from _promised(part, depth + 1)
    elif _is_call(tokens):
        yield Call(tokens[0].text.lower(), tokens[2:-1])


def _is_call(tokens: Sequence[Token]) -> bool:
    """Is the whole expression a call?"""
    return (
        len(tokens) > 2
        and bool(keyword(tokens[0]))
        and tokens[1].text == "("
        and _partner(tokens, 1) == len(tokens) - 1
    )


def _split(tokens: Sequence[Token], separator: str) -> list[Sequence[Token]]:
    """Split at a keyword outside of parentheses, CASE and BETWEEN."""
    parts: list[Sequence[Token]] = []
    start = 0
    for at, word in outer_words(tokens):
        if word == separator:
            parts.append(tokens[start:at])
            start = at + 1
    parts.append(tokens[start:])
    return parts


def _is_null_test(tokens: Sequence[Token]) -> bool:
    tail = [keyword(token) for token in tokens[1:]]
    return tail in (["IS", "NULL"], ["ISNULL"])
