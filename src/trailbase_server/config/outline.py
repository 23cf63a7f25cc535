"""
Where each field of a text-format file stands, found without knowing its message type.

A message about ``record_apis[3].name`` is only half as good without the line. The outline is
permissive: it follows brackets and names and takes whatever lies between them, so it also works for
a file with mistakes in it, and tells which statement a mistake belongs to.

.. code-block:: text

    message  = { name [":"] value [";" | ","] }
    value    = "{" message "}" | "<" message ">" | "[" value { "," value } "]" | scalar { string }
"""

import re

from msgspec import Struct, field

MAX_DEPTH = 64  # nested messages; the deepest of a configuration are four

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|\#[^\n]*)
    | (?P<string>"(?:[^"\n\\]|\\.)*"|'(?:[^'\n\\]|\\.)*')
    | (?P<word>[A-Za-z0-9_.+-]+)
    | (?P<punct>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENERS = frozenset("{<")
_CLOSERS = frozenset("}>]")
_STEP = re.compile(r'(?P<name>[A-Za-z_]\w*)|\[(?P<index>\d+)\]|\["(?P<key>(?:[^"\\]|\\.)*)"\]|\.')


class Entry(Struct):
    """
    One value of one field.

    Attributes:
        name: Field name as written; several entries of a name are a repeated field.
        start, end: Offsets of the whole statement; the elements of a list share them.
        at: Offset where a reader looks: the name, or the element of a list.
        text: The scalar as written, empty for a message.
        children: Entries of the message.
    """

    name: str
    start: int
    end: int
    at: int
    text: str = ""
    children: list["Entry"] = field(default_factory=list)


class Outline:
    """
    The structure of one text-format file.

    Args:
        text: The file.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.root = _Reader(text).read()

    def line_of(self, path: str) -> int | None:
        """
        Find the line of a field.

        Args:
            path: Such as ``server.site_url``, ``record_apis[3].name`` or
                ``auth.oauth_providers["google"].client_id``.

        Returns:
            Line from 1 of the field; for one that is missing, of the innermost message around it
            that is there; None if there is none.
        """
        place = self.place_of(path)
        return None if place is None else place[0]

    def place_of(self, path: str) -> tuple[int, int] | None:
        """Like ``line_of``, with the column from 1."""
        at: Entry | None = None
        for name, index, key in parse_path(path):
            found = [child for child in (at or self.root).children if child.name == name]
            if key is not None:
                found = [child for child in found if _key(child) == key]
            if index >= len(found):
                break
            at = found[index]
            if key is not None:
                at = next((c for c in at.children if c.name == "value"), at)
        if at is None:
            return None
        line = self._text.count("\n", 0, at.at) + 1
        return line, at.at - (self._text.rfind("\n", 0, at.at) + 1) + 1

    def entry_at(self, offset: int) -> Entry | None:
        """The innermost entry around an offset, None if it lies in none."""
        return _innermost(self.root, offset)


def parse_path(path: str) -> list[tuple[str, int, str | None]]:
    """Read a field path as steps of name, index within a repeated field, key within a map."""
    steps: list[tuple[str, int, str | None]] = []
    for match in _STEP.finditer(path):
        if match["name"] is not None:
            steps.append((match["name"], 0, None))
        elif steps and match["index"] is not None:
            steps[-1] = (steps[-1][0], int(match["index"]), None)
        elif steps and match["key"] is not None:
            steps[-1] = (steps[-1][0], 0, re.sub(r"\\(.)", r"\1", match["key"]))
    return steps


def _innermost(entry: Entry, offset: int) -> Entry | None:
    found = None
    for child in entry.children:
        if child.start <= offset < child.end:
            deeper = _innermost(child, offset)
            if deeper is not None:
                return deeper
            found = child
    return found


def _key(entry: Entry) -> str | None:
    for child in entry.children:
        if child.name == "key" and len(child.text) > 1:
            return child.text[1:-1]
    return None


class _Reader:
    """Walks the tokens once; ``None`` as token is the end of the text."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            (match.lastgroup or "", match[0], match.start())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "skip"
        ]
        self._length = len(text)
        self._at = 0

    def read(self) -> Entry:
        root = Entry("", 0, self._length, 0)
        while self._at < len(self._tokens):
            self._message(root, 0)
            self._at += 1  # a closing bracket too many
        return root

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "", self._length)

    def _message(self, parent: Entry, depth: int) -> None:
        while True:
            kind, text, start = self._peek()
            if not kind or text in _CLOSERS:
                return
            self._at += 1
            if kind != "word":
                continue
            if self._peek()[1] == ":":
                self._at += 1
            if self._peek()[1] == "[":
                self._list(parent, text, start, depth)
            else:
                self._value(parent, text, start, start, depth)

    def _value(self, parent: Entry, name: str, start: int, at: int, depth: int) -> None:
        entry = Entry(name, start, self._peek()[2], at)
        parent.children.append(entry)
        if self._peek()[1] in _OPENERS and depth < MAX_DEPTH:
            self._at += 1
            self._message(entry, depth + 1)
            entry.end = min(self._peek()[2] + 1, self._length)
            self._at += 1
            return
        joined = False
        while True:
            kind, text, offset = self._peek()
            if kind != "string" and (joined or kind != "word"):
                return
            entry.text += text
            entry.end = offset + len(text)
            self._at += 1
            joined = True
            if kind == "word":
                return

    def _list(self, parent: Entry, name: str, start: int, depth: int) -> None:
        self._at += 1
        first = len(parent.children)
        while True:
            kind, text, offset = self._peek()
            if not kind or text in _CLOSERS:
                break
            if kind in ("string", "word") or text in _OPENERS:
                before = self._at
                self._value(parent, name, start, offset, depth)
                self._at = max(self._at, before + 1)
            else:
                self._at += 1
        end = min(self._peek()[2] + 1, self._length)
        if self._peek()[1] == "]":
            self._at += 1
        if len(parent.children) == first:
            parent.children.append(Entry(name, start, end, start))
        for entry in parent.children[first:]:
            entry.end = end
