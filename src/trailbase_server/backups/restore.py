"""
Put a backup back into a depot, all of it or nothing, whatever happens in the middle.

States, by what is in ``data/.restore/``::

    nothing        no restore
    files          *staged*: copies that are being checked; the depot has not been touched
    … + plan.json  *decided*: the copies are whole and fit; from here on it is finished, by whoever
                   comes: this process, or the next one that opens the depot

``apply`` writes each database in one transaction of the live file and may be run again from the
start at any time. Objects of uploads are added before the decision: one too many does no harm. What
the depot has since got besides (objects, databases that the backup lacks) stays.
"""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

import apsw
from msgspec import Struct

from trailbase_server.backups.create import DEPOT, Progress, explained, tell_nobody
from trailbase_server.backups.errors import BackupError, UnsuitableBackupError
from trailbase_server.backups.manifest import Manifest, StoredDatabase
from trailbase_server.backups.packing import copy_file, unpack_file
from trailbase_server.backups.shelf import StoredBackup
from trailbase_server.backups.sources import (
    ONLY_WHERE_MISSING,
    STAGING,
    kind_of,
    known_migrations,
)
from trailbase_server.backups.uploads import UPLOADS, take_objects
from trailbase_server.backups.verify import PrepareFor, find_difference
from trailbase_server.config.files import (
    OWNER_ONLY,
    make_private_directory,
    replace_file,
    sync_directory,
)
from trailbase_server.db.errors import BusyError, DatabaseError, DiskError
from trailbase_server.errors import OperatorError
from trailbase_server.migrations.applied import read_applied
from trailbase_server.migrations.plan import plan as plan_migrations
from trailbase_server.sqlite.backup import (
    find_damage,
    open_copy,
    overwrite,
    read_page_size,
    replace,
)

log = logging.getLogger(__name__)
PLAN_FILE = "plan.json"
_SECRETS = "secrets"


class Scope(Struct, frozen=True):
    """
    What is put back.

    Attributes:
        without: Names of databases that stay as they are.
        config: Replace ``config.textproto`` and migrations, too; otherwise only missing files come.
        secrets: Replace ``secrets/``, too.
    """

    without: frozenset[str] = frozenset()
    config: bool = False
    secrets: bool = False


class Restored(Struct, frozen=True):
    """
    What has been put back.

    Attributes:
        timestamp: Of the backup.
        databases: Names of those that are as they were.
        kept: Names of those of the backup that were left out.
        files: Paths of other files.
        uploads: Objects that had been missing.
        safety: Backup of the state before; None if there was nothing.
    """

    timestamp: int
    databases: list[str]
    kept: list[str]
    files: list[str]
    uploads: int
    safety: int | None = None


