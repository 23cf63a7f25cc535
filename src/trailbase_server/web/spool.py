"""
Files of uploads on their way in: temporary, on disk, gone at the latest with the next start.

A spooled file belongs to the request that made it, until a store moves it away.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.errors import UnavailableError

R = TypeVar("R")

NAME_LENGTH = 20  # random characters: nobody else finds the name
ANYBODY = 0o666  # less what the umask takes away
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class Spool:
    """
    A directory for temporary files. The writing is done in threads.

    Args:
        directory: Made when it is needed first; nothing else may be in it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def append(self, path: Path | None, data: bytes) -> Path:
        """
        Write to the end of a spooled file.

        Args:
            path: Result of the first call; None makes a file.
            data: What to add.

        Raises:
            UnavailableError: The disk is full or failing.
        """
        return await self._in_thread(self.append_now, path, data)

    async def remove(self, paths: list[Path]) -> None:
        """Remove spooled files; those that were moved away are fine."""
        await self._in_thread(_unlink, paths)

    def append_now(self, path: Path | None, data: bytes) -> Path:
        """Do what ``append`` does, in this thread."""
        if path is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            path = self.directory / random_text(NAME_LENGTH, LOWER_ALPHANUMERIC)
            handle = os.open(path, _NEW_FILE, ANYBODY)
        else:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            with open(handle, "wb") as file:
                file.write(data)
        except OSError:
            path.unlink(missing_ok=True)  # half an upload is of no use
            raise
        return path

    def sweep(self) -> int:
        """
        Remove what a crash has left; only while nobody else serves from this directory.

        Returns:
            Number of files removed.
        """
        left = list(self.directory.iterdir()) if self.directory.is_dir() else []
        _unlink(left)
        return len(left)

    async def _in_thread(self, function: Callable[..., R], *args: Any) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(None, function, *args)
        except OSError as exc:
            raise UnavailableError(detail=f"cannot spool an upload: {exc}") from exc


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
