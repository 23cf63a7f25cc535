"""What two configurations differ in, field by field and without secrets, for the audit log."""

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from trailbase_server.config.proto.config_pb2 import Config, secret
from trailbase_server.config.vault import REDACTED

Fields = dict[str, Any]
Label = Callable[[Message, int], str]
_Leaf = tuple[Any, bool]  # value, whether it is a secret


def list_changes(before: Config, after: Config) -> tuple[Fields, Fields]:
    """
    Find the fields that differ.

    Args:
        before, after: With their secrets.

    Returns:
        The fields of each that the other one has not, or not with this value, by path:
        ``record_apis["boat"].acl_world``. Members of lists go by their name where they have one.
        A secret is a placeholder; that it is there says that it has changed.
    """
    old = {path: (value, is_secret) for path, value, is_secret in walk_leaves(before)}
    new = {path: (value, is_secret) for path, value, is_secret in walk_leaves(after)}
    return (
        {path: _shown(leaf) for path, leaf in old.items() if new.get(path) != leaf},
        {path: _shown(leaf) for path, leaf in new.items() if old.get(path) != leaf},
    )


def _shown(leaf: _Leaf) -> Any:
    value, is_secret = leaf
    return REDACTED if is_secret else value


def walk_leaves(
    message: Message, label: Label | None = None, path: str = ""
) -> Iterator[tuple[str, Any, bool]]:
    """
    All fields that are set, down to the scalars and lists of scalars.

    Args:
        message: With all that is in it.
        label: How members of lists are called, from the member and its index; by default their
            name, or the index where they have none.
        path: Of the message.

    Returns:
        Path, plain value, and whether it is a secret; enums by name.
    """
    label = label or _label
    for field, value in message.ListFields():
        here = f"{path}.{field.name}" if path else field.name
        if field.message_type is None:
            yield here, _plain(field, value), bool(field.GetOptions().Extensions[secret])
        elif field.message_type.GetOptions().map_entry:
            for key in sorted(value):
                quoted = key.replace("\\", "\\\\").replace('"', '\\"')
                yield from walk_leaves(value[key], label, f'{here}["{quoted}"]')
        elif field.is_repeated:
            for index, one in enumerate(value):
                yield from walk_leaves(one, label, f"{here}[{label(one, index)}]")
        else:
            yield from walk_leaves(value, label, here)


def _plain(field: FieldDescriptor, value: Any) -> Any:
    def name(one: Any) -> Any:
        known = field.enum_type.values_by_number.get(one) if field.enum_type else None
        return one if known is None else known.name

    return [name(one) for one in value] if field.is_repeated else name(value)


def _label(message: Message, index: int) -> str:
    field = message.DESCRIPTOR.fields_by_name.get("name")
    if field is not None and message.HasField("name"):
        return f'"{getattr(message, "name")}"'  # noqa: B009  # no attribute that a type checker knows
    return str(index)
