"""
Objects in a bucket of any service that speaks the S3 protocol (spec server/object-store).

``obstore`` does the talking. Requests are retried for a few seconds only: whoever waits for an
upload is better served by a 503 than by a minute of silence, and deletions are tried again by the
job. Keys are at the root of the bucket.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from trailbase_server.errors import NotFoundError, OperatorError
from trailbase_server.storage.base import CHUNK_BYTES, StorageUnavailableError, is_key
from trailbase_server.web.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Store

CONNECT_TIMEOUT_S = 5  # a bucket that cannot be reached is a 503 soon
REQUEST_TIMEOUT_S = 60  # of one request; an upload in parts has many
RETRIES = 2
RETRY_TIMEOUT_S = 10  # for all attempts together
PART_BYTES = 5 * 1024 * 1024  # the least that the protocol allows
PARTS_AT_ONCE = 2  # in memory, per upload
LIST_PAGE = 1000


class S3Options(Struct, frozen=True):
    """
    Which bucket, and how to reach it. What is None comes from ``AWS_*`` variables.

    Attributes:
        bucket: Name.
        endpoint: URL of the service; ``http`` is allowed.
        region, access_key, secret_access_key: As the service wants them.
    """

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_access_key: str | None = None


class S3Object:
    """
    An object of the bucket.

    Args:
        store: The bucket.
        key: Exists.
        size: Bytes.
    """

    def __init__(self, store: "S3Store", key: str, size: int) -> None:
        self._store = store
        self._key = key
        self.size = size

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """See ``StoredObject.chunks``."""
        if start == stop:
            return
        with translated_errors():
            result = await self._store.get_async(self._key, options={"range": (start, stop)})
            async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def close(self) -> None:
        """See ``StoredObject.close``."""


class S3Storage:
    """
    Keep objects in a bucket.

    Args:
        options: The bucket.
        directory: Where uploads are spooled.

    Raises:
        OperatorError: The library is missing, or the options do not make sense.
    """

    def __init__(self, options: S3Options, directory: Path) -> None:
        self.spool = Spool(directory)
        self._store = open_bucket(options, "server.s3_storage_config")

    async def put(self, key: str, content: bytes | Path) -> None:
        """See ``Storage.put``."""
        _check_key(key)
        try:
            with translated_errors():
                await self._store.put_async(
                    key, content, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
        except NotFoundError as exc:  # the bucket itself
            raise StorageUnavailableError(detail=exc.detail) from exc

    async def open(self, key: str) -> S3Object:
        """See ``Storage.open``."""
        _check_key(key)
        with translated_errors():
            found = await self._store.head_async(key)
        return S3Object(self._store, key, found["size"])

    async def delete(self, key: str) -> None:
        """See ``Storage.delete``."""
        if not is_key(key):
            return
        try:
            with translated_errors():
                await self._store.delete_async(key)
        except NotFoundError:
            return

    async def list(self) -> AsyncIterator[str]:
        """See ``Storage.list``."""
        with translated_errors():
            async for page in self._store.list(chunk_size=LIST_PAGE):
                for entry in page:
                    if is_key(entry["path"]):
                        yield entry["path"]

    async def close(self) -> None:
        """See ``Storage.close``: there is nothing to stop."""


def _check_key(key: str) -> None:
    if not is_key(key):
        raise NotFoundError(detail="no key of an object")


def open_bucket(options: S3Options, field: str) -> "S3Store":
    """
    Make a client of a bucket; it is not asked anything yet.

    Args:
        options: Which bucket.
        field: What the operator calls it, for messages.

    Raises:
        OperatorError: The library is missing, or the options do not make sense.
    """
    try:
        # Imported when first needed: start-up time, and few depots use a bucket.
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import S3Store  # noqa: PLC0415
    except ImportError as exc:
        raise OperatorError(
            f"{field} needs the library obstore: pip install 'trailbase-server[s3]'"
        ) from exc
    settings: Mapping[str, str | None] = {
        "endpoint": options.endpoint,
        "region": options.region,
        "access_key_id": options.access_key,
        "secret_access_key": options.secret_access_key,
    }
    given = {name: value for name, value in settings.items() if value}
    try:
        return S3Store(
            options.bucket,
            client_options={
                "allow_http": True,
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
                "timeout": timedelta(seconds=REQUEST_TIMEOUT_S),
            },
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=RETRY_TIMEOUT_S),
            },
            **given,  # type: ignore[arg-type]  # a typed dictionary of the library
        )
    except BaseError as exc:
        raise OperatorError(f"{field}: {exc}") from exc


@contextmanager
def translated_errors() -> "Iterator[None]":
    """Turn what the library raises into ``NotFoundError`` and ``StorageUnavailableError``."""
    from obstore import exceptions  # noqa: PLC0415  # as above

    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as exc:
        raise NotFoundError(detail=str(exc)) from exc
    except (exceptions.BaseError, OSError) as exc:
        raise StorageUnavailableError(detail=str(exc)) from exc
