"""
Replace a file so that after any crash either the old or the new one is there, whole.

A temporary file beside the target is written and synced, then renamed over it, then the directory
is synced. A symbolic link stays one: its target is replaced.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text

OWNER_ONLY = 0o600
DIRECTORY_OWNER_ONLY = 0o700
ANYBODY = 0o666  # less what the umask takes away


class StagedFile:
    """
    New content of a file, written and synced but not yet in place. A context manager: what was not
    published by its end is removed.

    Args:
        path: Existing or new.
        content: All of it.
        mode: Permissions; None keeps those of the existing file, else what the umask leaves.

    Raises:
        OSError: Nothing has changed.
    """

    def __init__(self, path: Path, content: bytes, mode: int | None = None) -> None:
        self.path = path.resolve()
        self._staged = self.path.with_name(f".{path.name}.{random_text(8, LOWER_ALPHANUMERIC)}.tmp")
        before = self.path.stat() if self.path.exists() else None
        if mode is None and before is not None:
            mode = before.st_mode & 0o7777
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        handle = os.open(self._staged, flags, ANYBODY if mode is None else OWNER_ONLY)
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                if before is not None:
                    # Only root may give files away; for others the owner is the same already.
                    with suppress(PermissionError):
                        os.fchown(file.fileno(), before.st_uid, before.st_gid)
                if mode is not None:
                    os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
        except BaseException:
            self.discard()
            raise

    def publish(self) -> None:
        """Put the content in place."""
        self._staged.replace(self.path)
        sync_directory(self.path.parent)

    def discard(self) -> None:
        """Remove the content if it is not in place."""
        self._staged.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file in one step; see ``StagedFile``."""
    with StagedFile(path, content, mode) as staged:
        staged.publish()


def sync_directory(path: Path) -> None:
    """Make renames in a directory survive a power cut, where the file system can do that."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def make_private_directory(path: Path) -> None:
    """Make a directory for its owner alone, or close an existing one to others."""
    path.mkdir(mode=DIRECTORY_OWNER_ONLY, parents=True, exist_ok=True)
    if path.stat().st_mode & ~DIRECTORY_OWNER_ONLY & 0o777:
        path.chmod(DIRECTORY_OWNER_ONLY)
