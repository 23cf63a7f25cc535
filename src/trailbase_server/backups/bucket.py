"""
A second copy of backups in a bucket.

Keys are those of the files: ``<prefix><timestamp>/main.db``. The manifest goes up last and away
first, so whatever is under a number without one is half a backup and counts for nothing. Objects of
uploads never change: they are shared by all backups, below ``<prefix>objects/``, and each backup
lists its own in ``uploads.txt``; those that no backup lists any more are removed with the backups.
"""

import asyncio
import os
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.backups.errors import BackupError, UnknownBackupError
from trailbase_server.backups.manifest import MANIFEST_FILE
from trailbase_server.backups.shelf import Shelf, StoredBackup
from trailbase_server.backups.uploads import LISTING, UPLOADS, list_objects
from trailbase_server.config.files import OWNER_ONLY
from trailbase_server.errors import NotFoundError
from trailbase_server.storage.base import CHUNK_BYTES, StorageUnavailableError, is_key
from trailbase_server.storage.s3 import LIST_PAGE, S3Options, open_bucket, translated_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELD = "backups.s3"
OBJECTS = "objects"
PART_BYTES = 8 * 1024 * 1024  # of a file on its way: 10,000 of them are the most, so 80 GB
MAX_AT_ONCE = 4  # files on their way


