"""
SQLite's tokens with their places in the text.

Words are one kind whether they are keywords or not: in SQLite most keywords may be names, so only
the grammar around a word can tell. ``keyword`` compares a word with a keyword, ``unquote`` gives
the name that a token means.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from trailbase_server.errors import BadRequestError


class SchemaSyntaxError(BadRequestError):
    """
    SQL text that is not what it should be: 400 with the place in the message.

    Args:
        message: What is wrong.
        position: Offset into the text, in characters; None where it has no single place.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        where = "" if position is None else f" at character {position + 1}"
        super().__init__(f"SQL syntax: {message}{where}")
        self.position = position


class TokenKind(StrEnum):
    """Kinds of tokens; blanks are none."""

    IDENTIFIER = "identifier"  # a bare word, keywords included, or "a", `a`, [a]
    STRING = "string"  # 'a', also taken for a name where only a name can stand
    BLOB = "blob"
    NUMBER = "number"
    PARAMETER = "parameter"
    OPERATOR = "operator"
    COMMENT = "comment"


class Token(NamedTuple):
    """
    A token as written.

    Attributes:
        kind: What it is.
        text: ``sql[start:end]``, quotes included.
        start, end: Offsets in characters.
    """

    kind: TokenKind
    text: str
    start: int
    end: int


# SQLite takes every character beyond ASCII for a letter. Said by what is none: classes with wide
# ranges take milliseconds to compile.
_LETTER = r"[^\x00-@\[-^`{-\x7f]"
_FOLLOWING = r"[^\x00-\#%-/:-@\[-^`{-\x7f]"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_TOKEN = re.compile(
    rf"""
    (?P<blank>[\ \t\n\f\r]+)
  | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<blob>[xX]'(?:[0-9A-Fa-f]{{2}})*')
  | (?P<badblob>[xX]')
  | (?P<identifier>{_LETTER}{_FOLLOWING}*|"[^"]*+(?:""[^"]*+)*+"|`[^`]*+(?:``[^`]*+)*+`|\[[^\]]*\])
  | (?P<string>'[^']*+(?:''[^']*+)*+')
  | (?P<number>(?:0[xX][0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*
      |(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)(?!{_FOLLOWING}))
  | (?P<parameter>\?[0-9]*|[@:]{_FOLLOWING}+|\${_FOLLOWING}+(?:::{_FOLLOWING}+)*(?:\([^)\s]*\))?)
  | (?P<operator>->>?|\|\||<<|>>|<=|>=|<>|==|!=|[-+*/%=<>&|~.,;()])
    """,
    re.VERBOSE | re.DOTALL,
)
# Words that SQLite never takes for a name unless quoted.
RESERVED = frozenset(
    "ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE "  # noqa: SIM905 one word a line is too long
    "DEFAULT DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING "
    "IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER "
    "PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING "
    "VALUES WHEN WHERE".split()
)
_OPENING = {"'": "string", '"': "quoted name", "`": "quoted name", "[": "quoted name"}


def tokenize(sql: str) -> list[Token]:
    """
    Split SQL text into tokens.

    Args:
        sql: Any number of statements; a byte-order mark at the start is a blank.

    Returns:
        Tokens in order, comments among them.

    Raises:
        SchemaSyntaxError: A character that begins no token, or a token without end.

    Spec:
        sqlite/schema-model
    """
    tokens = []
    at = 1 if sql.startswith("\ufeff") else 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        group = match.lastgroup if match else None
        if match is None or group is None or group == "badblob":
            raise SchemaSyntaxError(_describe(sql, at), at)
        if group != "blank":
            tokens.append(Token(TokenKind(group), match[0], at, match.end()))
        at = match.end()
    return tokens


def _describe(sql: str, at: int) -> str:
    character = sql[at]
    if character in _OPENING:
        return f"unterminated {_OPENING[character]}"
    if character in "xX":
        return "malformed blob"
    return "malformed number" if character.isdigit() else f"unexpected {character!r}"


def significant(tokens: Iterable[Token]) -> list[Token]:
    """Leave out comments."""
    return [token for token in tokens if token.kind is not TokenKind.COMMENT]


def is_name(token: Token) -> bool:
    """Can this token stand where a name is wanted? SQLite takes strings there as well."""
    return token.kind is TokenKind.IDENTIFIER or token.kind is TokenKind.STRING


def is_quoted(token: Token) -> bool:
    """Is this a quoted name, hence no keyword?"""
    return token.kind is TokenKind.IDENTIFIER and token.text[0] in '"`['


def keyword(token: Token) -> str:
    """Give a bare word in upper case, anything else as the empty string."""
    return token.text.upper() if token.kind is TokenKind.IDENTIFIER and not is_quoted(token) else ""


def outer_words(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """
    Find the bare words outside of parentheses and CASE, without the AND of a BETWEEN.

    Yields:
        Index and word in upper case: among them the operators that bind least.
    """
    depth = between = 0
    for at, token in enumerate(tokens):
        word = keyword(token)
        depth += (token.text == "(" or word == "CASE") - (token.text == ")" or word == "END")
        if depth or not word:
            continue
        if word == "BETWEEN":
            between += 1
        elif word == "AND" and between:
            between -= 1
        else:
            yield at, word


def unquote(text: str) -> str:
    """
    Take the quotes off a name or string and undo their doubling.

    Args:
        text: Text of a token; without quotes it is returned as it is.

    Spec:
        sqlite/names
    """
    if len(text) < 2 or text[0] not in "'\"`[":
        return text
    if text[0] == "[":
        return text[1:-1]
    return text[1:-1].replace(text[0] * 2, text[0])


def name_of(token: Token) -> str | None:
    """Give the name a token stands for; None if it cannot be one."""
    if not is_name(token) or keyword(token) in RESERVED:
        return None
    return unquote(token.text)
