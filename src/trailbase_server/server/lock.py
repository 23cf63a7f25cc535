"""
One server per depot: an advisory lock on a file that the operating system drops with the process.

Commands beside a running server do not take it: the database has locks of its own. What two
servers would not share is what they hold in memory, such as configuration and subscriptions.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trailbase_server.errors import OperatorError

log = logging.getLogger(__name__)
LOCK_FILE = "data/.lock"


@contextmanager
def lock_depot(root: Path) -> Iterator[None]:
    """
    Hold the lock of a depot.

    Args:
        root: The depot; ``data/`` is made when missing.

    Raises:
        OperatorError: Another server holds it, or the file cannot be made.

    Spec:
        server/zero-downtime-operation-p2
    """
    path = root / LOCK_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise OperatorError(f'cannot use the depot "{root}": {path}: {exc.strerror}') from exc
    try:
        _lock(handle, root)
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        owner = os.pread(handle, 20, 0).decode(errors="replace").strip()
        raise OperatorError(
            f'the depot "{root}" is in use by another server (process {owner or "unknown"})'
        ) from exc
    except OSError as exc:  # a file system without locks: it worked without them before
        log.warning('Cannot lock the depot "%s": %s', root, exc.strerror)
