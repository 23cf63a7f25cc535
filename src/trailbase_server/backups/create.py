"""
Make one backup.

``begin`` (objects are linked, the lock is held) → ``freeze`` (the point in time; writers wait for
this alone) → ``take_rest`` (objects that came meanwhile; deletions of objects wait for this) →
``finish`` (copy, digest, write the manifest, give it its name). Whatever fails, or is stopped,
leaves nothing but a hidden directory that is removed at once, or by the next run.

All of this happens in threads; only ``create_backup`` is for the event loop.
"""

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.backups.errors import BackupError, StoppedError
from trailbase_server.backups.manifest import (
    MANIFEST_FILE,
    Manifest,
    StoredDatabase,
    StoredFile,
    StoredUploads,
    encode_manifest,
)
from trailbase_server.backups.packing import copy_file, digest_file
from trailbase_server.backups.settings import BackupSettings
from trailbase_server.backups.shelf import Shelf, StoredBackup
from trailbase_server.backups.sources import Source
from trailbase_server.backups.uploads import LISTING, UPLOADS, size_of, take_objects
from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.config.files import replace_file
from trailbase_server.db.errors import BusyError, DatabaseError
from trailbase_server.migrations.applied import read_applied
from trailbase_server.sqlite.backup import Snapshots

R = TypeVar("R")

DEPOT = "depot"  # directory of a backup: files of the depot
FREEZE_TRIES = 3  # another process may be in the middle of a long write
SPARE_BYTES = 16 * 1024 * 1024  # that have to be free besides what the databases need
_CONFIG = ("config.textproto", "metadata.textproto", "migrations")
_SECRETS = ("secrets",)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Progress = Callable[[str, int, int], None]
"""Called in a thread with what is being done, how much of it is done, and how much there is."""
Pause = Callable[[], AbstractAsyncContextManager[None]]


def tell_nobody(_what: str, _done: int, _total: int) -> None:
    """Report no progress."""


@asynccontextmanager
async def pause_nobody() -> AsyncIterator[None]:
    """Pause nobody: nothing runs that would have to wait."""
    yield


class Order(Struct, frozen=True):
    """
    What a backup is made of.

    Attributes:
        depot: The directory.
        sources: Its databases.
        settings: What else is copied, and where to.
        object_keys: Objects of a bucket, to be listed; None: they are files below ``uploads/``.
    """

    depot: Path
    sources: Sequence[Source]
    settings: BackupSettings
    object_keys: Sequence[str] | None = None


class BackupRun:
    """
    One run; its methods are called one after the other, in any thread.

    Args:
        order: What to copy.
        progress: Hears how it goes on.
        clock: Tells the time.
    """

    def __init__(self, order: Order, progress: Progress = tell_nobody, clock: Clock = SYSTEM_CLOCK):
        self._order = order
        self._progress = progress
        self._clock = clock
        self._shelf = Shelf(order.settings.directory)
        self._stack = ExitStack()
        self._stopped = threading.Event()
        self._keys: set[str] = set()
        self._started = clock.now()
        self._timestamp = 0
        self._path = Path()
        self._snapshots: Snapshots | None = None

    @property
    def _objects(self) -> Path | None:
        if not self._order.settings.with_uploads or self._order.object_keys is not None:
            return None
        return self._order.depot / "uploads"

    def stop(self) -> None:
        """Make the running step fail soon with ``StoppedError``."""
        self._stopped.set()

    def begin(self) -> None:
        """
        Take the lock, make the hidden directory, link the objects there are.

        Raises:
            BusyShelfError: Another run is at it.
            BackupError: The disk is full, or a file cannot be read.
        """
        with explained():
            self._stack.enter_context(self._shelf.locked())
            self._check_space()
            self._path = self._shelf.begin()
            self._stack.callback(self._clean)
            self.take_rest()
            files = {source.home: source.path for source in self._order.sources}
            self._snapshots = Snapshots(files)
            self._stack.callback(self._snapshots.close)

    def freeze(self) -> None:
        """
        Fix the point in time; milliseconds, unless another process writes.

        Raises:
            BusyError: It went on for too long; may be tried again.
            BackupError: A database is broken.
        """
        try:
            self._frozen.freeze()
        except BusyError:
            raise
        except DatabaseError as exc:
            raise BackupError(_explain(exc)) from exc
        self._timestamp = self._clock.now_s()

    def take_rest(self) -> None:
        """Link objects that are new."""
        if self._objects is not None:
            with explained():
                take_objects(self._objects, self._path / UPLOADS, self._keys, self._check)

    def finish(self) -> StoredBackup:
        """
        Copy everything and publish the backup.

        Raises:
            BackupError: The disk is full or failing, or a database is broken.
            StoppedError: See ``stop``.
        """
        with explained():
            databases = [self._copy_database(source) for source in self._order.sources]
            self._frozen.close()
            timestamp = self._shelf.free_name(self._timestamp)
            manifest = Manifest(
                version=__version__,
                wire_version=WIRE_VERSION,
                timestamp=timestamp,
                started=self._started,
                success=True,
                databases=databases,
                files=self._copy_files(),
                uploads=self._describe_uploads(),
                finished=self._clock.now(),
            )
            self._check()
            replace_file(self._path / MANIFEST_FILE, encode_manifest(manifest), 0o600)
            return self._shelf.publish(self._path, timestamp)

    def close(self) -> None:
        """Let go of the lock; what was not published is removed. Idempotent."""
        self._stack.close()

    @property
    def _frozen(self) -> Snapshots:
        if self._snapshots is None:
            raise BackupError("the run has not begun")
        return self._snapshots

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StoppedError

    def _check_space(self) -> None:
        """Fail before anything is written where it cannot fit anyway."""
        needed = sum(_size_in_use(source.path) for source in self._order.sources)
        free = shutil.disk_usage(self._shelf.directory).free
        if not self._order.settings.compress and free < needed + SPARE_BYTES:
            raise BackupError(
                f"the disk is full: {needed + SPARE_BYTES} bytes are needed in "
                f"{self._shelf.directory}, {free} are free"
            )

    def _copy_database(self, source: Source) -> StoredDatabase:
        copy = self._path / source.home
        copy.parent.mkdir(mode=0o700, exist_ok=True)

        def hear(done: int, total: int) -> None:
            self._check()
            self._progress(source.name, done, total)

        self._frozen.copy(source.home, copy, hear)
        copy.chmod(0o600)
        size, path = copy.stat().st_size, source.home
        if self._order.settings.compress:
            packed = copy.with_name(copy.name + ".gz")
            written = copy_file(copy, packed, pack=True, watch=lambda _: self._check())
            copy.unlink()
            path += ".gz"
        else:
            written = digest_file(copy, lambda _: self._check())
        history = read_applied(self._frozen.connection(source.home))
        newest = max((row.version for row in history), default=None)
        return StoredDatabase(source.name, path, written.size, written.sha256, size, newest)

    def _copy_files(self) -> list[StoredFile]:
        settings = self._order.settings
        wanted = [
            *(_CONFIG if settings.with_config else ()),
            *(_SECRETS if settings.with_secrets else ()),
        ]
        stored = []
        for path in _regular_files(self._order.depot, wanted):
            self._check()
            target = self._path / DEPOT / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stored.append(StoredFile(path, *copy_file(self._order.depot / path, target)))
        return stored

    def _describe_uploads(self) -> StoredUploads:
        if not self._order.settings.with_uploads:
            return StoredUploads()
        keys = self._order.object_keys
        if keys is not None:
            lines = "".join(f"{key}\n" for key in sorted(keys))
            replace_file(self._path / LISTING, lines.encode(), 0o600)
            return StoredUploads("listed", len(keys))
        size = size_of(self._path / UPLOADS, self._keys)
        return StoredUploads("copied", len(self._keys), size)

    def _clean(self) -> None:
        if self._path.exists():
            shutil.rmtree(self._path, ignore_errors=True)


