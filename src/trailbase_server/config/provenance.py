"""Where each value of the configuration that runs comes from."""

from typing import Any

from msgspec import Struct

from trailbase_server.config.changes import walk_leaves
from trailbase_server.config.fields import walk_slots
from trailbase_server.config.load import CONFIG_FILE, LoadedConfig
from trailbase_server.config.outline import Outline
from trailbase_server.config.vault import REDACTED, VAULT_PATH

DEFAULT = "default"


class Setting(Struct, frozen=True):
    """
    One field.

    Attributes:
        path: ``record_apis[3].name``.
        value: Plain; enums by name; None for a field that is not set.
        origin: ``config.textproto:12``, a variable of the environment, the vault, or ``default``.
        is_secret: The value is not for everybody's eyes.
    """

    path: str
    value: Any
    origin: str
    is_secret: bool

    def redacted(self) -> Any:
        """The value, or what stands for a secret."""
        return REDACTED if self.is_secret and self.value is not None else self.value


def list_settings(loaded: LoadedConfig, *, unset: bool = False) -> list[Setting]:
    """
    List the fields of the configuration that runs.

    Args:
        loaded: The configuration.
        unset: Also those that nothing sets; of messages that are present, outside lists.
    """
    outline = Outline(loaded.text)
    stored = {path: value for path, value, _ in walk_leaves(loaded.stored, _number)}
    found = []
    for path, value, is_secret in walk_leaves(loaded.config, _number):
        if path in loaded.overrides:
            origin = loaded.overrides[path]
        elif is_secret and stored.get(path) == REDACTED:
            origin = str(VAULT_PATH)
        else:
            line = outline.line_of(path)
            origin = CONFIG_FILE if line is None else f"{CONFIG_FILE}:{line}"
        found.append(Setting(path, value, origin, is_secret))
    if unset:
        found += [
            Setting(slot.path, None, DEFAULT, slot.is_secret)
            for slot in walk_slots(loaded.config)
            if not slot.has_value()
        ]
    return found


def _number(_message: object, index: int) -> str:
    return str(index)
