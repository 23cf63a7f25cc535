"""
Files copied, packed or unpacked, with their digest and size, and synced when they are complete.

Reading and writing is done in pieces; both the digest and the packing let other threads run.
"""

import gzip
import os
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from trailbase_server.backups.errors import BackupError

PIECE_BYTES = 1024 * 1024  # read at a time
GZIP_LEVEL = 3  # a fifth of the time of the usual 9, a tenth more bytes
OWNER_ONLY = 0o600

Watch = Callable[[int], None]
"""Called with the bytes done so far; what it raises ends the work."""


def ignore(_done: int) -> None:
    """Tell nobody."""


class Written(NamedTuple):
    """What a file has become: bytes and SHA-256 in hexadecimal, as stored."""

    size: int
    sha256: str


class _Digest:
    """A file to write to that digests on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0
        self._state = sha256()

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._state.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    def written(self) -> Written:
        return Written(self.size, self._state.hexdigest())


def copy_file(source: Path, target: Path, *, pack: bool = False, watch: Watch = ignore) -> Written:
    """
    Copy a file into a new one that only its owner can read.

    Args:
        source: Regular file.
        target: Does not exist.
        pack: With gzip.
        watch: Hears of the bytes read.

    Raises:
        OSError: The disk is full or failing.
    """
    with source.open("rb") as file, _create(target) as out:
        digest = _Digest(out)
        if pack:
            # Without name and time: the same content is the same file.
            with gzip.GzipFile("", "wb", GZIP_LEVEL, cast(BinaryIO, digest), mtime=0) as packed:
                _pour(file, packed.write, watch)
        else:
            _pour(file, digest.write, watch)
        out.flush()
        os.fsync(out.fileno())
    return digest.written()


def unpack_file(source: Path, target: Path, size: int, watch: Watch = ignore) -> None:
    """
    Unpack a file into a new one.

    Args:
        source: Packed with gzip.
        target: Does not exist.
        size: Bytes that it has to become; more are not written.
        watch: Hears of the bytes written.

    Raises:
        BackupError: It is broken, or of another size.
        OSError: The disk is full or failing.
    """
    done = 0

    def write(data: bytes) -> int:
        nonlocal done
        done += len(data)
        if done > size:
            raise BackupError(f"{source.name} is larger than it says")
        return out.write(data)

    with _create(target) as out:
        try:
            with gzip.open(source, "rb") as packed:
                _pour(cast(BinaryIO, packed), write, watch)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise BackupError(f"{source.name} is broken: {exc}") from exc
        if done != size:
            raise BackupError(f"{source.name} is smaller than it says")
        out.flush()
        os.fsync(out.fileno())


def digest_file(path: Path, watch: Watch = ignore) -> Written:
    """Read a file for its size and digest."""
    state = sha256()
    size = 0

    def take(data: bytes) -> None:
        nonlocal size
        size += len(data)
        state.update(data)

    with path.open("rb") as file:
        _pour(file, take, watch)
    return Written(size, state.hexdigest())


def _create(path: Path) -> BinaryIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    return open(handle, "wb")


def _pour(file: BinaryIO, write: Callable[[bytes], object], watch: Watch) -> None:
    done = 0
    while data := file.read(PIECE_BYTES):
        write(data)
        done += len(data)
        watch(done)