class BucketShelf:
    """
    Backups in a bucket; ``locked`` shelves keep two processes from working at it at once.

    Args:
        options: The bucket.
        prefix: Beginning of all keys.

    Raises:
        OperatorError: The library is missing, or the options do not make sense.
    """

    def __init__(self, options: S3Options, prefix: str) -> None:
        self._store = open_bucket(options, FIELD)
        # Whole segments: the service lists nothing by half a name.
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._name = options.bucket

    async def list(self) -> "Timestamps":
        """
        List complete backups, oldest first.

        Raises:
            BackupError: The bucket does not answer.
        """
        with _explained(self._name):
            found = await self._store.list_with_delimiter_async(self._prefix or None)
        names = [path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]]
        timestamps = [int(name) for name in names if name.isascii() and name.isdigit()]
        return sorted([one for one in timestamps if await self._is_complete(one)])

    async def _is_complete(self, timestamp: int) -> bool:
        try:
            with translated_errors():
                await self._store.head_async(f"{self._prefix}{timestamp}/{MANIFEST_FILE}")
        except NotFoundError:
            return False
        except StorageUnavailableError as exc:
            raise BackupError(f'the bucket "{self._name}" cannot be used: {exc.detail}') from exc
        return True

    async def store(self, backup: StoredBackup) -> None:
        """
        Copy a backup to the bucket.

        Args:
            backup: On a shelf of this machine, with a manifest.

        Raises:
            BackupError: The bucket does not answer; half a backup counts for nothing.
        """
        root = backup.path
        uploads = root / UPLOADS
        objects = await asyncio.to_thread(list_objects, uploads)
        files = await asyncio.to_thread(_files_of, root)
        present = {key.rpartition("/")[2] for key in await self._keys(f"{OBJECTS}/")}
        missing = [key for key in objects if key not in present]
        await self._put_all(
            [
                *((f"{OBJECTS}/{key}", uploads / key) for key in missing),
                *((f"{backup.timestamp}/{name}", root / name) for name in files),
            ]
        )
        if uploads.is_dir():
            listing = "".join(f"{key}\n" for key in sorted(objects)).encode()
            await self._put(f"{backup.timestamp}/{LISTING}", listing)
        await self._put(f"{backup.timestamp}/{MANIFEST_FILE}", root / MANIFEST_FILE)

    async def fetch(self, timestamp: int, shelf: Shelf) -> StoredBackup:
        """
        Copy a backup from the bucket to a shelf, whose lock is held.

        Args:
            timestamp: Of the backup.
            shelf: Does not have it.

        Raises:
            UnknownBackupError: The bucket does not have it either.
            BackupError: The bucket does not answer, or the disk is full.
        """
        if timestamp not in await self.list():
            raise UnknownBackupError(timestamp)
        path = await asyncio.to_thread(shelf.begin)
        start = f"{timestamp}/"
        names = [key.removeprefix(start) for key in await self._keys(start)]
        for name in names:
            if ".." in name.split("/") or name.startswith("/"):
                raise BackupError(f"{name!r} is not a file of a backup")
        await self._get_all((f"{start}{name}", path / name) for name in names)
        listing = path / LISTING
        if listing.exists() and await self._has_objects(path):
            keys = [key for key in listing.read_text().split() if is_key(key)]
            await self._get_all((f"{OBJECTS}/{key}", path / UPLOADS / key) for key in keys)
            listing.unlink()
        with _explained(self._name):
            return await asyncio.to_thread(shelf.publish, path, timestamp)

    async def remove(self, timestamps: Iterable[int]) -> None:
        """
        Delete backups, and objects that no other one lists.

        Raises:
            BackupError: The bucket does not answer.
        """
        gone = list(timestamps)
        for timestamp in gone:
            keys = await self._keys(f"{timestamp}/")
            # The manifest first: half a backup is none.
            for key in sorted(keys, key=lambda key: not key.endswith(f"/{MANIFEST_FILE}")):
                await self._delete(key)
        if gone:
            await self._sweep_objects()

    async def _sweep_objects(self) -> None:
        present = await self._keys(f"{OBJECTS}/")
        if not present:
            return
        wanted: set[str] = set()
        for timestamp in await self.list():
            wanted.update((await self._get(f"{timestamp}/{LISTING}")).decode().split())
        for key in present:
            if key.rpartition("/")[2] not in wanted:
                await self._delete(key)

    async def _has_objects(self, path: Path) -> bool:
        manifest = await asyncio.to_thread(StoredBackup(0, path).manifest)
        return manifest is not None and manifest.uploads.kind == "copied"

    async def _keys(self, start: str) -> "Names":
        """Keys with a beginning, without the prefix."""
        found = []
        with _explained(self._name):
            async for page in self._store.list(self._prefix + start, chunk_size=LIST_PAGE):
                found += [entry["path"].removeprefix(self._prefix) for entry in page]
        return [key for key in found if key.startswith(start)]

    async def _put_all(self, files: Iterable[tuple[str, Path]]) -> None:
        gate = asyncio.Semaphore(MAX_AT_ONCE)

        async def put(key: str, path: Path) -> None:
            async with gate:
                await self._put(key, path)

        async with asyncio.TaskGroup() as group:
            for key, path in files:
                group.create_task(put(key, path))

    async def _put(self, key: str, content: bytes | Path) -> None:
        with _explained(self._name):
            await self._store.put_async(
                self._prefix + key, content, chunk_size=PART_BYTES, max_concurrency=2
            )

    async def _get(self, key: str) -> bytes:
        with _explained(self._name):
            try:
                with translated_errors():
                    found = await self._store.get_async(self._prefix + key)
                    return bytes(await found.bytes_async())
            except NotFoundError:
                return b""

    async def _get_all(self, files: Iterable[tuple[str, Path]]) -> None:
        for key, path in files:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _explained(self._name):
                found = await self._store.get_async(self._prefix + key)
                await _write(found.stream(min_chunk_size=CHUNK_BYTES), path)

    async def _delete(self, key: str) -> None:
        with _explained(self._name):
            await self._store.delete_async(self._prefix + key)


Timestamps = list[int]
Names = list[str]


async def _write(chunks: object, path: Path) -> None:
    with path.open("xb") as file:
        os.fchmod(file.fileno(), OWNER_ONLY)
        async for chunk in chunks:  # type: ignore[attr-defined]  # a class of the library
            await asyncio.to_thread(file.write, chunk)


@contextmanager
def _explained(bucket: str) -> "Iterator[None]":
    try:
        with translated_errors():
            yield
    except (NotFoundError, StorageUnavailableError) as exc:
        raise BackupError(f'the bucket "{bucket}" cannot be used: {exc.detail}') from exc


def _files_of(root: Path) -> list[str]:
    """All files of a backup but objects and the manifest, relative to it."""
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and path.parent != root / UPLOADS and path != root / MANIFEST_FILE
    )
