"""
One run of a job at a time on this machine: a lock on a file, which the operating system drops with
the process. A command may run a job beside the server that would begin it at the same moment.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


class JobLocks:
    """
    The locks of a depot's jobs.

    Args:
        directory: Exists; private.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def hold(self, job_id: int) -> Iterator[bool]:
        """
        Hold the lock of a job until the end of the block.

        Yields:
            False: somebody else holds it.
        """
        try:
            handle = os.open(
                self._directory / f".job-{job_id}.lock",
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                0o600,
            )
        except OSError as exc:  # a disk that refuses must not keep the job that empties it
            log.warning("runs job %d without a lock: %s", job_id, exc.strerror)
            yield True
            return
        try:
            yield _is_mine(handle, job_id)
        finally:
            os.close(handle)


def _is_mine(handle: int, job_id: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:  # a file system without locks
        log.warning("runs job %d without a lock: %s", job_id, exc.strerror)
    return True
