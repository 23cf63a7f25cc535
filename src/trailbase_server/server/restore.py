"""Put a backup back into a depot that no server has open."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trailbase_server.backups.create import Order, Progress, create_backup, tell_nobody
from trailbase_server.backups.errors import BackupError
from trailbase_server.backups.restore import (
    Restoration,
    Restored,
    Scope,
    finish_interrupted,
    restoring,
)
from trailbase_server.backups.service import open_bucket_shelf, prune, settings_of_before
from trailbase_server.backups.settings import BackupSettings
from trailbase_server.backups.shelf import Shelf, StoredBackup
from trailbase_server.backups.sources import find_sources
from trailbase_server.backups.verify import PrepareFor
from trailbase_server.db.errors import DatabaseError
from trailbase_server.errors import OperatorError
from trailbase_server.replication.render import forget_state
from trailbase_server.server.lock import lock_depot


def restore_offline(
    depot: Path,
    settings: BackupSettings,
    timestamp: int,
    scope: Scope,
    *,
    source: Shelf,
    from_bucket: bool,
    prepare_for: PrepareFor,
    progress: Progress = tell_nobody,
) -> Restored:
    """
    Restore with the depot's lock held; blocks.

    Args:
        depot: Where to; made when missing.
        settings: Where the backup of the present state goes, and which bucket there is.
        timestamp: Which backup.
        scope: How much of it.
        source: Where it stands.
        from_bucket: It is in the bucket; it is copied to the shelf of the settings first.
        prepare_for: Functions of the databases.
        progress: Hears how it goes on.

    Raises:
        OperatorError: A server runs, or there is no such bucket.
        AppError: There is no such backup, it does not fit, or the disk is full.

    Spec:
        server/restore
    """
    with closed_depot(depot):
        if from_bucket:
            source = Shelf(settings.directory)
            asyncio.run(_fetch(settings, timestamp, source))
        backup = source.find(timestamp)
        return put_back(depot, settings, backup, scope, prepare_for, progress)


@contextmanager
def closed_depot(depot: Path) -> Iterator[None]:
    """
    Hold the lock of a depot; what an interrupted restore has left is finished first.

    Raises:
        OperatorError: A server runs.
    """
    try:
        with lock_depot(depot):
            finish_interrupted(depot)
            yield
    except OperatorError as exc:
        if "in use by another server" not in str(exc):
            raise
        raise OperatorError(f"{exc}: stop it, or restore through its admin API") from exc


def put_back(
    depot: Path,
    settings: BackupSettings,
    backup: StoredBackup,
    scope: Scope,
    prepare_for: PrepareFor,
    progress: Progress = tell_nobody,
) -> Restored:
    """
    Restore one backup into a closed depot; blocks.

    Args:
        depot: Its lock is held.
        settings: Where the backup of the present state goes.
        backup: Where it stands is no matter.
        scope: How much of it.
        prepare_for: Functions of the databases.
        progress: Hears how it goes on.

    Raises:
        AppError: It does not fit, or the disk is full.
    """
    restoration = Restoration(depot, backup, scope, prepare_for, progress)
    with restoring(depot):
        restoration.stage(online=False)
        safety = _save(depot, settings, backup)
        restoration.decide()
        restoration.apply()
        forget_state(depot / "data", restoration.homes)
        restoration.finish()
    return restoration.report(safety)


async def _fetch(settings: BackupSettings, timestamp: int, shelf: Shelf) -> None:
    """Copy a backup from the bucket, unless it is here already."""
    if timestamp in [one.timestamp for one in shelf.list()]:
        return
    bucket = open_bucket_shelf(settings)
    with shelf.locked():
        await bucket.fetch(timestamp, shelf)


async def _save_now(order: Order, backup: StoredBackup) -> int:
    made = await create_backup(order)
    await prune(order.settings, {backup.timestamp})
    return made.timestamp


def _save(depot: Path, settings: BackupSettings, backup: StoredBackup) -> int | None:
    """
    Back up what is there, before it is gone.

    Databases that are beyond repair cannot be copied as such: their files are put aside as they
    are.
    """
    sources = find_sources(depot / "data")
    if not sources:
        return None
    with_logs = any(database.name == "logs" for database in backup.databases())
    chosen = settings_of_before(settings, with_logs=with_logs)
    kept = [source for source in sources if with_logs or source.name != "logs"]
    try:
        return asyncio.run(_save_now(Order(depot, kept, chosen), backup))
    except BackupError as exc:
        if not isinstance(exc.__cause__, DatabaseError):
            raise
        aside = depot / "data" / f"broken-{backup.timestamp}"
        shutil.rmtree(aside, ignore_errors=True)
        for source in kept:
            target = aside / source.home
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in source.path.parent.glob(f"{source.path.name}*"):
                shutil.copy2(path, target.parent / path.name)
        return None
