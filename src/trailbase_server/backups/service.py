"""
Backups of a running server: made on a schedule or on demand, listed, checked, deleted, put back.

What is particular to the server that runs (which databases are open, how its writers are told to
stand still, what has to be built anew after a restore) is its business: ``Host``.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec.structs import replace

from trailbase_server.backups.errors import BackupError, DisabledBackupsError
from trailbase_server.backups.retention import Retention, choose_expired
from trailbase_server.backups.settings import BackupSettings
from trailbase_server.backups.shelf import Shelf, StoredBackup, newest_backup
from trailbase_server.errors import AppError, OperatorError

if TYPE_CHECKING:
    from trailbase_server.backups.bucket import BucketShelf
    from trailbase_server.backups.create import Order, Progress
    from trailbase_server.backups.restore import Restoration, Restored, Scope
    from trailbase_server.backups.verify import PrepareFor, Report

log = logging.getLogger(__name__)
KEPT_BEFORE_RESTORE = 3  # backups of what restores have replaced: enough to think again twice


class Listed(NamedTuple):
    """
    A backup in a list.

    Attributes:
        timestamp: Its name.
        size: Bytes of all that is in it, None if it does not say.
        databases: Their names, empty if it does not say.
        problem: Why it is of no use, None if it seems to be.
    """

    timestamp: int
    size: int | None
    databases: list[str]
    problem: str | None = None


class Host(Protocol):
    """
    The server whose databases are backed up.

    Attributes:
        depot: The directory.
        prepare_for: Functions of a database, by its place below ``data/``.
    """

    depot: Path
    prepare_for: "PrepareFor"

    def settings(self) -> BackupSettings:
        """What the configuration that runs says."""
        ...

    async def order(self, settings: BackupSettings) -> "Order":
        """Which databases and objects there are now."""
        ...

    def still(self) -> AbstractAsyncContextManager[None]:
        """While it lasts, no writer begins a transaction."""
        ...

    def keeping(self) -> AbstractAsyncContextManager[None]:
        """While it lasts, no object is deleted."""
        ...

    async def prepare_staged(self, staging: Path, homes: list[str]) -> None:
        """
        Bring databases that are about to come into use up to date, and see that all fits them.

        Raises:
            UnsuitableBackupError: The configuration does not.
        """
        ...

    async def replaced(self) -> None:
        """Follow what has changed below the open databases; the writers stand still."""
        ...

    async def resumed(self) -> None:
        """Follow it in full; the writers write again."""
        ...


class Backups:
    """
    The backups of a running server.

    Args:
        host: The server.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self._host.settings().directory)

    async def list(self) -> "Listing":
        """
        List all backups, oldest first.

        Raises:
            BackupError: The directory cannot be read.
        """
        return await asyncio.to_thread(list_shelf, self._shelf)

    async def list_before_restore(self) -> "Listing":
        """
        List backups of what restores have replaced, oldest first.

        Raises:
            BackupError: The directory cannot be read.
        """
        return await asyncio.to_thread(list_shelf, self._shelf.before_restore)

    def newest(self) -> int | None:
        """When the last backup was made, Unix seconds; None without any. Reads one directory."""
        return newest_backup(self._host.settings().directory)

    async def run(self, progress: "Progress | None" = None) -> StoredBackup:
        """
        Make a backup as configured, copy it to the bucket, delete what is no longer kept.

        Args:
            progress: Hears how it goes on, in a thread.

        Raises:
            DisabledBackupsError: The configuration wants none.
            BusyShelfError: Another run is at it.
            BackupError: It failed; what is no longer kept is deleted all the same.

        Spec:
            server/backups
        """
        settings = self._host.settings()
        if not settings.is_enabled:
            raise DisabledBackupsError
        try:
            return await self._make(settings, progress)
        finally:
            await self._prune(settings)

    async def run_job(self) -> None:
        """Do what ``run`` does, as a job."""
        await self.run()

    async def delete(self, timestamps: Iterable[int]) -> None:
        """
        Delete backups in the order given, here and in the bucket; stops at the first failure.

        Raises:
            UnknownBackupError: There is no such backup.
            BusyShelfError: One is being made or put back.
            BackupError: It cannot be deleted.
        """
        settings = self._host.settings()
        shelf = Shelf(settings.directory)
        for timestamp in timestamps:
            await asyncio.to_thread(_remove, shelf, timestamp)
            if settings.bucket is not None:
                await open_bucket_shelf(settings).remove([timestamp])

    async def verify(self, timestamp: int) -> "Report":
        """
        Check a backup from its first byte to its last.

        Raises:
            UnknownBackupError: There is no such backup.
            BackupError: There is no room to unpack it.
        """
        # Imported when first needed: start-up time.
        from trailbase_server.backups.verify import verify_backup  # noqa: PLC0415

        backup = self._shelf.find(timestamp)
        return await asyncio.to_thread(verify_backup, backup, self._host.prepare_for)

    async def restore(self, timestamp: int, scope: "Scope") -> "Restored":
        """
        Put a backup back under the running server, after making one of the present state.

        Args:
            timestamp: Which one.
            scope: Which databases. Configuration and secrets are for the command line.

        Raises:
            UnknownBackupError: There is no such backup.
            UnsuitableBackupError: It is broken, newer, or does not fit the configuration; nothing
                has been changed.
            BusyShelfError: A backup is being made.
            BackupError: It failed; the message says what state that leaves.

        Spec:
            server/restore
        """
        backup = self._shelf.find(timestamp)
        # Once begun it is finished, even if whoever wants it goes away.
        return await asyncio.shield(asyncio.ensure_future(self._restore(backup, scope)))

    async def _restore(self, backup: StoredBackup, scope: "Scope") -> "Restored":
        # Imported when first needed: start-up time.
        from trailbase_server.backups.create import create_backup, explained  # noqa: PLC0415
        from trailbase_server.backups.restore import Restoration, restoring  # noqa: PLC0415

        host, settings = self._host, self._host.settings()
        restoration = Restoration(host.depot, backup, scope, host.prepare_for)
        with ExitStack() as stack:
            with explained():
                await asyncio.to_thread(stack.enter_context, restoring(host.depot))
            await asyncio.to_thread(restoration.stage, online=True)
            await host.prepare_staged(restoration.staging, restoration.homes)
            plain = settings_of_before(settings, with_logs="logs.db" in restoration.homes)
            order = await host.order(plain)
            safety = await create_backup(order, host.still, host.keeping)
            async with host.still():
                await asyncio.to_thread(restoration.decide)
                await self._apply(restoration, safety)
                await host.replaced()
        await host.resumed()
        await self._prune(plain, {backup.timestamp})
        log.warning(
            "Restored backup %d; backup %d is of before", backup.timestamp, safety.timestamp
        )
        return restoration.report(safety.timestamp)

    async def _apply(self, restoration: "Restoration", safety: StoredBackup) -> None:
        try:
            await asyncio.to_thread(restoration.apply)
        except BackupError as exc:
            try:
                await asyncio.to_thread(restoration.undo, safety)
            except BackupError as worse:
                raise BackupError(
                    f"{exc.reason}; databases are of different times now. Restart the server: the "
                    "restore is finished by the next start"
                ) from worse
            raise BackupError(f"{exc.reason}; everything is as it was before") from exc
        await asyncio.to_thread(restoration.finish)

    async def _make(self, settings: BackupSettings, progress: "Progress | None") -> StoredBackup:
        # Imported when first needed: start-up time.
        from trailbase_server.backups.create import create_backup, tell_nobody  # noqa: PLC0415

        host = self._host
        order = await host.order(settings)
        backup = await create_backup(order, host.still, host.keeping, progress or tell_nobody)
        log.info("Made backup %d", backup.timestamp)
        if settings.bucket is not None:
            try:
                await upload_missing(settings)
            except BackupError as exc:
                raise BackupError(
                    f"backup {backup.timestamp} is complete, but not its copy: {exc.reason}"
                ) from exc
        return backup

    async def _prune(self, settings: BackupSettings, protected: "set[int] | None" = None) -> None:
        try:
            await prune(settings, protected or set())
        except (AppError, OperatorError) as exc:
            log.warning("Backups that are no longer kept could not be deleted: %s", exc)


