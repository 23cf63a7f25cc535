"""
Configuration files as text: protobuf's text format, read with all its mistakes, written as upstream
writes it.

Reading is the library's work. It stops at the first mistake; so the statement that holds the
mistake is blanked out and the text read again, until nothing is wrong or ``MAX_PROBLEMS`` were
found.
"""

import re
from difflib import get_close_matches
from typing import Any, TypeVar

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from msgspec import Struct

from trailbase_server.config.outline import Outline

M = TypeVar("M", bound=Message)

MAX_PROBLEMS = 20  # each costs one more reading of the file
INDENT = "  "
_POSITION = re.compile(r"\A\d+:\d+ : ")
_UNKNOWN_FIELD = re.compile(r'Message type "([\w.]+)" has no field named "(\w+)"')
_CONTROL = re.compile(r"[\x00-\x1f\x7f\"'\\]")
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "'": r"\'", "\\": r"\\"}


class TextProblem(Struct, frozen=True):
    """A mistake in a text-format file; line and column count from 1."""

    line: int
    column: int
    message: str


def parse_text(text: str, into: type[M]) -> tuple[M, list[TextProblem]]:
    """
    Read a message.

    Args:
        text: The file.
        into: Class of the message.

    Returns:
        The message without the statements that are wrong, and the mistakes in the order found.

    Spec:
        server/file-format
    """
    problems: list[TextProblem] = []
    outline: Outline | None = None
    while True:
        try:
            return text_format.Parse(text, into()), problems
        except text_format.ParseError as exc:
            line, column = exc.GetLine() or 1, exc.GetColumn() or 1
            problems.append(TextProblem(line, column, _explain(str(exc), line, text, into)))
        if outline is None:
            outline = Outline(text)
        offset = sum(len(row) + 1 for row in text.split("\n")[: line - 1]) + column - 1
        entry = outline.entry_at(offset)
        if entry is None or len(problems) >= MAX_PROBLEMS:
            return into(), problems
        blank = re.sub(r"[^\n]", " ", text[entry.start : entry.end])
        if not blank or blank == text[entry.start : entry.end]:
            return into(), problems
        text = text[: entry.start] + blank + text[entry.end :]


def _explain(message: str, line: int, text: str, into: type[Message]) -> str:
    """The library's words without position and without the line, which may hold a secret."""
    message = _POSITION.sub("", message, count=1)
    rows = text.split("\n")
    if line <= len(rows):
        message = message.removeprefix(f"'{rows[line - 1]}': ")
    unknown = _UNKNOWN_FIELD.match(message)
    if unknown is None:
        return message
    pool = into.DESCRIPTOR.file.pool
    known = [field.name for field in pool.FindMessageTypeByName(unknown[1]).fields]
    close = get_close_matches(unknown[2], known, n=1)
    hint = f", did you mean '{close[0]}'?" if close else ""
    return f"unknown field '{unknown[2]}'{hint}"


def render_text(message: Message, comment: str = "") -> str:
    """
    Render a message the way upstream writes its files.

    Args:
        message: To be written.
        comment: Lines that begin with ``#``, placed below the header; may be empty.

    Returns:
        Header and fields in the order of their numbers, without trailing newline.

    Spec:
        server/file-format
    """
    lines = [f"# Auto-generated {message.DESCRIPTOR.full_name} textproto"]
    if comment:
        lines += comment.split("\n")
    _render_fields(message, "", lines)
    return "\n".join(lines)


def _render_fields(message: Message, indent: str, lines: list[str]) -> None:
    for field, value in sorted(message.ListFields(), key=lambda pair: pair[0].number):
        if field.message_type is None:
            lines.append(f"{indent}{field.name}: {_render_scalars(field, value)}")
        elif field.message_type.GetOptions().map_entry:
            _render_map(field, value, indent, lines)
        elif field.is_repeated:
            for index, element in enumerate(value):
                opening = f"{indent}{field.name}: [" if index == 0 else f"{lines.pop()}, "
                _render_block(element, opening, indent, lines)
            lines[-1] += "]"
        else:
            _render_block(value, f"{indent}{field.name} ", indent, lines)


def _render_block(message: Message, opening: str, indent: str, lines: list[str]) -> None:
    """Append ``opening{``, the fields and ``}``; an empty message is ``opening{}``."""
    start = len(lines)
    lines.append(opening + "{")
    _render_fields(message, indent + INDENT, lines)
    if len(lines) == start + 1:
        lines[-1] += "}"
    else:
        lines.append(indent + "}")


def _render_map(field: FieldDescriptor, value: Any, indent: str, lines: list[str]) -> None:
    key_field, value_field = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    inner = indent + INDENT
    for index, key in enumerate(sorted(value)):
        lines.append(f"{indent}{field.name}: [{{" if index == 0 else f"{lines.pop()}, {{")
        lines.append(f"{inner}key: {_render_scalar(key_field, key)}")
        if value_field.message_type is None:
            lines.append(f"{inner}value: {_render_scalar(value_field, value[key])}")
        else:
            _render_block(value[key], f"{inner}value ", inner, lines)
        lines.append(indent + "}")
    lines[-1] += "]"


def _render_scalars(field: FieldDescriptor, value: Any) -> str:
    if not field.is_repeated:
        return _render_scalar(field, value)
    return "[" + ", ".join(_render_scalar(field, element) for element in value) + "]"


def _render_scalar(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_CONTROL.sub(_escape, value)}"'
    return str(value)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\{ord(character):03o}"