async def create_backup(
    order: Order,
    still: Pause = pause_nobody,
    keeping: Pause = pause_nobody,
    progress: Progress = tell_nobody,
    clock: Clock = SYSTEM_CLOCK,
) -> StoredBackup:
    """
    Make a backup without blocking the event loop.

    Args:
        order: What to copy.
        still: While it lasts, our own writers begin no transaction.
        keeping: While it lasts, no object is deleted.
        progress: Hears how it goes on.
        clock: Tells the time.

    Raises:
        BusyShelfError: Another run is at it.
        BackupError: Anything else; nothing of it is left.

    Spec:
        server/backups-pitr-dr-p1-p2-roadmap-names-point-in-time-recovery
    """
    run = BackupRun(order, progress, clock)
    try:
        await _in_thread(run, run.begin)
        async with keeping():
            await _freeze(run, still)
            await _in_thread(run, run.take_rest)
        return await _in_thread(run, run.finish)
    finally:
        await _in_thread(run, run.close)


async def _freeze(run: BackupRun, still: Pause) -> None:
    for last in [False] * (FREEZE_TRIES - 1) + [True]:
        try:
            async with still():
                await _in_thread(run, run.freeze)
        except BusyError as exc:
            if last:
                raise BackupError(_explain(exc)) from exc
        else:
            return


async def _in_thread(run: BackupRun, step: Callable[[], R]) -> R:
    """Run a step; one that nobody waits for any more is stopped, and waited for."""
    task = asyncio.ensure_future(asyncio.to_thread(step))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        run.stop()
        with suppress(Exception):
            await task
        raise


@contextmanager
def explained() -> Iterator[None]:
    """Turn failures of disks and databases into ``BackupError``."""
    try:
        yield
    except (DatabaseError, OSError) as exc:
        raise BackupError(_explain(exc)) from exc


def _explain(exc: DatabaseError | OSError) -> str:
    if isinstance(exc, OSError):
        if exc.errno in _FULL:
            return f"the disk is full: {exc.filename or exc.strerror}"
        return f"{exc.filename or 'disk'}: {exc.strerror}"
    if isinstance(exc, BusyError):
        return "another process is writing to a database all the time"
    if "FullError" in exc.detail or "IOError" in exc.detail:
        return f"the disk is full or failing: {exc.detail}"
    return exc.detail or exc.public


def _size_in_use(path: Path) -> int:
    """Size of a database with its log, the most that its copy can have."""
    log = path.with_name(path.name + "-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def _regular_files(root: Path, names: Sequence[str]) -> list[str]:
    """Paths of the regular files at and below some names, links left out, relative to a root."""
    found = []
    for name in names:
        path = root / name
        if path.is_file():
            found.append(name)
        for parent, _, files in os.walk(path):
            for file in files:
                one = Path(parent, file)
                if one.is_file() and not one.is_symlink():
                    found.append(one.relative_to(root).as_posix())
    return sorted(found)
