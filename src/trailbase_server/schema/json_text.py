"""
Strict JSON: what RFC 8259 allows and nothing more.

No NaN, no byte order mark, no trailing comma, no lone surrogate, no number beyond a double, at most
``MAX_DEPTH`` levels. Duplicate keys are accepted, the last one counts.
"""

from typing import Any

import orjson

MAX_DEPTH = 128  # levels of nesting; everything that walks a value may recurse this deep


class InvalidJsonError(ValueError):
    """A text that is not JSON."""


def parse_json(text: str) -> Any:
    """
    Read a JSON text.

    Raises:
        InvalidJsonError: With the position, if there is one.

    Spec:
        sqlite/simple-validators
    """
    try:
        value = orjson.loads(text)
    except ValueError as exc:
        raise InvalidJsonError(f"Invalid JSON: {exc}") from exc
    # Each level takes an opening bracket: most texts need no walk.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise InvalidJsonError(f"Invalid JSON: deeper than {MAX_DEPTH} levels")
    return value


def is_json(text: str) -> bool:
    """Tell whether ``parse_json`` would read the text."""
    try:
        parse_json(text)
    except InvalidJsonError:
        return False
    return True


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            member
            for container in level
            if isinstance(container, dict | list)
            for member in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return False
    return any(isinstance(member, dict | list) for member in level)