class Restoration:
    """
    One restore; its methods block and are called in this order, within ``restoring``.

    Args:
        depot: Where to.
        backup: What.
        scope: How much of it.
        prepare_for: Functions of the databases.
        progress: Hears how it goes on.
    """

    def __init__(
        self,
        depot: Path,
        backup: StoredBackup,
        scope: Scope,
        prepare_for: PrepareFor,
        progress: Progress = tell_nobody,
    ) -> None:
        self._depot = depot
        self._backup = backup
        self._scope = scope
        self._prepare_for = prepare_for
        self._progress = progress
        self.data = depot / "data"
        self.staging = self.data / STAGING
        self._kept: list[str] = []
        self._databases: list[StoredDatabase] = []
        self._files: list[str] = []
        self._uploads = 0

    @property
    def homes(self) -> list[str]:
        """Databases that are restored, by their place below ``data/`` and the staging directory."""
        return [database.home for database in self._databases]

    def stage(self, *, online: bool) -> None:
        """
        Copy and check everything; the depot is not touched.

        Args:
            online: The databases stay open.

        Raises:
            UnsuitableBackupError: It is broken, newer, or does not fit.
            BackupError: The disk is full.
        """
        with explained():
            manifest = self._backup.manifest()
            self._choose()
            self._check_space()
            problems = []
            for number, database in enumerate(self._databases):
                self._progress(database.name, number, len(self._databases))
                problems += self._stage_database(database, online=online)
            if manifest is not None:
                problems += self._stage_files(manifest)
            if problems:
                raise UnsuitableBackupError(problems)
            self._take_uploads()

    def decide(self) -> None:
        """
        Make the restore irrevocable: it will be finished after a crash, too.

        Raises:
            BackupError: The disk is full or failing; then nothing has happened.
        """
        plan = {
            "timestamp": self._backup.timestamp,
            "databases": self.homes,
            "files": self._files,
        }
        with explained():
            for parent, _, _ in os.walk(self.staging):
                sync_directory(Path(parent))
            replace_file(self.staging / PLAN_FILE, json.dumps(plan).encode(), OWNER_ONLY)

    def apply(self) -> None:
        """
        Do what was decided.

        Raises:
            BackupError: It could not be done in full; the decision stands.
        """
        apply_plan(self._depot, self.homes, self._files, progress=self._progress)

    def undo(self, safety: StoredBackup) -> None:
        """
        Put the databases back as the backup before the restore has them, and drop the decision.

        Args:
            safety: Of the same depot, not packed, made just before.

        Raises:
            BackupError: The disk is full or failing; the decision stands.
        """
        before = {database.home: database for database in safety.databases()}
        with explained():
            for home in self.homes:
                if home in before:
                    overwrite(safety.path / before[home].path, self.data / home)
            self.finish()

    def finish(self) -> None:
        """Forget the decision and the copies. Idempotent."""
        finish_plan(self.staging)

    def report(self, safety: int | None) -> Restored:
        """Tell what has been done."""
        return Restored(
            self._backup.timestamp,
            [database.name for database in self._databases],
            self._kept,
            self._files,
            self._uploads,
            safety,
        )

    def _choose(self) -> None:
        for database in self._backup.databases():
            is_live = (self.data / database.home).exists()
            is_newer = kind_of(database.home) in ONLY_WHERE_MISSING and is_live
            if database.name in self._scope.without or is_newer:
                self._kept.append(database.name)
            else:
                self._databases.append(database)

    def _check_space(self) -> None:
        # Once for the copies, once for the logs that the live files get.
        needed = 2 * sum(database.database_size for database in self._databases)
        free = shutil.disk_usage(self.data).free
        if free < needed:
            raise BackupError(
                f"the disk is full: {needed} bytes are needed in {self.data}, {free} are free"
            )

    def _stage_database(self, database: StoredDatabase, *, online: bool) -> list[str]:
        source, copy = self._backup.path / database.path, self.staging / database.home
        problem = find_difference(source, database.size, database.sha256)
        if problem is not None:
            return [problem]
        make_private_directory(copy.parent)
        if database.is_packed:
            try:
                unpack_file(source, copy, database.database_size)
            except BackupError as exc:
                return [exc.reason]
        else:
            copy_file(source, copy)
        prepare = self._prepare_for(database.home)
        damage = find_damage(copy, prepare)
        if damage:
            return [f"{database.name}: {line}" for line in damage]
        try:
            with closing(open_copy(copy, prepare)) as connection:
                applied = read_applied(connection)
        except (apsw.Error, ValueError) as exc:
            return [f"{database.name}: its history of migrations cannot be read: {exc}"]
        migrations = known_migrations(self._migrations_of(), database.home)
        problems = [
            f"{database.name}: {line}" for line in plan_migrations(applied, migrations).problems
        ]
        live = self.data / database.home
        if online and live.exists() and read_page_size(live) != read_page_size(copy):
            problems.append(
                f"{database.name}: has another page size than the database in use: stop the server "
                "and restore from the command line"
            )
        return problems

    def _migrations_of(self) -> Path:
        """Where the migrations are that this depot will have."""
        stored = self._backup.path / DEPOT
        has_own = (self._depot / "migrations").is_dir() and not self._scope.config
        return self._depot if has_own or not (stored / "migrations").is_dir() else stored

    def _stage_files(self, manifest: Manifest) -> list[str]:
        problems = []
        for file in manifest.files:
            path = PurePosixPath(file.path)
            is_secret = path.parts[0] == _SECRETS
            replaces = self._scope.secrets if is_secret else self._scope.config
            if not replaces and self._is_kept(path):
                continue
            source, copy = self._backup.path / DEPOT / path, self.staging / DEPOT / path
            problem = find_difference(source, file.size, file.sha256)
            if problem is not None:
                problems.append(problem)
                continue
            make_private_directory(copy.parent)
            copy_file(source, copy)
            self._files.append(file.path)
        return problems

    def _is_kept(self, path: PurePosixPath) -> bool:
        """A file that is there stays; so do migrations, all of them, and a pair of keys."""
        if path.parts[0] == "migrations":
            return any((self._depot / "migrations").rglob("*.sql"))
        if path.parts[:2] == (_SECRETS, "keys"):
            return any((self._depot / _SECRETS / "keys").glob("*.pem"))
        return (self._depot / path).exists()

    def _take_uploads(self) -> None:
        source, target = self._backup.path / UPLOADS, self._depot / "uploads"
        if source.is_dir():
            new: set[str] = set()
            before = set(os.listdir(target)) if target.is_dir() else set()
            take_objects(source, target, new, lambda: None)
            self._uploads = len(new - before)


