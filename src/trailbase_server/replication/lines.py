"""
Litestream's log in ours: a line of JSON becomes a record of its level.

A bucket that is away makes the same complaint for every database each second: one is told, and
again after ``PAUSE_S``. Keys that stand in a message are struck out.
"""

import json
import logging
from collections.abc import Sequence

from trailbase_server.clock import SYSTEM_CLOCK, Clock

log = logging.getLogger("trailbase_server.litestream")
PAUSE_S = 60.0  # until the same complaint is told again
MAX_LINE = 1_000  # characters of a message; the first ones say enough
MAX_KINDS = 200  # complaints that are remembered
_LEVELS = {"DEBUG": logging.DEBUG, "WARN": logging.WARNING, "ERROR": logging.ERROR}
_DETAILS = ("db", "mode", "signal")


class LogLines:
    """
    Tells what a child process says.

    Args:
        secrets: Words that are struck out.
        clock: Tells when something was told last.

    Attributes:
        last_problem: The last warning or error; empty if there was none.
    """

    def __init__(self, secrets: Sequence[str] = (), clock: Clock = SYSTEM_CLOCK) -> None:
        self.last_problem = ""
        self._secrets = secrets
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}  # when, and how often since

    def take(self, line: str) -> None:
        """Tell one line, unless it is one that was told lately."""
        level, kind, text = _parse(line)
        for secret in self._secrets:
            text = text.replace(secret, "…")
        if len(text) > MAX_LINE:
            text = text[:MAX_LINE] + "…"
        if not text:
            return
        if level >= logging.WARNING:
            self.last_problem = text
            if not self._is_due(kind):
                return
        log.log(level, "%s", text)

    def _is_due(self, kind: str) -> bool:
        now = self._clock.monotonic()
        told_at, missed = self._told.get(kind, (float("-inf"), 0))
        if now - told_at < PAUSE_S:
            self._told[kind] = (told_at, missed + 1)
            return False
        if len(self._told) >= MAX_KINDS:
            self._told.clear()
        self._told[kind] = (now, 0)
        return True


def _parse(line: str) -> tuple[int, str, str]:
    """Level, what makes it the same as another one, and text of a line."""
    line = line.strip()
    try:
        # It writes "level" twice where it means that of a compaction, too: the first one counts.
        fields = json.loads(line, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
        message = str(fields["msg"])
    except (ValueError, KeyError, TypeError, RecursionError):
        # Words of the program before it has read its configuration, or of its last breath.
        return (logging.WARNING, line[:40], _printable(line))
    details = [f"{name} {fields[name]}" for name in _DETAILS if fields.get(name) is not None]
    text = " ".join([message, *(f"({one})" for one in [", ".join(details)] if one)])
    if fields.get("error"):
        text += f": {fields['error']}"
    level = _LEVELS.get(str(fields.get("level")), logging.INFO)
    return level, message, _printable(text)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
