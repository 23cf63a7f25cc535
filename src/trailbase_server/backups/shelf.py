"""
A shelf: the directory that backups stand in, each under the Unix second in which it was made.

What is being made has a hidden name and is renamed when it is complete and on disk; so a directory
with a number is whole, and a hidden one belongs to the process that holds the lock, or to nobody
any more. The lock is on the directory itself: it leaves nothing behind.

Backups that a restore makes of what it is about to replace stand apart, in ``before-restore/``:
they are no part of the series, and a look at the past should not push the past out.
"""

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from trailbase_server.backups.errors import BackupError, BusyShelfError, UnknownBackupError
from trailbase_server.backups.manifest import (
    Manifest,
    StoredDatabase,
    read_manifest,
)
from trailbase_server.backups.packing import digest_file
from trailbase_server.config.files import DIRECTORY_OWNER_ONLY, sync_directory
from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text

log = logging.getLogger(__name__)
_UNFINISHED = re.compile(r"\.backup-[a-z0-9]{12}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,19}\Z")
INT64 = 1 << 63
BEFORE_RESTORE = "before-restore"
MAX_TRIES = 1_000  # seconds to go on from one that is taken: nobody makes more at once


class StoredBackup(Struct, frozen=True):
    """
    A backup on a shelf.

    Attributes:
        timestamp: Its name, Unix seconds.
        path: Of the directory.
    """

    timestamp: int
    path: Path

    def manifest(self) -> Manifest | None:
        """
        Read what it says of itself; None for one of the reference server.

        Raises:
            BackupError: The manifest is broken.
        """
        return read_manifest(self.path)

    def databases(self) -> list[StoredDatabase]:
        """
        List its databases. Without a manifest they are taken as they are.

        Raises:
            BackupError: The manifest is broken, or there is none and no database either.
        """
        manifest = self.manifest()
        if manifest is not None:
            return manifest.databases
        found = []
        for path in sorted(self.path.glob("*.db")):
            if path.is_file() and not path.is_symlink():
                size, digest = digest_file(path)
                found.append(StoredDatabase(path.stem, path.name, size, digest, size))
        if not found:
            raise BackupError("Other: No DBs found")
        return found


Backups = list[StoredBackup]


class Shelf:
    """
    The backups in a directory.

    Args:
        directory: Made when the first backup is.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def list(self) -> Backups:
        """
        List complete backups, oldest first.

        Raises:
            BackupError: The directory cannot be read.
        """
        found, others = self._scan()
        for name in sorted(others):
            log.warning('"%s" is not a backup', self.directory / name)
        return found

    def newest(self) -> StoredBackup | None:
        """The last backup, None without any."""
        return next(reversed(self._scan()[0]), None)

    def find(self, timestamp: int) -> StoredBackup:
        """
        Look a backup up, also among those that restores have made.

        Raises:
            UnknownBackupError: There is none of that name.
        """
        if -INT64 <= timestamp < INT64:
            for directory in (self.directory, self.directory / BEFORE_RESTORE):
                path = directory / str(timestamp)
                if path.is_dir() and not path.is_symlink():
                    return StoredBackup(timestamp, path)
        raise UnknownBackupError(timestamp)

    @property
    def before_restore(self) -> "Shelf":
        """Backups of what restores have replaced."""
        return Shelf(self.directory / BEFORE_RESTORE)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Keep everybody else from making, deleting and restoring backups; remove unfinished ones.

        Raises:
            BusyShelfError: Somebody is at it.
            BackupError: The directory cannot be made.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise BackupError(f"cannot use {self.directory}: {exc.strerror}") from exc
        try:
            _lock(handle, self.directory)
            for left in self._unfinished():
                shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            os.close(handle)

    def begin(self) -> Path:
        """
        Make a hidden directory for a backup, or for something as temporary. The lock is held.

        Raises:
            BackupError: It cannot be made.
        """
        path = self.directory / f".backup-{random_text(12, LOWER_ALPHANUMERIC)}"
        try:
            path.mkdir(mode=DIRECTORY_OWNER_ONLY)
        except OSError as exc:
            raise BackupError(f"cannot make {path}: {exc.strerror}") from exc
        return path

    def free_name(self, timestamp: int) -> int:
        """The first second from ``timestamp`` on that no backup has."""
        others = self.directory / BEFORE_RESTORE
        if self.directory.name == BEFORE_RESTORE:
            others = self.directory.parent
        for number in range(timestamp, timestamp + MAX_TRIES):
            name = str(number)
            if not (self.directory / name).exists() and not (others / name).exists():
                return number
        raise BackupError("the shelf is full: is the clock right?")

    def publish(self, unfinished: Path, timestamp: int) -> StoredBackup:
        """
        Give a complete backup its name. The lock is held.

        Args:
            unfinished: What ``begin`` made; everything in it is synced.
            timestamp: What ``free_name`` said.

        Raises:
            OSError: The disk is failing.
        """
        for parent, _, _ in os.walk(unfinished):
            sync_directory(Path(parent))
        path = self.directory / str(timestamp)
        unfinished.rename(path)
        sync_directory(self.directory)
        return StoredBackup(timestamp, path)

    def remove(self, timestamp: int) -> None:
        """
        Delete a backup: at once it is no backup any more, then its files go. The lock is held.

        Raises:
            UnknownBackupError: There is none.
            BackupError: It cannot be deleted.
        """
        backup = self.find(timestamp)
        hidden = backup.path.with_name(f".backup-{random_text(12, LOWER_ALPHANUMERIC)}")
        try:
            backup.path.rename(hidden)
            shutil.rmtree(hidden)
        except OSError as exc:
            raise BackupError(f"cannot delete {backup.path}: {exc.strerror}") from exc

    def _scan(self) -> tuple[Backups, set[str]]:
        """Backups, oldest first, and names of what is none."""
        found, others = Backups(), set[str]()
        try:
            for entry in os.scandir(self.directory):
                timestamp = _parse_name(entry.name)
                if timestamp is not None and entry.is_dir(follow_symlinks=False):
                    found.append(StoredBackup(timestamp, Path(entry.path)))
                elif not entry.name.startswith(".") and entry.name != BEFORE_RESTORE:
                    others.add(entry.name)
        except FileNotFoundError:
            return [], set()
        except OSError as exc:
            raise BackupError(f"cannot read {self.directory}: {exc.strerror}") from exc
        return sorted(found, key=lambda backup: backup.timestamp), others

    def _unfinished(self) -> Iterator[Path]:
        for entry in os.scandir(self.directory):
            if _UNFINISHED.match(entry.name):
                yield Path(entry.path)


def newest_backup(directory: Path) -> int | None:
    """
    When the last backup in a directory was made, for those who watch its age.

    Returns:
        Unix seconds; None without any, or where the directory cannot be read.
    """
    try:
        backup = Shelf(directory).newest()
    except BackupError:
        return None
    return None if backup is None else backup.timestamp


def _parse_name(name: str) -> int | None:
    if not _NUMBER.match(name):
        return None
    number = int(name)
    return number if -INT64 <= number < INT64 and str(number) == name else None


def _lock(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise BusyShelfError from exc
    except OSError as exc:  # a file system without locks
        log.warning('Cannot lock "%s": %s', directory, exc.strerror)