@contextmanager
def restoring(depot: Path) -> Iterator[None]:
    """
    Keep everybody else from restoring into a depot; what an earlier attempt left is dropped.

    Raises:
        BackupError: Somebody is restoring, or an earlier restore has to be finished first.
    """
    staging = depot / "data" / STAGING
    with explained():
        make_private_directory(staging)
        with _locked(staging):
            if (staging / PLAN_FILE).exists():
                raise BackupError("an earlier restore is not finished: the next start does that")
            _empty(staging)
            try:
                yield
            finally:
                if not (staging / PLAN_FILE).exists():
                    shutil.rmtree(staging, ignore_errors=True)


def finish_interrupted(depot: Path) -> int | None:
    """
    Finish a restore that a crash has interrupted, or drop what it had only prepared.

    Called before the databases are opened.

    Returns:
        Timestamp of the backup that has now been restored; None if there was nothing to do.

    Raises:
        OperatorError: It cannot be finished, or another process is at it.
    """
    staging = depot / "data" / STAGING
    if not staging.is_dir():
        return None
    try:
        with explained(), _locked(staging):
            try:
                content = (staging / PLAN_FILE).read_bytes()
            except FileNotFoundError:
                shutil.rmtree(staging, ignore_errors=True)
                return None
            plan = json.loads(content)
            timestamp = int(plan["timestamp"])
            log.warning("Finishing the restore of backup %d", timestamp)
            apply_plan(depot, plan["databases"], plan["files"])
            finish_plan(staging)
            return timestamp
    except BackupError as exc:
        raise OperatorError(f"cannot finish the restore of a backup: {exc.reason}") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise OperatorError(f"{staging / PLAN_FILE} is broken: {exc}") from exc


def apply_plan(
    depot: Path, homes: Sequence[str], files: Sequence[str], progress: Progress = tell_nobody
) -> None:
    """
    Put staged copies in place; may be repeated.

    Args:
        depot: Has them in its staging directory.
        homes: Databases, by their place below ``data/``.
        files: Other files, by their path below the depot.
        progress: Hears how it goes on.

    Raises:
        BackupError: The disk is full or failing.
    """
    staging = depot / "data" / STAGING
    with explained():
        for home in homes:
            copy, live = staging / home, depot / "data" / home
            if live.parent != depot / "data":
                make_private_directory(live.parent)
            _put_in_place(copy, live, progress)
        for file in files:
            target = depot / file
            is_secret = file.startswith(f"{_SECRETS}/")
            if is_secret:
                make_private_directory(depot / _SECRETS)
                make_private_directory(target.parent)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = (staging / DEPOT / file).read_bytes()
            replace_file(target, content, OWNER_ONLY if is_secret else None)


def finish_plan(staging: Path) -> None:
    """Drop a plan that is done, and its copies. Idempotent."""
    (staging / PLAN_FILE).unlink(missing_ok=True)
    sync_directory(staging)
    shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _locked(staging: Path) -> Iterator[None]:
    handle = os.open(staging, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise BackupError("another process is restoring a backup") from exc
        except OSError as exc:  # a file system without locks
            log.warning('Cannot lock "%s": %s', staging, exc.strerror)
        yield
    finally:
        os.close(handle)


def _empty(directory: Path) -> None:
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _put_in_place(copy: Path, live: Path, progress: Progress) -> None:
    """Write a database over another one, or in its place where that is beyond repair."""
    if not copy.exists():  # moved there by an attempt that did not come to its end
        return
    name = live.stem
    if not live.exists() or read_page_size(live) == read_page_size(copy):
        try:
            overwrite(copy, live, lambda done, total: progress(name, done, total))
        except (BusyError, DiskError):
            raise
        except DatabaseError as exc:
            log.warning('"%s" is broken: %s', live, exc.detail)
        else:
            return
    log.warning('"%s" cannot be written over: it is replaced', live)
    replace(copy, live)
    sync_directory(live.parent)
