"""
All fields of a configuration that have a name in the environment, by walking the message type.

Both the overrides and the vault call a field ``TRAIL_`` and its path in capitals; so both walk
here. Messages that are absent are not entered, lists of messages never: they have no such names.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from msgspec import Struct

from trailbase_server.config.proto.config_pb2 import Config, secret

PREFIX = "TRAIL"


class Slot(Struct, frozen=True):
    """
    The place of one field in one message.

    Attributes:
        message: Holds the field, which may be unset.
        field: Its type.
        steps: Names from the top, keys of maps among them.
        path: The same as text: ``auth.oauth_providers["google"].client_id``.
    """

    message: Message
    field: FieldDescriptor
    steps: tuple[str, ...]
    path: str

    @property
    def variable(self) -> str:
        """Name of the field in the environment and in the vault."""
        return "_".join((PREFIX, *(step.upper() for step in self.steps)))

    @property
    def is_secret(self) -> bool:
        """Is the value kept in the vault?"""
        return bool(self.field.GetOptions().Extensions[secret])

    def has_value(self) -> bool:
        """Is the field set, or the list not empty?"""
        if self.field.is_repeated:
            return len(self.value) > 0
        return bool(self.message.HasField(self.field.name))

    @property
    def value(self) -> Any:
        """The value, or the default of an unset field."""
        return getattr(self.message, self.field.name)

    def set(self, value: Any) -> None:
        """Replace the value; a list by a list."""
        self.message.ClearField(self.field.name)
        if self.field.is_repeated:
            self.value.extend(value)
        else:
            setattr(self.message, self.field.name, value)

    def copy_from(self, other: "Slot | None") -> None:
        """Take over the value of the same field of another message, or its absence."""
        if other is None or not other.has_value():
            self.message.ClearField(self.field.name)
        else:
            self.set(other.value)


def walk_slots(config: Config) -> Iterator[Slot]:
    """All scalars and lists of scalars of the messages that are present."""
    yield from _walk(config, (), "")


def _walk(message: Message, steps: tuple[str, ...], path: str) -> Iterator[Slot]:
    for field in message.DESCRIPTOR.fields:
        here, dotted = (*steps, field.name), f"{path}.{field.name}" if path else field.name
        if field.message_type is None:
            yield Slot(message, field, here, dotted)
        elif field.message_type.GetOptions().map_entry:
            for key, value in sorted(getattr(message, field.name).items()):
                quoted = key.replace("\\", "\\\\").replace('"', '\\"')
                yield from _walk(value, (*here, key), f'{dotted}["{quoted}"]')
        elif not field.is_repeated and message.HasField(field.name):
            yield from _walk(getattr(message, field.name), here, dotted)


def complete(config: Config) -> Config:
    """Make the four messages that upstream requires present; returns the same object."""
    for name in ("email", "server", "auth", "jobs"):
        getattr(config, name).SetInParent()
    return config


def has_valid_text(message: Message) -> bool:
    """
    Are all strings of a decoded message UTF-8?

    The library does not look when it decodes a message of this kind; it hands out bytes where it
    should hand out text.
    """
    try:
        return _has_valid_text(message)
    except UnicodeDecodeError:  # a key of a map
        return False


def _has_valid_text(message: Message) -> bool:
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values = [value[key] for key in value]
        else:
            values = value if field.is_repeated else [value]
        for one in values:
            if isinstance(one, bytes) or (isinstance(one, Message) and not _has_valid_text(one)):
                return False
    return True
