"""
``configuration.md``: every message, field and enum of ``proto/config.proto``.

Comments of fields follow a form: what it is, ``; needed`` where it must be set, ``Default: X.``,
``Restart needed.`` where a change waits for the next start.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from trailbase_server.config.fields import PREFIX
from trailbase_server.config.proto.config_pb2 import secret

from .markdown import code, table

PROTO = Path(__file__).resolve().parents[2] / "proto"
ROOT_MESSAGE = "Config"
HEAD = """\
# Configuration

`config.textproto` in the depot is one message `Config` in protobuf's text format. Scalar fields
can be overridden by the environment: the variable is `TRAIL_` and the path in capitals, such as
`TRAIL_SERVER_SITE_URL`; keys of maps are part of the path. Messages in lists have no such names. A
*secret* is kept in `secrets/secrets.textproto`. [The guide](../guide/configuration.md) tells how
changes take effect; which features are still missing stands in the [matrix](../compatibility.md).
"""
_TYPES = {
    FieldDescriptorProto.TYPE_STRING: "string",
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_INT64: "int64",
    FieldDescriptorProto.TYPE_UINT32: "uint32",
    FieldDescriptorProto.TYPE_UINT64: "uint64",
}
_DEFAULT = re.compile(r" ?Default: (.*?)\.(?= |$)")
_RESTART = " Restart needed."
_KIND = 4, 5, 2, 2  # numbers of message_type, enum_type, field and value: paths of source_code_info

Comments = dict[tuple[int, ...], str]


def render_configuration() -> str:
    """Render the page."""
    file = read_descriptor()
    comments = comments_of(file)
    parts = [HEAD]
    numbers = {message.name: index for index, message in enumerate(file.message_type)}
    for name, path in _reachable(file).items():
        index = numbers[name]
        parts.append(_render_message(file.message_type[index], index, path, comments))
    for index, enum in enumerate(file.enum_type):
        parts.append(_render_enum(enum, comments.get((_KIND[1], index), "")))
    return "\n".join(parts)


def read_descriptor() -> FileDescriptorProto:
    """Let the compiler read ``config.proto`` with its comments."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "set"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}"]
        command += [f"--descriptor_set_out={target}", "--include_source_info", "config.proto"]
        subprocess.run(command, check=True, timeout=60)
        files = FileDescriptorSet.FromString(target.read_bytes())
    return files.file[-1]


def comments_of(file: FileDescriptorProto) -> Comments:
    """Comments before messages, fields, enums and values, by their place in the file."""
    return {
        tuple(location.path): " ".join(location.leading_comments.split())
        for location in file.source_code_info.location
        if location.leading_comments
    }


def _reachable(file: FileDescriptorProto) -> dict[str, str]:
    """Messages of the file in reading order, each with its first path from the top."""
    messages = {message.name: message for message in file.message_type}
    found: dict[str, str] = {}

    def visit(name: str, path: str) -> None:
        if name not in found:
            found[name] = path
            for field, target, step in _children(messages[name]):
                visit(target, f"{path}.{field}{step}".lstrip("."))

    visit(ROOT_MESSAGE, "")
    return found


def _children(message: DescriptorProto) -> Iterator[tuple[str, str, str]]:
    for field in message.field:
        if field.type != FieldDescriptorProto.TYPE_MESSAGE:
            continue
        entry = _map_entry(message, field)
        if entry is not None:
            yield field.name, _short(entry.field[1].type_name), '["…"]'
        else:
            yield field.name, _short(field.type_name), "[]" if _is_list(field) else ""


def _render_message(message: DescriptorProto, index: int, path: str, comments: Comments) -> str:
    rows = []
    for at, field in enumerate(message.field):
        text = comments.get((_KIND[0], index, _KIND[2], at), "")
        default = _DEFAULT.search(text)
        notes = [
            *(["secret"] if field.options.Extensions[secret] else []),
            *(["restart"] if _RESTART in text else []),
        ]
        rows.append(
            (
                code(field.name),
                _type(message, field),
                default[1] if default else "",
                ", ".join(notes),
                _DEFAULT.sub("", text).replace(_RESTART, ""),
            )
        )
    place = f"In the file: `{path}`." if path else "The file itself."
    fields = table(("field", "type", "default", "", "meaning"), rows)
    return f"## {message.name}\n\n{comments[(_KIND[0], index)]} {place}\n\n{fields}"


def _render_enum(enum: EnumDescriptorProto, comment: str) -> str:
    rows = [(code(value.name), str(value.number)) for value in enum.value]
    return f"## {enum.name}\n\n{comment}\n\n{table(('value', 'number'), rows)}"


def _type(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    entry = _map_entry(message, field)
    if entry is not None:
        return f"map of {_link(entry.field[1].type_name)}"
    scalar = _TYPES.get(field.type)
    name = scalar or _link(field.type_name)
    return f"list of {name}" if _is_list(field) else name


def _map_entry(message: DescriptorProto, field: FieldDescriptorProto) -> DescriptorProto | None:
    for nested in message.nested_type:
        if nested.options.map_entry and nested.name == _short(field.type_name):
            return nested
    return None


def _is_list(field: FieldDescriptorProto) -> bool:
    repeated: bool = field.label == FieldDescriptorProto.LABEL_REPEATED
    return repeated


def _short(type_name: str) -> str:
    return type_name.rsplit(".", 1)[-1]


def _link(type_name: str) -> str:
    name = _short(type_name)
    return f"[{name}](#{name.lower()})"


assert PREFIX == "TRAIL", "HEAD tells the prefix"
