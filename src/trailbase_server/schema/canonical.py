"""
Expressions and queries in one spelling: one blank between tokens, keywords in capitals.

Clients look at the beginning of these texts (``jsonschema ('std.FileUpload'``), so the spacing is
part of the wire. Most keywords may be names in SQLite, hence a word is only taken for a keyword
where one can stand: reserved words always, operators like LIKE after an operand, CAST and the like
before an operand. All other words stay as written.
"""

from collections.abc import Sequence

from trailbase_server.schema.lexer import (
    RESERVED,
    SchemaSyntaxError,
    Token,
    TokenKind,
    keyword,
    significant,
    tokenize,
)

_TIMES = frozenset(("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"))
# Keywords where an operand begins, and those that do so only before a parenthesis.
_PREFIX_WORDS = _TIMES | {"WITH"}
_CALL_WORDS = frozenset(("CAST", "RAISE"))
# Keywords that follow an operand.
_INFIX_WORDS = frozenset(
    "LIKE GLOB REGEXP MATCH END ASC DESC NULLS FIRST LAST OFFSET OVER FILTER WINDOW BY "  # noqa: SIM905 one word a line is too long
    "PARTITION RANGE ROWS GROUPS PRECEDING FOLLOWING UNBOUNDED CURRENT ROW EXCLUDE TIES OTHERS NO "
    "CROSS INNER LEFT RIGHT FULL NATURAL OUTER RECURSIVE MATERIALIZED INDEXED".split()
)
# A clause that begins like an operand, which after these words is none.
_BY_WORDS = frozenset(("ORDER", "GROUP", "PARTITION"))
_OPERAND_KEYWORDS = frozenset(("NULL", "END", "ISNULL", "NOTNULL")) | _TIMES
_NO_BLANK_BEFORE = frozenset((",", ";", ")", "."))
_NO_BLANK_AFTER = frozenset(("(", "."))
_SPELLINGS = {"==": "=", "!=": "<>"}


def canonical_text(tokens: Sequence[Token]) -> str:
    """
    Spell an expression or a query the canonical way.

    Args:
        tokens: Without comments.

    Returns:
        The same SQL: names, literals and parentheses as written.

    Spec:
        sqlite/canonical-sql-text-w
    """
    parts: list[str] = []
    after_operand = False
    glue = True
    at = 0
    while at < len(tokens):
        word, is_operand, used = _spell(tokens, at, after_operand)
        if not glue and word not in _NO_BLANK_BEFORE:
            parts.append(" ")
        parts.append(word)
        # No blank after a blob either: so did the server whose texts clients know.
        glue = word in _NO_BLANK_AFTER or tokens[at].kind is TokenKind.BLOB
        after_operand = is_operand
        at += used
    return "".join(parts)


def _spell(tokens: Sequence[Token], at: int, after_operand: bool) -> tuple[str, bool, int]:
    """Give spelling, whether an operand ends here, and the number of tokens it stands for."""
    token = tokens[at]
    if token.kind is TokenKind.OPERATOR:
        return _SPELLINGS.get(token.text, token.text), token.text == ")", 1
    word = keyword(token)
    if not word:
        return token.text, True, 1
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if (at and tokens[at - 1].text == ".") or (following is not None and following.text == "."):
        return token.text, True, 1
    if word == "NOT" and after_operand and following is not None and keyword(following) == "NULL":
        return "NOTNULL", True, 2
    if word in RESERVED:
        return word, word in _OPERAND_KEYWORDS, 1
    if at and keyword(tokens[at - 1]) == "AS":
        return token.text, True, 1
    if _is_keyword_here(word, tokens, at, after_operand):
        return word, word in _OPERAND_KEYWORDS, 1
    return token.text, True, 1


def _is_keyword_here(word: str, tokens: Sequence[Token], at: int, after_operand: bool) -> bool:
    before = keyword(tokens[at - 1]) if at else ""
    following = tokens[at + 1].text if at + 1 < len(tokens) else ""
    if word in _CALL_WORDS:
        return following == "("
    if word == "BY":
        return before in _BY_WORDS
    if word in _PREFIX_WORDS and not after_operand:
        return True
    # ``NOT LIKE``: NOT expects an operand, but nothing else can follow it here.
    infix = after_operand or (before == "NOT" and at >= 2)
    return infix and word in _INFIX_WORDS


def check_expression(text: str) -> list[Token]:
    """
    Make sure that a text put into a statement as one expression stays one.

    Args:
        text: Text of a CHECK, a default or a predicate.

    Returns:
        Its tokens without comments.

    Raises:
        SchemaSyntaxError: Empty, unbalanced, with parameters, or with a separator outside of
            parentheses.

    Spec:
        sqlite/model-sql-used-by-create-alter-table-and-index
    """
    tokens = significant(tokenize(text))
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        separates = token.text == ";" or (token.text == "," and depth == 0)
        if depth < 0 or separates or token.kind is TokenKind.PARAMETER:
            raise SchemaSyntaxError(f"unexpected '{token.text}' in an expression", token.start)
    if not tokens or depth:
        raise SchemaSyntaxError("incomplete expression", len(text))
    return tokens
