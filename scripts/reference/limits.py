"""``limits.md``: bounds, budgets, time-outs and capacities, from the constants that keep them."""

import re
from itertools import groupby

from .markdown import code, table
from .source import Constant, all_modules, constants_of

HEAD = """\
# Limits

Everything that waits or piles up is bounded, and everything a client sends is. These bounds are
constants; those that an operator may choose are fields of the [configuration](configuration.md).
Units are part of the names: `_S` seconds, `_MS` milliseconds, `_BYTES`, `_KIB` and `_CHARS`.
"""
_LIMIT = re.compile(
    r"(?:MAX|MIN|DEFAULT|LONG|INLINE|POOL)_\w+|\w+_(?:S|MS|KIB|BYTES|WAITING|PASSES)|CAPACITY|STRIKES|"
    r"SMOOTHING|BACKLOG|NICENESS|STATEMENT_CACHE|STEPS_PER_CHECK|CACHED_\w+"
)
# Named alike, but parts of a format or a range of numbers.
NOT_LIMITS = {
    "ids.py": {"UUID_BYTES"},
    "auth/keys.py": {"KEY_BYTES"},
    "config/fingerprint.py": {"LENGTH_BYTES"},
    "config/schedule.py": {"MIN_FIELDS", "MAX_FIELDS"},
    "crypto.py": {"ARGON2_TAG_BYTES", "ARGON2_SALT_BYTES"},
    "query/cursor.py": {"KEY_BYTES", "NONCE_BYTES"},
    "records/columns.py": {"MIN_INTEGER", "MAX_INTEGER"},
    "schema/geometry.py": {"MIN_DIMENSIONS", "MIN_RING_POSITIONS"},
}


def render_limits() -> str:
    """Render the page."""
    parts = [HEAD]
    for package, found in groupby(limits(), key=lambda constant: _package(constant.module)):
        rows = [
            (code(c.module), code(c.name), _value(c.value), c.reason)
            for c in sorted(found, key=lambda c: c.module)
        ]
        parts.append(f"## {package}\n\n{table(('in', 'constant', 'value', 'why'), rows)}")
    return "\n".join(parts)


def limits() -> list[Constant]:
    """All constants that bound something, by package and module."""
    found = {
        (constant.module, constant.name): constant
        for module in all_modules()
        for constant in constants_of(module)
        if isinstance(constant.value, int | float)
        and _LIMIT.fullmatch(constant.name)
        and constant.name not in NOT_LIMITS.get(constant.module, ())
    }
    return sorted(found.values(), key=lambda constant: (_package(constant.module), constant.module))


def _package(module: str) -> str:
    return module.split("/", maxsplit=1)[0] if "/" in module else "server-wide"


def _value(value: float) -> str:
    return f"{value:_}".replace("_", ",") if isinstance(value, int) else f"{value:g}"
