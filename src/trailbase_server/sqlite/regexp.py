"""
Regular expressions in linear time, with classes that know Unicode.

The engine is RE2: no look-around, no back-references, and no pattern that takes for ever, which
matters because patterns come from query strings. Its classes ``d``, ``s`` and ``w`` know ASCII
only. For a text that is ASCII that makes no difference; for others the pattern is compiled a second
time with these classes rewritten (``widen_classes``). That is not always done: a class with all
letters has some hundred states, so a pattern that would become larger than ``MAX_PATTERN_BYTES``
keeps its ASCII classes, as do word boundaries, and ``W`` and ``S`` inside of brackets, which cannot
be written.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from trailbase_server.sqlite.character_sets import rewrite_sets

if TYPE_CHECKING:
    from re2 import _Regexp

MAX_PATTERNS = 256  # compiled patterns kept, of each kind
MAX_PATTERN_BYTES = 1024 * 1024  # memory of one compiled pattern, and some 20 ms to compile it

_DIGIT = r"\p{Nd}"
_WORD = r"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}"
_SPACE = r"\t\n\v\f\r\x{85}\p{Z}"
_OUTSIDE = {
    "d": _DIGIT,
    "D": r"\P{Nd}",
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}]",
    "s": f"[{_SPACE}]",
    "S": f"[^{_SPACE}]",
}
_INSIDE = {"d": _DIGIT, "D": r"\P{Nd}", "w": _WORD, "s": _SPACE}


class InvalidPatternError(ValueError):
    """A pattern the engine cannot compile."""


def widen_classes(pattern: str) -> str:
    r"""
    Rewrite ``\d``, ``\w``, ``\s`` and their opposites in terms of Unicode properties.

    Quoted text (``\Q…\E``), escaped backslashes and POSIX classes are left as they are.
    """
    if "\\" not in pattern:
        return pattern
    out: list[str] = []
    index, end = 0, len(pattern)
    in_class = False
    while index < end:
        character = pattern[index]
        if character == "\\":
            following = pattern[index + 1 : index + 2]
            if following == "Q" and not in_class:
                stop = pattern.find("\\E", index + 2)
                stop = end if stop < 0 else stop + 2
                out.append(pattern[index:stop])
                index = stop
                continue
            widened = (_INSIDE if in_class else _OUTSIDE).get(following)
            out.append(widened or character + following)
            index += 2
            continue
        if in_class:
            in_class, taken = _class_step(pattern, index)
        else:
            in_class, taken = character == "[", _class_opening(pattern, index)
        out.append(taken)
        index += len(taken)
    return "".join(out)


def _class_opening(pattern: str, index: int) -> str:
    """Take one character, or the opening of a class with what cannot close it."""
    if pattern[index] != "[":
        return pattern[index]
    taken = "[^" if pattern.startswith("[^", index) else "["
    return taken + "]" if pattern.startswith("]", index + len(taken)) else taken


def _class_step(pattern: str, index: int) -> tuple[bool, str]:
    """Take one character or POSIX class inside of brackets: still inside?, text."""
    if pattern.startswith("[:", index):
        stop = pattern.find(":]", index + 2)
        if stop >= 0:
            return True, pattern[index : stop + 2]
    return pattern[index] != "]", pattern[index]


@lru_cache(maxsize=MAX_PATTERNS)
def compile_pattern(pattern: str) -> "_Regexp":
    """
    Compile a pattern as it is.

    Raises:
        InvalidPatternError: The message is the engine's.
    """
    import re2  # noqa: PLC0415  # imported when first needed: start-up time

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MAX_PATTERN_BYTES
    try:
        return re2.compile(rewrite_sets(pattern), options)
    except re2.error as exc:
        reason = exc.args[0]
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidPatternError(f"invalid pattern: {text}") from exc


@lru_cache(maxsize=MAX_PATTERNS)
def compile_wide_pattern(pattern: str) -> "_Regexp":
    """
    Compile a pattern with classes that know Unicode, if it stays small enough.

    Raises:
        InvalidPatternError: The pattern cannot be compiled at all.
    """
    plain = compile_pattern(pattern)
    widened = widen_classes(pattern)
    if widened == pattern:
        return plain
    try:
        # Behind the cache of this one.
        return compile_pattern.__wrapped__(widened)
    except InvalidPatternError:
        return plain


def matches_pattern(pattern: str, text: str) -> bool:
    """
    Tell whether a pattern matches anywhere in a text.

    Raises:
        InvalidPatternError: The pattern cannot be compiled.

    Spec:
        sqlite/regular-expressions
    """
    compiled = compile_pattern(pattern) if text.isascii() else compile_wide_pattern(pattern)
    # Bytes: spares the engine's wrapper the translation of offsets nobody wants.
    return compiled.search(text.encode()) is not None
