"""
Log lines on standard error, filtered by ``RUST_LOG``, as text or as JSON.

.. code-block:: text

    [2026-01-26T09:42:49.389097Z INFO  trailbase_server.server] message
    {"timestamp":"2026-01-26T09:42:49.389097Z","level":"INFO","target":"…","message":"…"}

Either way tokens are taken out: no line may let its reader in.

Directives: a comma-separated list of ``level`` or ``target=level`` or ``target``, where a target is
the beginning of a logger's name (``::`` may stand for ``.``), and the longest that fits decides. A
logger that no directive fits is silent.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable, Mapping

from trailbase_server.logs.redact import redact_tokens

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
# What a record may say besides its message, in attributes of these names.
_DETAILS = ("request_id", "duration_ms", "where", "sql")
_COLOURS = {"ERROR": "31", "WARN": "33", "INFO": "32", "DEBUG": "34"}
# Text of clients must neither start a line that looks like ours nor move the cursor of a terminal.
_CONTROL = {code: f"\\x{code:02x}" for code in [*range(32), 127] if chr(code) not in "\n\t"}
_CONTROL[ord("\n")] = "\n\t"

Directive = tuple[str, int]


def configure_logging(
    default: str, environ: Mapping[str, str] = os.environ, *, is_json: bool = False
) -> None:
    """
    Send all records that pass the filter to standard error.

    Args:
        default: Directives that hold when ``RUST_LOG`` is not set.
        environ: Variables of the process: ``RUST_LOG``, ``RUST_LOG_STYLE``.
        is_json: One JSON object a line.

    Spec:
        server/general
    """
    directives, mistakes = parse_directives(environ.get("RUST_LOG") or default)
    style = environ.get("RUST_LOG_STYLE", "auto")
    colour = style == "always" or (style != "never" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if is_json else LineFormatter(colour=colour))
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
        name = _level_of(record)
        level = f"{name:<5}"
        if self._colour:
            level = f"\x1b[{_COLOURS.get(name, '0')}m{level}\x1b[0m"
        text = redact_tokens(record.getMessage()).translate(_CONTROL)
        request_id = getattr(record, "request_id", None)
        if request_id:
            text += f" (request {request_id})"
        if record.exc_info:
            trace = redact_tokens(self.formatException(record.exc_info))
            text += "\n\t" + trace.translate(_CONTROL)
        return f"[{_timestamp(record)} {level} {record.name}] {text}"


class JsonFormatter(logging.Formatter):
    """
    Renders one JSON object a line: time, level, target, message, what is known besides, traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        members: dict[str, object] = {
            "timestamp": _timestamp(record),
            "level": _level_of(record),
            "target": record.name,
            "message": redact_tokens(record.getMessage()),
        }
        for name in _DETAILS:
            value = getattr(record, name, None)
            if value is not None:
                members[name] = value
        if record.exc_info:
            members["exception"] = redact_tokens(self.formatException(record.exc_info))
        # ASCII: whatever a client sends, it is one line, and no terminal minds it.
        return json.dumps(members, separators=(",", ":"), default=str)


def _level_of(record: logging.LogRecord) -> str:
    return _NAMES.get(record.levelno, record.levelname)


def _timestamp(record: logging.LogRecord) -> str:
    seconds, micros = divmod(round(record.created * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micros:06}Z"
