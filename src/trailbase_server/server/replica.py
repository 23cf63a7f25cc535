"""
Restore a depot that no server has open out of a replica, as it was at a moment.

What the replica holds becomes a backup that lives for as long as the restore takes. From there on
all is as with other backups: it is checked first, the present state is saved, and once decided the
restore is finished, whatever happens.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import apsw
from msgspec import Struct

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.backups.create import Progress, explained, tell_nobody
from trailbase_server.backups.errors import BackupError
from trailbase_server.backups.manifest import (
    MANIFEST_FILE,
    Manifest,
    StoredDatabase,
    encode_manifest,
)
from trailbase_server.backups.packing import digest_file
from trailbase_server.backups.restore import Restored, Scope
from trailbase_server.backups.settings import BackupSettings
from trailbase_server.backups.shelf import Shelf, StoredBackup
from trailbase_server.backups.sources import list_homes
from trailbase_server.backups.verify import PrepareFor
from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.files import OWNER_ONLY, replace_file
from trailbase_server.errors import OperatorError
from trailbase_server.migrations.applied import read_applied
from trailbase_server.replication.fetch import ReplicaReader
from trailbase_server.replication.moment import render_moment
from trailbase_server.replication.settings import ReplicationSettings
from trailbase_server.server.restore import closed_depot, put_back
from trailbase_server.sqlite.backup import open_copy

SHELF = ".from-replica"  # directory beside the backups, for as long as it takes
MAX_AHEAD_S = 60.0  # of our clock; whoever asks for more has mistyped


class Wanted(Struct, frozen=True):
    """
    What is taken out of which replica.

    Attributes:
        source: The replica.
        databases: Names of the configured databases.
        moment: Unix seconds; None: the latest there is.
        environ: Keys of a bucket.
    """

    source: ReplicationSettings
    databases: Sequence[str]
    moment: float | None
    environ: Mapping[str, str]


def restore_replica(
    depot: Path,
    settings: BackupSettings,
    wanted: Wanted,
    scope: Scope,
    *,
    prepare_for: PrepareFor,
    progress: Progress = tell_nobody,
) -> Restored:
    """
    Restore with the depot's lock held; blocks.

    Args:
        depot: Where to; made when missing.
        settings: Where the backup of the present state goes.
        wanted: What.
        scope: How much of it.
        prepare_for: Functions of the databases.
        progress: Hears how it goes on.

    Raises:
        OperatorError: A server runs, or the replica cannot be read or holds nothing.
        AppError: It does not fit, or the disk is full.

    Spec:
        server/backups-pitr-dr-p1-p2-roadmap-names-point-in-time-recovery
    """
    moment = wanted.moment
    if moment is not None and moment > SYSTEM_CLOCK.now() + MAX_AHEAD_S:
        raise OperatorError(f"{render_moment(moment)} is in the future")
    shelf = Shelf(settings.directory / SHELF)
    with closed_depot(depot), shelf.locked():
        path = shelf.begin()
        try:
            backup = _fetch(path, wanted, scope, progress)
            return put_back(depot, settings, backup, scope, prepare_for, progress)
        finally:
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                shelf.directory.rmdir()


def _fetch(path: Path, wanted: Wanted, scope: Scope, progress: Progress) -> StoredBackup:
    started = SYSTEM_CLOCK.now()
    source, moment = wanted.source, wanted.moment
    reader = ReplicaReader(source, path, wanted.environ)
    homes = list_homes(wanted.databases, with_logs=source.with_logs)
    chosen = [home for home in homes if Path(home).stem not in scope.without]
    databases = []
    for number, home in enumerate(chosen):
        progress("replica", number, len(chosen))
        copy = path / home
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        if reader.fetch(home, copy, moment):
            databases.append(_describe(copy, home))
        elif home == "main.db":
            when = f" from before {render_moment(moment)}" if moment is not None else ""
            raise OperatorError(f"{source.target} holds no replica of main{when}")
    timestamp = int(started if moment is None else moment)
    manifest = Manifest(
        version=__version__,
        wire_version=WIRE_VERSION,
        timestamp=timestamp,
        started=started,
        success=True,
        databases=databases,
        finished=SYSTEM_CLOCK.now(),
    )
    with explained():
        replace_file(path / MANIFEST_FILE, encode_manifest(manifest), OWNER_ONLY)
    return StoredBackup(timestamp, path)


def _describe(copy: Path, home: str) -> StoredDatabase:
    try:
        with closing(open_copy(copy)) as connection:
            newest = max((row.version for row in read_applied(connection)), default=None)
    except (apsw.Error, ValueError) as exc:
        raise BackupError(f"the replica of {home} is broken: {exc}") from exc
    with explained():
        size, digest = digest_file(copy)
    return StoredDatabase(copy.stem, home, size, digest, size, newest)
