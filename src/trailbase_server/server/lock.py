"""
One server per depot: an advisory lock on a file that the operating system drops with the process.

Commands beside a running server do not take it: the database has locks of its own. What two
servers would not share is what they hold in memory, such as configuration and subscriptions.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)
LOCK_FILE = "data/.lock"
MAX_CONTENT_BYTES = 64  # a process id and a word


class FileLock:
    """
    An advisory lock on a file, in which its holder writes who it is and what it is doing.

    Args:
        path: Made when missing, like its directory.

    Raises:
        OSError: The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def acquire(self) -> bool:
        """Try to get the lock; on a file system without locks it is always got."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as exc:  # it worked without them before
            log.warning('Cannot lock "%s": %s', self._path, exc.strerror)
        self.mark()
        return True

    def mark(self, word: str = "") -> None:
        """Write down who holds the lock, and what it is doing; for the holder."""
        # On a full disk it cannot be read, but the lock holds.
        with suppress(OSError):
            os.truncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()} {word}".rstrip().encode() + b"\n", 0)

    def read(self) -> tuple[str, str]:
        """Read process id and word of the holder; empty ones where nobody has written."""
        text = os.pread(self._handle, MAX_CONTENT_BYTES, 0).decode(errors="replace")
        pid, _, word = text.strip().partition(" ")
        return pid, word

    def close(self) -> None:
        """Give the lock back."""
        os.close(self._handle)


def open_lock(root: Path, name: str = LOCK_FILE) -> FileLock:
    """
    Open a lock of a depot, without getting it.

    Raises:
        OperatorError: The file cannot be made.
    """
    path = root / name
    try:
        return FileLock(path)
    except OSError as exc:
        raise OperatorError(f'cannot use the depot "{root}": {path}: {exc.strerror}') from exc


def refuse_depot(root: Path, lock: FileLock) -> OperatorError:
    """Say who is in the way."""
    pid, _ = lock.read()
    return OperatorError(
        f'the depot "{root}" is in use by another server (process {pid or "unknown"})'
    )


@contextmanager
def lock_depot(root: Path) -> Iterator[FileLock]:
    """
    Hold the lock of a depot.

    Args:
        root: The depot; ``data/`` is made when missing.

    Raises:
        OperatorError: Another server holds it, or the file cannot be made.

    Spec:
        server/zero-downtime-operation-p2
    """
    lock = open_lock(root)
    try:
        if not lock.acquire():
            raise refuse_depot(root, lock)
        yield lock
    finally:
        lock.close()
