"""A walk over tokens, for parsers that look one token ahead."""

from collections.abc import Collection, Sequence

from trailbase_server.schema.lexer import (
    SchemaSyntaxError,
    Token,
    TokenKind,
    keyword,
    name_of,
    significant,
    tokenize,
)

END = Token(TokenKind.OPERATOR, "", -1, -1)
"""What stands behind the last token."""


class Cursor:
    """
    A place in a list of tokens.

    ``accept`` and ``find`` return False or None where something else stands; ``expect`` and
    ``name`` raise.

    Args:
        tokens: Without comments.
    """

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @classmethod
    def of(cls, sql: str) -> "Cursor":
        """Start at the beginning of an SQL text; a final semicolon is left out."""
        tokens = significant(tokenize(sql))
        while tokens and tokens[-1].text == ";":
            tokens.pop()
        return cls(tokens)

    def peek(self, ahead: int = 0) -> Token:
        """Look at a token; behind the last one there is ``END``."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else END

    def word(self, ahead: int = 0) -> str:
        """Look at a bare word, in capitals; empty if it is none."""
        return keyword(self.peek(ahead))

    @property
    def is_done(self) -> bool:
        """Is nothing left?"""
        return self.at >= len(self.tokens)

    def take(self) -> Token:
        """Step over the next token, whatever it is."""
        if self.is_done:
            raise self.error()
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, *words: str) -> bool:
        """Step over keywords or operators if all of them come next."""
        if all(
            self.word(ahead) == word or self.peek(ahead).text == word
            for ahead, word in enumerate(words)
        ):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Step over keywords or operators that must come next."""
        for word in words:
            if not self.accept(word):
                raise self.error(word)

    def one_of(self, words: Collection[str]) -> str:
        """Step over one of several keywords and return it; empty if none is there."""
        word = self.word()
        if word in words:
            self.at += 1
            return word
        return ""

    def name(self) -> str:
        """Step over a name; strings count as names."""
        name = name_of(self.peek())
        if name is None:
            raise self.error("a name")
        self.at += 1
        return name

    def error(self, wanted: str = "") -> SchemaSyntaxError:
        """Make the error for what stands here."""
        token = self.peek()
        found = f"'{token.text}'" if token is not END else "the end"
        message = f"expected {wanted}, found {found}" if wanted else f"unexpected {found}"
        return SchemaSyntaxError(message, token.start if token is not END else None)

    def group(self) -> Sequence[Token]:
        """Step over a parenthesised group and return what is inside."""
        self.expect("(")
        inner = self.until(())
        self.expect(")")
        return inner

    def until(self, ends: Collection[str]) -> Sequence[Token]:
        """
        Step over everything up to an operator or keyword of ``ends`` or an unmatched parenthesis.
        """
        start = self.at
        depth = 0
        while not self.is_done:
            token = self.peek()
            if depth == 0 and (token.text in ends or token.text == ")" or self.word() in ends):
                break
            depth += (token.text == "(") - (token.text == ")")
            self.at += 1
        return self.tokens[start : self.at]


def split_list(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Split at the commas outside of parentheses; no tokens are no items."""
    cursor = Cursor(tokens)
    items = []
    while not cursor.is_done:
        items.append(cursor.until((",",)))
        if not cursor.is_done and not cursor.accept(","):
            raise cursor.error(",")
    return items