Listing = list[Listed]


def settings_of_before(settings: BackupSettings, *, with_logs: bool) -> BackupSettings:
    """
    Settings of a backup of what a restore is about to replace.

    Args:
        settings: Of other backups.
        with_logs: The access log is replaced, too.
    """
    return replace(
        settings,
        directory=Shelf(settings.directory).before_restore.directory,
        keep=Retention(KEPT_BEFORE_RESTORE),
        with_logs=with_logs,
        compress=False,
        bucket=None,
    )


def list_shelf(shelf: Shelf) -> Listing:
    """
    List a shelf with what its backups say of themselves; blocks.

    Raises:
        BackupError: The directory cannot be read.
    """
    found = []
    for backup in shelf.list():
        try:
            manifest = backup.manifest()
        except BackupError as exc:
            found.append(Listed(backup.timestamp, None, [], exc.reason))
            continue
        if manifest is None:
            found.append(Listed(backup.timestamp, None, []))
        else:
            names = [database.name for database in manifest.databases]
            found.append(Listed(backup.timestamp, manifest.size, names))
    return found


async def upload_missing(settings: BackupSettings) -> None:
    """
    Copy all backups to the bucket that are newer than the newest there.

    So what could not be copied while the bucket was away comes with the next one.

    Raises:
        BackupError: The bucket does not answer.
    """
    bucket = open_bucket_shelf(settings)
    newest = max(await bucket.list(), default=None)
    shelf = Shelf(settings.directory)
    for backup in await asyncio.to_thread(shelf.list):
        is_new = newest is None or backup.timestamp > newest
        if is_new and await asyncio.to_thread(backup.manifest) is not None:
            await bucket.store(backup)


async def prune(settings: BackupSettings, protected: set[int]) -> None:
    """
    Delete what no rule keeps, here and in the bucket.

    Args:
        settings: The rules, and both places.
        protected: Kept whatever the rules say.

    Raises:
        BackupError: Something cannot be deleted.
        BusyShelfError: Another run is at it; it will prune.
    """
    shelf = Shelf(settings.directory)
    listed = await asyncio.to_thread(shelf.list)
    expired = choose_expired((one.timestamp for one in listed), settings.keep, protected)
    for timestamp in expired:
        await asyncio.to_thread(_remove, shelf, timestamp)
    if settings.bucket is not None:
        bucket = open_bucket_shelf(settings)
        stored = await bucket.list()
        await bucket.remove(choose_expired(stored, settings.keep, protected))


def _remove(shelf: Shelf, timestamp: int) -> None:
    shelf.find(timestamp)
    with shelf.locked():
        shelf.remove(timestamp)


def open_bucket_shelf(settings: BackupSettings) -> "BucketShelf":
    """
    Open the bucket of the configuration.

    Raises:
        OperatorError: There is none, or it cannot be used at all.
    """
    if settings.bucket is None:
        raise OperatorError("the configuration names no bucket: backups.s3 is missing")
    # Imported when first needed: start-up time.
    from trailbase_server.backups.bucket import BucketShelf  # noqa: PLC0415

    return BucketShelf(settings.bucket, settings.prefix)
