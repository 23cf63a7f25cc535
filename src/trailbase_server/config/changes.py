"""What two configurations differ in, field by field and without secrets, for the audit log."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from trailbase_server.config.proto.config_pb2 import Config, secret
from trailbase_server.config.vault import REDACTED

Fields = dict[str, Any]
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
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    return (
        {path: _shown(leaf) for path, leaf in old.items() if new.get(path) != leaf},
        {path: _shown(leaf) for path, leaf in new.items() if old.get(path) != leaf},
    )


def _shown(leaf: _Leaf) -> Any:
    value, is_secret = leaf
    return REDACTED if is_secret else value


def _leaves(message: Message, path: str) -> Iterator[tuple[str, _Leaf]]:
    for field, value in message.ListFields():
        here = f"{path}.{field.name}" if path else field.name
        if field.message_type is None:
            is_secret = bool(field.GetOptions().Extensions[secret])
            yield here, (_plain(field, value), is_secret)
        elif field.message_type.GetOptions().map_entry:
            for key in sorted(value):
                yield from _leaves(value[key], f'{here}["{key}"]')
        elif field.is_repeated:
            for index, one in enumerate(value):
                yield from _leaves(one, f"{here}[{_label(one, index)}]")
        else:
            yield from _leaves(value, here)


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
