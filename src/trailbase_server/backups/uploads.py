"""
Contents of uploaded files beside the databases: hard links, or copies where those cannot be.

An object never changes under its key, so a link is as good as a copy and costs nothing, until the
last of them is removed. On another file system there are no links.
"""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from trailbase_server.config.files import sync_directory
from trailbase_server.storage.base import is_key

UPLOADS = "uploads"  # directory of a backup
LISTING = "uploads.txt"  # keys, one a line, where the objects stay in their bucket
# No links between file systems, on this one, for this user, or to this file again.
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)


def take_objects(source: Path, target: Path, taken: set[str], check: Callable[[], None]) -> None:
    """
    Link or copy all objects that are not there yet.

    Args:
        source: Has the objects, and other things that are left alone; may be missing.
        target: Directory; made when missing.
        taken: Keys that need not be looked at; grows.
        check: Called for each; what it raises ends the work.

    Raises:
        OSError: The disk is full or failing.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in list_objects(source):
        if key in taken:
            continue
        check()
        if _take(source / key, target / key):
            taken.add(key)
    sync_directory(target)


def list_objects(directory: Path) -> list[str]:
    """Keys of the objects in a directory; empty if it is missing."""
    try:
        return [name for name in os.listdir(directory) if is_key(name)]
    except FileNotFoundError:
        return []


def size_of(directory: Path, keys: set[str]) -> int:
    """Bytes of all objects."""
    return sum((directory / key).stat().st_size for key in keys)


def _take(source: Path, target: Path) -> bool:
    """Link or copy one; False if it has just been deleted."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except FileExistsError:
        return True
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        return _copy(source, target)
    return True


def _copy(source: Path, target: Path) -> bool:
    staged = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, staged)
    except FileNotFoundError:
        return False
    handle = os.open(staged, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    staged.rename(target)
    return True
