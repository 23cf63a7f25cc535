"""What is found on the disk: sizes of files, room, the newest backup. Blocks."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct


class Disk(Struct, frozen=True):
    """
    What there is.

    Attributes:
        files, logs: Bytes of database files and of their write-ahead logs, by database.
        free, size: Bytes of the file system with the data; None if it does not tell.
        newest_backup: When it was made, Unix seconds; None without any.
    """

    files: Mapping[str, int]
    logs: Mapping[str, int]
    free: int | None
    size: int | None
    newest_backup: int | None


def look_at_disk(
    files: Mapping[str, Path], data: Path, newest_backup: Callable[[], int | None]
) -> Disk:
    """
    Look.

    Args:
        files: Database files by name.
        data: A directory on the file system that matters.
        newest_backup: Finds it.
    """
    logs = {name: path.with_name(f"{path.name}-wal") for name, path in files.items()}
    free = size = None
    try:
        room = os.statvfs(data)
    except OSError:  # gone, or not ours any more: readiness tells
        pass
    else:
        free, size = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    return Disk(_sizes(files), _sizes(logs), free, size, newest_backup())


def _sizes(paths: Mapping[str, Path]) -> dict[str, int]:
    return {name: _size(path) for name, path in paths.items()}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a log that has not been begun
        return 0
