"""What the operator wants of replication: from ``--replicate`` and the configuration."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from trailbase_server.config.proto.config_pb2 import Config, S3StorageConfig
from trailbase_server.errors import OperatorError
from trailbase_server.replication.target import Bucket, Directory, Target, parse_target

CONFIGURED = "config"  # --replicate: where the configuration says
SIDECAR = "sidecar"  # --replicate: somebody else runs Litestream
DEFAULT_KEEP_HOURS = 72  # what went wrong on Friday can be undone on Monday


class ReplicationSettings(Struct, frozen=True):
    """
    Settings of replication.

    Attributes:
        target: Where to.
        with_logs: The access log, too.
        keep_hours: How far back any moment can be restored.
    """

    target: Target
    with_logs: bool = False
    keep_hours: int = DEFAULT_KEEP_HOURS


def compile_replication(
    wanted: str, config: Config, depot: Path, environ: Mapping[str, str]
) -> ReplicationSettings:
    """
    Put the settings together.

    Args:
        wanted: A target, or ``config``.
        config: The whole, checked, with its secrets.
        depot: What a relative directory is relative to.
        environ: Keys of a bucket that the configuration does not have.

    Raises:
        OperatorError: There is no target, or it is none.
    """
    given = config.replication
    configured = _configured_target(config, depot)
    if wanted in (CONFIGURED, SIDECAR):
        if configured is None:
            raise OperatorError(
                "the configuration does not say where to replicate to: "
                "set replication.directory or replication.s3"
            )
        target = configured
    else:
        target = parse_target(wanted)
    if isinstance(target, Bucket):
        for other in (configured, _bucket(config.backups.s3, "")):
            if isinstance(other, Bucket) and other.name == target.name:
                target = target.with_keys_of(other)
        target = target.with_keys_of(_from_environment(environ))
    return ReplicationSettings(
        target,
        with_logs=given.include_logs,
        keep_hours=given.keep_hours or DEFAULT_KEEP_HOURS,
    )


def _configured_target(config: Config, depot: Path) -> Target | None:
    given = config.replication
    if given.HasField("s3"):
        return _bucket(given.s3, given.s3_prefix)
    if given.directory:
        return Directory(Path(os.path.normpath((depot / given.directory).absolute())))
    return None


def _bucket(given: S3StorageConfig, prefix: str) -> Bucket:
    return Bucket(
        given.bucket_name,
        prefix.strip("/"),
        given.endpoint or None,
        given.region or None,
        given.access_key or None,
        given.secret_access_key or None,
    )


def _from_environment(environ: Mapping[str, str]) -> Bucket:
    """The variables that everybody knows who speaks to buckets; keys stay where they are."""
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return Bucket("", "", endpoint or None, region or None)
