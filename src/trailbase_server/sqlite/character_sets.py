r"""
Set operations in character classes, which RE2 does not have: ``[a-z&&[^f]]``, ``[\w--_]``,
``[a-g~~b-h]``.

A class that uses one (or contains another class) is read into ranges of code points, computed, and
written as a plain class. Grammar, loosest first; the operators associate to the left::

    class := "[" ["^"] set "]"        set   := union (op union)*       op := "&&" | "--" | "~~"
    union := (range | escape | class)*                                 range := char ["-" char]

Escapes for single characters and ``\d \w \s`` (ASCII) with their opposites are understood; a class
with anything else, such as ``\p{L}``, is left to the engine, which refuses the operation.
"""

from collections.abc import Iterable

Ranges = list[tuple[int, int]]
"""Inclusive ranges of code points, ascending, apart from each other."""

LAST = 0x10FFFF
_CLASSES: dict[str, Ranges] = {
    "d": [(48, 57)],
    "w": [(48, 57), (65, 90), (95, 95), (97, 122)],
    "s": [(9, 13), (32, 32)],
}
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_OPERATORS = ("&&", "--", "~~")


class _NotPlainError(Exception):
    """A class that this module does not understand."""


def rewrite_sets(pattern: str) -> str:
    """Replace classes with set operations by plain ones; everything else stays as it is."""
    if "[" not in pattern:
        return pattern
    out: list[str] = []
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            stop = pattern.find("\\E", at + 2) + 2 if pattern.startswith("\\Q", at) else at + 2
            stop = len(pattern) if stop == 1 else stop
            out.append(pattern[at:stop])
            at = stop
        elif pattern[at] == "[":
            text, at = _rewrite_class(pattern, at)
            out.append(text)
        else:
            out.append(pattern[at])
            at += 1
    return "".join(out)


def _rewrite_class(pattern: str, start: int) -> tuple[str, int]:
    """One class from its bracket on: text for the engine, where to go on."""
    reader = _Reader(pattern, start)
    try:
        ranges = reader.read_class()
    except _NotPlainError:
        return pattern[start], start + 1
    if not reader.has_operation:
        return pattern[start : reader.at], reader.at
    return _render(ranges), reader.at


def _render(ranges: Ranges) -> str:
    if not ranges:
        return r"[^\x{0}-\x{10FFFF}]"
    return "[" + "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in ranges) + "]"


class _Reader:
    """Recursive descent over one class."""

    def __init__(self, pattern: str, start: int) -> None:
        self.pattern = pattern
        self.at = start
        self.has_operation = False

    def read_class(self) -> Ranges:
        self._take("[")
        negated = self._take_if("^")
        result = self._read_union(first=True)
        while operator := self._operator():
            self.has_operation = True
            other = self._read_union(first=False)
            result = _OPERATIONS[operator](result, other)
        self._take("]")
        return _complement(result) if negated else result

    def _read_union(self, *, first: bool) -> Ranges:
        found: Ranges = []
        while True:
            character = self._peek()
            if (character == "]" and not (first and not found)) or self._operator(look=True):
                return _normalise(found)
            if character == "[":
                if self.pattern.startswith("[:", self.at):
                    raise _NotPlainError
                self.has_operation = True
                found += self.read_class()
            else:
                found += self._read_item()

    def _read_item(self) -> Ranges:
        low = self._read_character()
        if isinstance(low, list):
            return low
        following = self.pattern[self.at + 1 : self.at + 2]
        if self._peek() != "-" or following in ("]", "-", "["):
            return [(low, low)]
        self.at += 1
        high = self._read_character()
        if isinstance(high, list) or high < low:
            raise _NotPlainError
        return [(low, high)]

    def _read_character(self) -> int | Ranges:
        character = self._peek()
        self.at += 1
        if character != "\\":
            return ord(character)
        escaped = self._peek()
        self.at += 1
        if escaped in _CLASSES:
            return _CLASSES[escaped]
        if escaped.lower() in _CLASSES:
            return _complement(_CLASSES[escaped.lower()])
        if escaped in _CONTROL:
            return ord(_CONTROL[escaped])
        if escaped.isalnum():
            raise _NotPlainError
        return ord(escaped)

    def _operator(self, *, look: bool = False) -> str:
        for operator in _OPERATORS:
            if self.pattern.startswith(operator, self.at):
                self.at += 0 if look else len(operator)
                return operator
        return ""

    def _peek(self) -> str:
        if self.at >= len(self.pattern):
            raise _NotPlainError
        return self.pattern[self.at]

    def _take(self, character: str) -> None:
        if self._peek() != character:
            raise _NotPlainError
        self.at += 1

    def _take_if(self, character: str) -> bool:
        found = self._peek() == character
        self.at += found
        return found


def _normalise(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: Ranges = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _complement(ranges: Ranges) -> Ranges:
    gaps: Ranges = []
    start = 0
    for low, high in _normalise(ranges):
        if low > start:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return gaps


def _intersection(left: Ranges, right: Ranges) -> Ranges:
    return _complement(_normalise([*_complement(left), *_complement(right)]))


def _difference(left: Ranges, right: Ranges) -> Ranges:
    return _intersection(left, _complement(right))


def _symmetric(left: Ranges, right: Ranges) -> Ranges:
    return _normalise([*_difference(left, right), *_difference(right, left)])


_OPERATIONS = {"&&": _intersection, "--": _difference, "~~": _symmetric}
