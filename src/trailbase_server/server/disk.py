"""How much room there is, and whether a file can be made: the two ways for a disk to be full."""

import os
from pathlib import Path
from typing import NamedTuple

PROBE_FILE = ".probe"
PROBE_BYTES = 4096  # one block
LOW_BYTES = 1024**3  # less room than this, and less than LOW_PART, is worth a look …
LOW_PART = 10  # … of the file system, as its divisor
FULL_BYTES = 16 * 1024**2  # less room than this, and less than FULL_PART, is as good as none:
FULL_PART = 50  # a checkpoint and a backup of the configuration would not fit


class Room(NamedTuple):
    """
    What a file system has.

    Attributes:
        free: Bytes for us.
        total: Bytes.
    """

    free: int
    total: int

    @property
    def is_low(self) -> bool:
        """Should somebody look at it?"""
        return self.free < min(LOW_BYTES, self.total // LOW_PART)

    @property
    def is_full(self) -> bool:
        """Will writes fail soon?"""
        return self.free < min(FULL_BYTES, self.total // FULL_PART)


def probe_directory(directory: Path) -> Room:
    """
    Measure the room in a directory, and make and remove a small file there; blocks.

    Raises:
        OSError: It cannot be made: full, out of inodes, read-only, gone.
    """
    status = os.statvfs(directory)
    path = directory / PROBE_FILE
    try:
        with path.open("wb", buffering=0) as file:
            file.write(b"\x01" * PROBE_BYTES)
    finally:
        path.unlink(missing_ok=True)
    return Room(status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize)
