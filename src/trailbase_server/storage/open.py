"""Which store a configuration means."""

from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.config.proto.config_pb2 import ServerConfig
from trailbase_server.errors import OperatorError
from trailbase_server.storage.base import Storage
from trailbase_server.storage.local import SPOOL_NAME, LocalStorage

if TYPE_CHECKING:
    from trailbase_server.storage.s3 import S3Options


def open_storage(config: ServerConfig, uploads: Path) -> Storage:
    """
    Open the object store of a depot.

    Args:
        config: ``s3_storage_config`` is read once, here; changing stores moves no objects.
        uploads: Directory of the depot; spooled uploads are always in it.

    Raises:
        OperatorError: A bucket without name, or without the library for it.

    Spec:
        server/object-store
    """
    if not config.HasField("s3_storage_config"):
        return LocalStorage(uploads)
    # Imported when first needed: start-up time.
    from trailbase_server.storage.s3 import S3Storage  # noqa: PLC0415

    return S3Storage(bucket_options(config), uploads / SPOOL_NAME)


def bucket_options(config: ServerConfig) -> "S3Options":
    """
    Read which bucket a configuration means.

    Raises:
        OperatorError: It has no name.
    """
    from trailbase_server.storage.s3 import S3Options  # noqa: PLC0415  # as above

    bucket = config.s3_storage_config
    if not bucket.bucket_name:
        raise OperatorError("server.s3_storage_config: bucket_name is missing")
    return S3Options(
        bucket.bucket_name,
        bucket.endpoint or None,
        bucket.region or None,
        bucket.access_key or None,
        bucket.secret_access_key or None,
    )
