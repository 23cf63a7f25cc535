"""
The directory of a depot: what is in it, made where it is missing, and the version it last ran.

What is there is never overwritten, with the one exception of ``metadata.textproto``. Parts may be
mounted read-only: a missing directory that a start can do without is then only worth a line in
the log.
"""

import errno
import logging
import os
from pathlib import Path

from trailbase_server.config.files import make_private_directory, replace_file
from trailbase_server.config.proto.metadata_pb2 import Metadata
from trailbase_server.config.textproto import parse_text, render_text
from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)
METADATA_FILE = "metadata.textproto"
NEEDED = ("data", "uploads")  # without them nothing can be stored
WISHED = ("backups", "migrations/main", "wasm")
PRIVATE = ("secrets", "secrets/keys")
KEYS = "secrets/keys"
CERTS = "secrets/certs"  # made by operators, or when certificates are got
GITIGNORE = """\
backups/
data/
secrets/
uploads/
wasm/
scripts/
metadata.textproto
config.textproto.bak
trailbase.d.ts
trailbase.js
*.mmdb
"""
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def prepare_depot(root: Path) -> None:
    """
    Make the directories and small files that are missing.

    Args:
        root: The depot; made with its parents when missing.

    Raises:
        OperatorError: It is no directory, something needed cannot be made or written, or
            ``metadata.textproto`` is broken.

    Spec:
        server/layout
        server/read-only-mounts
    """
    if root.exists() and not root.is_dir():
        raise OperatorError(f'the depot "{root}" is not a directory')
    made = [_make_directory(root, root, needed=True)]
    made += [_make_directory(root, root / name, needed=True) for name in NEEDED]
    made += [_make_directory(root, root / name, needed=False) for name in WISHED]
    made += [_make_private(root / name) for name in PRIVATE]
    made.append(_make_gitignore(root / ".gitignore"))
    if any(made):
        log.info('Initialized or repaired depot: "%s"', root)
    for name in NEEDED:
        if not os.access(root / name, os.W_OK | os.X_OK):
            raise OperatorError(f'"{root / name}" must be writable')
    read_last_version(root)


def read_last_version(root: Path) -> str | None:
    """
    Which version started successfully last.

    Returns:
        None where none ever has.

    Raises:
        OperatorError: The file cannot be read or is broken.

    Spec:
        server/metadata-textproto
    """
    path = root / METADATA_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise OperatorError(f'cannot read "{path}": {exc}') from exc
    metadata, mistakes = parse_text(text, Metadata)
    if mistakes:
        raise OperatorError("\n".join(f"{path}:{m.line}:{m.column}: {m.message}" for m in mistakes))
    return metadata.last_executed_version or None


def remember_version(root: Path, version: str) -> None:
    """
    Write down that this version has started; called at the end of a start.

    Raises:
        OperatorError: The present file cannot be read or is broken.

    Spec:
        server/metadata-textproto
    """
    before = read_last_version(root)
    if before == version:
        return
    if before is not None:
        log.warning("The depot was last used by version %s, now by %s", before, version)
    content = render_text(Metadata(last_executed_version=version))
    try:
        replace_file(root / METADATA_FILE, content.encode())
    except OSError as exc:
        log.info("Cannot write %s: %s", METADATA_FILE, exc.strerror)


def _make_directory(root: Path, path: Path, *, needed: bool) -> bool:
    if path.is_dir():
        return False
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        if needed or exc.errno not in _READ_ONLY:
            raise OperatorError(f'cannot make "{path}": {exc.strerror}') from exc
        log.info('Cannot make "%s" in the depot "%s": %s', path.name, root, exc.strerror)
        return False
    return True


def _make_private(path: Path) -> bool:
    """Make a directory for its owner only, close one that is open to others if we may."""
    is_new = not path.is_dir()
    try:
        make_private_directory(path)
    except OSError as exc:
        if is_new:
            raise OperatorError(f'cannot make "{path}": {exc.strerror}') from exc
        log.warning('"%s" is open to others and cannot be closed: %s', path, exc.strerror)
    return is_new


def _make_gitignore(path: Path) -> bool:
    if path.exists():
        return False
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(GITIGNORE)
    except OSError as exc:
        log.info('Cannot write "%s": %s', path, exc.strerror)
        return False
    return True
