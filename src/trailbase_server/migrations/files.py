"""The user's migrations: reading the directories of a depot, and making a new file in one."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from trailbase_server.errors import OperatorError
from trailbase_server.migrations.migration import (
    MAX_VERSION,
    Migration,
    checksum,
    parse_file_name,
)

log = logging.getLogger(__name__)
MAIN = "main"
EMPTY_MIGRATION = "-- new database migration\n"


def depot_migrations(directory: Path, database: str) -> list[Migration]:
    """
    Read the files of one database.

    Args:
        directory: ``migrations`` of the depot; may be missing.
        database: ``main`` or the name of a configured database.

    Returns:
        Those of ``<database>/**``, and for main those directly in ``directory``, an older layout.

    Raises:
        OperatorError: A file cannot be read, is not UTF-8, or its number is too large.

    Spec:
        server/sources-per-database
    """
    found = user_migrations(directory / database, recursive=True)
    if database == MAIN:
        found += user_migrations(directory, recursive=False)
    return found


def user_migrations(directory: Path, *, recursive: bool) -> list[Migration]:
    """
    Read the migrations in a directory, ordered by path.

    Args:
        directory: May be missing.
        recursive: Look into its subdirectories as well.

    Raises:
        OperatorError: As in ``depot_migrations``.
    """
    found: list[Migration] = []
    for path in sorted(_list_files(directory, recursive=recursive)):
        try:
            name = parse_file_name(path.name)
        except OperatorError as exc:
            raise OperatorError(f"{path.parent}: {exc}") from exc
        if name is None:
            log.warning(
                "Skipping %a: a migration is named [U|V]<number>__<letters, digits, _>.sql",
                str(path),
            )
            continue
        sql = _read(path)
        value = checksum(name.name, name.version, sql)
        found.append(Migration(*name, sql, str(value), str(path)))
    return found


def create_migration_file(directory: Path, suffix: str, sql: str, at_s: int) -> Path:
    """
    Write a new migration under a number that no other file in the directory has.

    Args:
        directory: Of one database; created with parents when missing.
        suffix: Letters, digits and underscores.
        sql: Content.
        at_s: Unix time in seconds: the number, unless it is taken.

    Raises:
        OperatorError: The suffix is no name, or the directory cannot be written.

    Spec:
        server/trail-migration-suffix-db
    """
    if parse_file_name(f"U1__{suffix}.sql") is None:
        raise OperatorError(
            f"invalid migration name '{suffix}': only letters, digits and underscores are allowed"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        paths = _list_files(directory, recursive=True)
        names = (parse_file_name(path.name) for path in paths)
        taken = {name.version for name in names if name}
        version = at_s
        while version in taken:
            version += 1
        if version > MAX_VERSION:
            raise OperatorError("no migration number left: the clock is beyond 2038")
        path = directory / f"U{version}__{suffix}.sql"
        with path.open("x", encoding="utf-8") as file:
            file.write(sql)
    except OSError as exc:
        raise OperatorError(f"cannot create a migration in {directory}: {exc.strerror}") from exc
    return path


def _list_files(directory: Path, *, recursive: bool) -> Iterable[Path]:
    """
    List regular files.

    Hidden names are left out with all that is below them: editors leave such files, and mounted
    volumes keep a second copy of everything in hidden directories.
    """
    try:
        for parent, directories, files in os.walk(directory, onerror=_refuse_unreadable):
            directories[:] = [name for name in directories if recursive and name[0] != "."]
            for name in files:
                path = Path(parent, name)
                if name[0] != "." and path.is_file():
                    yield path
    except FileNotFoundError:
        return


def _refuse_unreadable(exc: OSError) -> None:
    if isinstance(exc, FileNotFoundError):
        return
    raise OperatorError(f"cannot read {exc.filename}: {exc.strerror}") from exc


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise OperatorError(f"cannot read {path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise OperatorError(f"{path} is not UTF-8: {exc.reason} at byte {exc.start}") from exc
