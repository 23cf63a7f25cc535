"""
The file that keeps the secrets of the configuration, and the placeholder that stands for them.

On disk and on the wire a secret is ``<REDACTED>``; the vault holds its value under the name of its
environment variable.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from trailbase_server.config.fields import Slot, walk_slots
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config, Vault
from trailbase_server.config.textproto import parse_text, render_text
from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)

REDACTED = "<REDACTED>"
VAULT_PATH = Path("secrets") / "secrets.textproto"


def load_vault(depot: Path) -> dict[str, str]:
    """
    Read the vault of a depot.

    Returns:
        Secrets by name. A vault that is missing or unreadable is an empty one: a secret that is
        needed is then found missing.

    Raises:
        OperatorError: The file is no vault.

    Spec:
        server/vault-and-redaction
    """
    path = depot / VAULT_PATH
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        log.warning("cannot read %s, going on without secrets: %s", path, exc.strerror)
        return {}
    try:
        vault, problems = parse_text(content.decode(), Vault)
    except UnicodeDecodeError as exc:
        raise OperatorError(f"{VAULT_PATH}: not UTF-8: {exc.reason}") from exc
    if problems:
        # Without the library's words: they may quote a secret.
        lines = [f"{VAULT_PATH}:{p.line}: not valid text format" for p in problems]
        raise OperatorError("\n".join(lines))
    return dict(vault.secrets)


def render_vault(secrets: Mapping[str, str]) -> str:
    """Render the file, names in order."""
    return render_text(Vault(secrets=dict(secrets)))


def resolve_secrets(config: Config, secrets: Mapping[str, str]) -> None:
    """Put secrets in the place of their placeholders; the ones that are missing stay."""
    for slot in _secrets(config):
        if slot.value == REDACTED and slot.variable in secrets:
            slot.set(secrets[slot.variable])


def find_missing(config: Config) -> list[Problem]:
    """
    Find placeholders that nothing has replaced.

    Spec:
        server/vault-and-redaction
    """
    return [
        Problem(slot.path, f"Missing secret for: {json.dumps([s.upper() for s in slot.steps])}")
        for slot in _secrets(config)
        if slot.value == REDACTED
    ]


def split_secrets(config: Config) -> tuple[Config, dict[str, str]]:
    """
    Separate what goes to the configuration file from what goes to the vault.

    Returns:
        A copy with placeholders, and the secrets by name.
    """
    redacted = Config()
    redacted.CopyFrom(config)
    secrets: dict[str, str] = {}
    for slot in _secrets(redacted):
        if slot.value != REDACTED:
            secrets[slot.variable] = slot.value
            slot.set(REDACTED)
    return redacted, secrets


def redact(config: Config) -> Config:
    """Make a copy in which placeholders stand for the secrets that are set."""
    return split_secrets(config)[0]


def _secrets(config: Config) -> list[Slot]:
    return [slot for slot in walk_slots(config) if slot.is_secret and slot.has_value()]
