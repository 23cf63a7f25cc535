"""What the operator wants of backups, from the configuration."""

from pathlib import Path

from msgspec import Struct, field

from trailbase_server.backups.retention import Retention
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.storage.s3 import S3Options

DEFAULT_DIRECTORY = "backups"
DEFAULT_WINDOW = 5  # newest backups that are kept
MAX_KEPT = 1_000_000  # larger numbers mean all


class BackupSettings(Struct, frozen=True):
    """
    Settings of backups.

    Attributes:
        directory: The shelf.
        keep: Which ones stay.
        with_logs, with_uploads, with_config, with_secrets: What is copied besides the databases.
        compress: Pack databases.
        bucket: Where a second copy goes, None for nowhere.
        prefix: Beginning of the keys there.
    """

    directory: Path
    keep: Retention = field(default_factory=Retention)
    with_logs: bool = False
    with_uploads: bool = True
    with_config: bool = True
    with_secrets: bool = False
    compress: bool = False
    bucket: S3Options | None = None
    prefix: str = ""

    @property
    def is_enabled(self) -> bool:
        """Backups are made."""
        return self.keep.newest > 0


def compile_backups(config: Config, depot: Path) -> BackupSettings:
    """
    Read the settings of a checked configuration.

    Args:
        config: The whole, with its secrets.
        depot: What a relative directory is relative to.
    """
    given, server = config.backups, config.server
    has_window = server.HasField("backup_window_size")
    return BackupSettings(
        directory=depot / (given.directory or DEFAULT_DIRECTORY),
        keep=Retention(
            min(server.backup_window_size, MAX_KEPT) if has_window else DEFAULT_WINDOW,
            given.keep_hourly,
            given.keep_daily,
            given.keep_weekly,
        ),
        with_logs=given.include_logs,
        with_uploads=given.include_uploads or not given.HasField("include_uploads"),
        with_config=given.include_config or not given.HasField("include_config"),
        with_secrets=given.include_secrets,
        compress=given.compress,
        bucket=_bucket(config) if given.HasField("s3") else None,
        prefix=given.s3_prefix,
    )


def _bucket(config: Config) -> S3Options:
    given = config.backups.s3
    return S3Options(
        given.bucket_name,
        given.endpoint or None,
        given.region or None,
        given.access_key or None,
        given.secret_access_key or None,
    )
