"""
Is a backup good? Sizes and digests of all files, and every page of its databases.

Nothing in the backup is written; packed databases are unpacked beside it for as long as it takes.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, field

from trailbase_server.backups.create import DEPOT, Progress, explained, tell_nobody
from trailbase_server.backups.errors import BackupError
from trailbase_server.backups.manifest import Manifest, StoredDatabase
from trailbase_server.backups.packing import digest_file, unpack_file
from trailbase_server.backups.shelf import Shelf, StoredBackup
from trailbase_server.backups.uploads import LISTING, UPLOADS, list_objects, size_of
from trailbase_server.sqlite.backup import find_damage, find_dangling
from trailbase_server.sqlite.open import Prepare

PrepareFor = Callable[[str], Prepare]
"""Which functions a database may use, by its place below ``data/``."""


class Report(Struct, frozen=True):
    """
    What was found.

    Attributes:
        timestamp: Of the backup.
        problems: Reasons not to trust it; empty if it is good.
        remarks: What an application may want to know, such as foreign keys that lead nowhere.
        databases: Names of those that were looked at.
    """

    timestamp: int
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)


def verify_backup(
    backup: StoredBackup, prepare_for: PrepareFor, progress: Progress = tell_nobody
) -> Report:
    """
    Check a backup from its first byte to its last; blocks.

    Args:
        backup: On a shelf.
        prepare_for: Functions of its databases.
        progress: Hears how it goes on.

    Raises:
        BackupError: There is no room to unpack a database.
    """
    report = Report(backup.timestamp)
    try:
        manifest = backup.manifest()
        databases = backup.databases()
    except BackupError as exc:
        report.problems.append(exc.reason)
        return report
    shelf = Shelf(backup.path.parent)
    scratch: Path | None = None
    try:
        for number, database in enumerate(databases):
            progress(database.name, number, len(databases))
            path = backup.path / database.path
            problem = find_difference(path, database.size, database.sha256)
            if problem is None and database.is_packed:
                scratch = scratch or shelf.begin()
                path, problem = _unpack(path, scratch / f"{number}.db", database)
            if problem is not None:
                report.problems.append(problem)
                continue
            prepare = prepare_for(database.home)
            damage = find_damage(path, prepare)
            report.problems.extend(f"{database.name}: {line}" for line in damage)
            if not damage:
                dangling = find_dangling(path, prepare)
                report.remarks.extend(f"{database.name}: {line}" for line in dangling)
            report.databases.append(database.name)
        if manifest is not None:
            report.problems.extend(_check_rest(backup.path, manifest))
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return report


def find_difference(path: Path, size: int, sha256: str) -> str | None:
    """Compare a file with what the manifest says; None if it is the same."""
    try:
        if path.is_symlink():
            return f"{path.name}: is a link"
        if path.stat().st_size != size:
            return f"{path.name}: has {path.stat().st_size} bytes instead of {size}"
        if digest_file(path).sha256 != sha256:
            return f"{path.name}: its checksum is wrong"
    except OSError as exc:
        return f"{path.name}: {exc.strerror}"
    return None


def _unpack(path: Path, target: Path, database: StoredDatabase) -> tuple[Path, str | None]:
    with explained():
        try:
            unpack_file(path, target, database.database_size)
        except BackupError as exc:
            return path, exc.reason
    return target, None


def _check_rest(path: Path, manifest: Manifest) -> list[str]:
    found = []
    for file in manifest.files:
        problem = find_difference(path / DEPOT / file.path, file.size, file.sha256)
        if problem is not None:
            found.append(f"{DEPOT}/{file.path}: {problem.partition(': ')[2]}")
    uploads = manifest.uploads
    if uploads.kind == "copied":
        keys = set(list_objects(path / UPLOADS))
        if (len(keys), size_of(path / UPLOADS, keys)) != (uploads.count, uploads.size):
            found.append(f"{UPLOADS}: there are not {uploads.count} files of {uploads.size} bytes")
    elif uploads.kind == "listed" and not (path / LISTING).is_file():
        found.append(f"{LISTING}: is missing")
    return found
