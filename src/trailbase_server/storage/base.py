"""
The contract of an object store.

Objects are written once under a fresh key, read in ranges, and deleted. ``put`` returns when the
object will survive a power cut; half an object is never visible. A store says ``NotFoundError``
(there is no such object) or ``StorageUnavailableError`` (it cannot tell now), and nothing else.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from trailbase_server.errors import UnavailableError
from trailbase_server.ids import parse_uuid_text
from trailbase_server.web.spool import Spool

CHUNK_BYTES = 512 * 1024  # of a download in flight: what a slow reader costs in memory


class StorageUnavailableError(UnavailableError):
    """The disk or the bucket does not work now: 503."""


class StoredObject(Protocol):
    """
    An object that is being read; ``close`` it unless ``chunks`` has been started.

    Attributes:
        size: Bytes.
    """

    size: int

    def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """
        Read a part, once.

        Args:
            start, stop: First byte, and the one behind the last; ``0 <= start <= stop <= size``.
        """
        ...

    async def close(self) -> None:
        """Let go of the object without reading it."""
        ...


class Storage(Protocol):
    """
    An object store.

    Attributes:
        spool: Where uploads are collected before they are put.
    """

    spool: Spool

    async def put(self, key: str, content: bytes | Path) -> None:
        """
        Store an object.

        Args:
            key: A new UUID in lower case.
            content: The bytes, or a file of ``spool``, which may be moved away.

        Raises:
            StorageUnavailableError: It is not stored; a part of it may be left under no name.
        """
        ...

    async def open(self, key: str) -> StoredObject:
        """
        Start reading an object.

        Raises:
            NotFoundError: There is none; also for a key that is no UUID.
            StorageUnavailableError: The store does not answer.
        """
        ...

    async def delete(self, key: str) -> None:
        """
        Delete an object; one that is not there is fine.

        Raises:
            StorageUnavailableError: It may still be there.
        """
        ...

    def list(self) -> AsyncIterator[str]:
        """
        List all keys in no particular order.

        Raises:
            StorageUnavailableError: The store does not answer.
        """
        ...

    async def close(self) -> None:
        """Stop its threads. Idempotent."""
        ...


def is_key(text: object) -> bool:
    """Is it a key as we make them: a UUID in lower case? Anything else never reaches a store."""
    return isinstance(text, str) and text == text.lower() and parse_uuid_text(text) is not None
