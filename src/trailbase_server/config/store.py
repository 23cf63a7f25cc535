"""
Write an updated configuration back: vault first, then the file, each in one step.

Nothing is written when nothing changed, and nothing is overwritten that was edited since it was
read. The version before stays beside the file as ``config.textproto.bak``.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from trailbase_server.config.environment import apply_environment
from trailbase_server.config.fields import complete, walk_slots
from trailbase_server.config.files import (
    OWNER_ONLY,
    StagedFile,
    make_private_directory,
    replace_file,
)
from trailbase_server.config.load import CONFIG_FILE, LoadedConfig, copy_config
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.textproto import render_text
from trailbase_server.config.vault import (
    REDACTED,
    VAULT_PATH,
    find_missing,
    render_vault,
    split_secrets,
)
from trailbase_server.errors import ConflictError, PreconditionError, UnavailableError

BACKUP_FILE = CONFIG_FILE + ".bak"
_HEADER = "# Auto-generated "
# The file or its directory is read-only, or the file is a mount of its own (no renaming over it).
_REFUSED = frozenset((errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY))


def merge_update(
    loaded: LoadedConfig, update: Config, environ: Mapping[str, str]
) -> tuple[Config, Config, dict[str, str], list[Problem]]:
    """
    Work out what an update makes of the running configuration; writes nothing.

    Args:
        loaded: What runs.
        update: As a client sent it, with placeholders for secrets it does not change.
        environ: Variables of the process; they win.

    Returns:
        What would run, what the file would say by itself, the overrides, and secrets that are
        missing or variables that do not fit.

    Spec:
        server/reading-updating-hash-protection
    """
    own = complete(copy_config(update))
    own.DiscardUnknownFields()
    running = {slot.path: slot for slot in walk_slots(loaded.config)}
    for slot in walk_slots(own):
        if slot.is_secret and slot.has_value() and slot.value == REDACTED:
            before = running.get(slot.path)
            if before is not None and before.has_value():
                slot.set(before.value)
    config = copy_config(own)
    overrides, problems = apply_environment(config, environ)
    problems += find_missing(config)
    # What the client saw in these fields was the environment's: the file keeps its own.
    before_update = {slot.path: slot for slot in walk_slots(loaded.own)}
    for slot in list(walk_slots(own)):
        if slot.path in overrides and slot.path in loaded.overrides:
            slot.copy_from(before_update.get(slot.path))
    return config, own, overrides, problems


def store_config(
    loaded: LoadedConfig, config: Config, own: Config, overrides: Mapping[str, str]
) -> LoadedConfig:
    """
    Write a configuration to its depot.

    Args:
        loaded: What was read or written last.
        config: What is to run.
        own: What the file is to say.
        overrides: Variable by path of the fields in which the two differ.

    Returns:
        The same, as it now stands on disk.

    Raises:
        ConflictError: The file was edited since: 409.
        PreconditionError: A file is read-only: 412.
        UnavailableError: The disk is full or broken: 503.

    Spec:
        server/config-protection-and-provenance-p1-p2-the-docs-recommend-read-only-production-config-but-nothing-enforces-it
    """
    path = loaded.depot / CONFIG_FILE
    stored, secrets = split_secrets(own)
    updated = replace(loaded, config=config, own=own, overrides=overrides)
    if stored == complete(copy_config(loaded.stored)) and secrets.items() <= loaded.secrets.items():
        return updated
    text = render_text(stored, leading_comment(loaded.text))
    content = text.encode()
    with _explained(path):
        _check_unedited(path, loaded.digest)
        with StagedFile(path, content) as staged:
            if path.exists():
                # For its owner alone: a hand-written file may have held secrets in the clear.
                replace_file(path.with_name(BACKUP_FILE), loaded.text.encode(), OWNER_ONLY)
            _store_secrets(loaded, secrets)
            try:
                staged.publish()
            except OSError:
                _store_secrets(replace(loaded, secrets=secrets), loaded.secrets)
                raise
    digest = sha256(content).digest()
    return replace(updated, stored=stored, secrets=secrets, text=text, digest=digest)


def _store_secrets(loaded: LoadedConfig, secrets: Mapping[str, str]) -> None:
    if secrets != loaded.secrets:
        vault = loaded.depot / VAULT_PATH
        make_private_directory(vault.parent)
        replace_file(vault, render_vault(secrets).encode(), OWNER_ONLY)


def leading_comment(text: str) -> str:
    """The comment at the top of a file, without the line upstream begins files with."""
    lines = []
    for line in text.split("\n"):
        if line.startswith("#"):
            if not line.startswith(_HEADER):
                lines.append(line.rstrip())
        elif line.strip():
            break
    return "\n".join(lines)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in _REFUSED:
            message = f"precondition failed: {path.name} cannot be replaced: {exc.strerror}"
            raise PreconditionError(message) from exc
        raise UnavailableError(f"Config: IO error: {path.name}: {exc.strerror}") from exc


def _check_unedited(path: Path, digest: bytes) -> None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return  # what is gone cannot be overwritten
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        # Renaming over it may well be possible; but who takes the permission away means it.
        raise PreconditionError(f"precondition failed: {path.name} is read-only")
    if sha256(content).digest() != digest:
        raise ConflictError(
            f"{path.name} was edited since the server read it; reload it (SIGHUP) and try again"
        )
