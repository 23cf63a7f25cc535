"""
Log lines on standard error, filtered by ``RUST_LOG``.

.. code-block:: text

    [2026-01-26T09:42:49.389097Z INFO  trailbase_server.server] message

Directives: a comma-separated list of ``level`` or ``target=level`` or ``target``, where a target is
the beginning of a logger's name (``::`` may stand for ``.``), and the longest that fits decides. A
logger that no directive fits is silent.
"""

import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping

LEVELS: Mapping[str, int] = {
    "off": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}
# The HTTP library tells about its own start and end; ours are enough.
SERVING = "info,uvicorn=warn"
DEVELOPING = f"{SERVING},trailbase_server=debug"
QUIET = "warn"
_NAMES = {logging.WARNING: "WARN", logging.CRITICAL: "ERROR"}
_COLOURS = {"ERROR": "31", "WARN": "33", "INFO": "32", "DEBUG": "34"}
# Text of clients must neither start a line that looks like ours nor move the cursor of a terminal.
_CONTROL = {code: f"\\x{code:02x}" for code in [*range(32), 127] if chr(code) not in "\n\t"}
_CONTROL[ord("\n")] = "\n\t"

Directive = tuple[str, int]


def configure_logging(default: str, environ: Mapping[str, str] = os.environ) -> None:
    """
    Send all records that pass the filter to standard error.

    Args:
        default: Directives that hold when ``RUST_LOG`` is not set.
        environ: Variables of the process: ``RUST_LOG``, ``RUST_LOG_STYLE``.

    Spec:
        server/general
    """
    directives, mistakes = parse_directives(environ.get("RUST_LOG") or default)
    style = environ.get("RUST_LOG_STYLE", "auto")
    colour = style == "always" or (style != "never" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(colour=colour))
    handler.addFilter(TargetFilter(directives))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(min((level for _, level in directives), default=LEVELS["off"]))
    for text in mistakes:
        logging.getLogger(__name__).error("invalid directive in RUST_LOG: %a", text)


def parse_directives(text: str) -> tuple[list[Directive], list[str]]:
    """
    Read a filter.

    Returns:
        Pairs of target (empty: every logger) and level, and the parts that make no sense.
    """
    directives: list[Directive] = []
    mistakes: list[str] = []
    # What follows a slash would be a pattern for messages, which nobody uses.
    for part in text.partition("/")[0].split(","):
        words = [word.strip() for word in part.split("=")]
        target = words[0].replace("::", ".")
        if words == [""]:
            continue
        if len(words) == 1:
            level = LEVELS.get(target.lower())
            directives.append((target, logging.DEBUG) if level is None else ("", level))
        elif len(words) == 2 and words[1].lower() in LEVELS:
            directives.append((target, LEVELS[words[1].lower()]))
        else:
            mistakes.append(part)
    return directives, mistakes


class TargetFilter(logging.Filter):
    """
    Lets records pass by the name of their logger.

    Args:
        directives: See ``parse_directives``; of equals the last one holds.
    """

    def __init__(self, directives: Iterable[Directive]) -> None:
        super().__init__()
        latest_first = list(directives)[::-1]
        self._longest_first = sorted(latest_first, key=lambda pair: len(pair[0]), reverse=True)
        self._known: dict[str, int] = {}  # loggers are few: bounded by the code

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide on one record."""
        level = self._known.get(record.name)
        if level is None:
            level = self._known[record.name] = self._level(record.name)
        return record.levelno >= level

    def _level(self, name: str) -> int:
        for target, level in self._longest_first:
            if name.startswith(target):
                return level
        return LEVELS["off"]


class LineFormatter(logging.Formatter):
    """
    Renders ``[time LEVEL target] message``; further lines of a message are indented.

    Args:
        colour: Colour the level for a terminal.
    """

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Render one record, with its traceback if it has one."""
        seconds, micros = divmod(round(record.created * 1_000_000), 1_000_000)
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        name = _NAMES.get(record.levelno, record.levelname)
        level = f"{name:<5}"
        if self._colour:
            level = f"\x1b[{_COLOURS.get(name, '0')}m{level}\x1b[0m"
        text = record.getMessage().translate(_CONTROL)
        if record.exc_info:
            text += "\n\t" + self.formatException(record.exc_info).translate(_CONTROL)
        return f"[{at}.{micros:06}Z {level} {record.name}] {text}"
