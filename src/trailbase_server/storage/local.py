"""
Objects as files of one directory, named by their keys (spec server/object-store).

A new object is written beside the others under a temporary name, synced, renamed, and the directory
is synced: after a crash it is there whole or not at all. All of this happens in a few threads.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from trailbase_server.config.files import sync_directory
from trailbase_server.errors import NotFoundError
from trailbase_server.storage.base import CHUNK_BYTES, StorageUnavailableError, is_key
from trailbase_server.web.spool import Spool

R = TypeVar("R")

_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux: a read that never waits for a disk

THREADS = 4  # disks like a few requests at a time
MAX_WAITING = 1024  # operations queued for the threads; then 503
SPOOL_NAME = ".incoming"  # below the directory, so that a rename is enough


class LocalObject:
    """
    An open file; what it holds stays readable when the object is deleted meanwhile.

    Args:
        store: Lends its threads.
        file: Open for reading.
        size: Bytes.
    """

    def __init__(self, store: "LocalStorage", file: BinaryIO, size: int) -> None:
        self._store = store
        self._file = file
        self.size = size

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """See ``StoredObject.chunks``."""
        try:
            while start < stop:
                size = min(CHUNK_BYTES, stop - start)
                data = self._read_cached(start, size)
                if data is None:
                    data = await self._store.run(self._read, start, size)
                if not data:
                    raise StorageUnavailableError(detail="an object has become shorter")
                start += len(data)
                yield data
        finally:
            self._file.close()

    async def close(self) -> None:
        """See ``StoredObject.close``."""
        self._file.close()

    def _read(self, start: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, start)

    def _read_cached(self, start: int, size: int) -> bytes | None:
        """Read what the system has in memory, at once; None if it would have to fetch it."""
        if _NO_WAIT is None:
            return None
        buffer = bytearray(size)
        try:
            count = os.preadv(self._file.fileno(), [buffer], start, _NO_WAIT)
        except OSError:  # not in memory, or a file system that cannot tell
            return None
        # Nothing read is left to the thread: it tells the end of the file from a failure.
        return bytes(memoryview(buffer)[:count]) if count else None


class LocalStorage:
    """
    Keep objects in a directory.

    Args:
        directory: Exists.

    Attributes:
        spool: On the same file system.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.spool = Spool(directory / SPOOL_NAME)
        self._threads = ThreadPoolExecutor(THREADS, "storage")
        self._waiting = 0
        self._may_delete = asyncio.Event()
        self._may_delete.set()

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Delete no object until the end of the block; whoever wants to, waits. One at a time."""
        self._may_delete.clear()
        try:
            yield
        finally:
            self._may_delete.set()

    async def put(self, key: str, content: bytes | Path) -> None:
        """See ``Storage.put``."""
        path = self._path(key)
        try:
            await self.run(self._put, path, content)
        except NotFoundError as exc:  # the directory itself has gone
            raise StorageUnavailableError(detail=exc.detail) from exc

    async def open(self, key: str) -> LocalObject:
        """See ``Storage.open``."""
        file, size = await self.run(_open, self._path(key))
        return LocalObject(self, file, size)

    async def delete(self, key: str) -> None:
        """See ``Storage.delete``."""
        if is_key(key):
            await self._may_delete.wait()
            await self.run(_unlink, self._path(key))

    async def list(self) -> AsyncIterator[str]:
        """See ``Storage.list``."""
        for name in await self.run(os.listdir, self._directory):
            if is_key(name):
                yield name

    async def close(self) -> None:
        """See ``Storage.close``."""
        self._threads.shutdown(wait=False)

    async def run(self, function: Callable[..., R], *args: Any) -> R:
        """
        Do something with files in one of the threads.

        Raises:
            NotFoundError: There is no such file.
            StorageUnavailableError: Any other failure of the system, or too many are waiting.
        """
        if self._waiting >= MAX_WAITING:
            raise StorageUnavailableError(detail="too many operations on files are waiting")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
        except FileNotFoundError as exc:
            raise NotFoundError(detail=str(exc)) from exc
        except OSError as exc:
            raise StorageUnavailableError(detail=str(exc)) from exc
        finally:
            self._waiting -= 1

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise NotFoundError(detail="no key of an object")
        return self._directory / key

    def _put(self, path: Path, content: bytes | Path) -> None:
        staged = content if isinstance(content, Path) else self.spool.append_now(None, content)
        try:
            handle = os.open(staged, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            staged.rename(path)
        except OSError:
            staged.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _open(path: Path) -> tuple[BinaryIO, int]:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    size = os.fstat(handle).st_size
    file = open(handle, "rb", buffering=0)  # noqa: SIM115  # closed by whoever reads it
    return file, size
