"""
Where a replica is: a directory, or a place in a bucket.

.. code-block:: text

    target    = "file://" absolute path | absolute path
              | "s3://" bucket [ "/" prefix ] [ "?" option *( "&" option ) ]
    option    = "endpoint=" URL | "region=" name

Keys are no part of it: whoever sees the command line would see them.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from trailbase_server.errors import OperatorError

FORM = "expected file:///directory or s3://bucket/prefix?endpoint=URL&region=NAME"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}\Z")
_OPTIONS = ("endpoint", "region")


@dataclass(frozen=True, slots=True)
class Directory:
    """
    A directory of this machine.

    Attributes:
        path: Absolute.
    """

    path: Path

    def __str__(self) -> str:
        return f"file://{quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """
    A place in a bucket of any service that speaks the S3 protocol.

    Attributes:
        name: Of the bucket.
        prefix: Beginning of the keys, without slashes at its ends.
        endpoint: URL of the service; None: that of the region.
        region: None: what the environment says.
        access_key, secret_access_key: None: what the environment says. Never shown.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    def with_keys_of(self, other: "Bucket") -> "Bucket":
        """Take over from another description of the same bucket what this one lacks."""
        return replace(
            self,
            endpoint=self.endpoint or other.endpoint,
            region=self.region or other.region,
            access_key=self.access_key or other.access_key,
            secret_access_key=self.secret_access_key or other.secret_access_key,
        )


Target = Directory | Bucket


def parse_target(text: str) -> Target:
    """
    Read a target.

    Args:
        text: See the module.

    Raises:
        OperatorError: It is none.
    """
    if not text.isprintable():
        raise OperatorError(f"{text!r} is no place for a replica: {FORM}")
    if text.startswith("/"):
        return Directory(Path(text))
    try:
        parts = urlsplit(text)
        if parts.scheme == "file" and not parts.netloc and not parts.query:
            path = unquote(parts.path)
            if path.startswith("/") and path.isprintable():
                return Directory(Path(path))
        if parts.scheme == "s3" and not parts.fragment:
            return _parse_bucket(parts.netloc, parts.path, parts.query)
    except ValueError as exc:
        raise OperatorError(f"{_shown(text)} is no place for a replica: {exc}") from exc
    raise OperatorError(f"{_shown(text)} is no place for a replica: {FORM}")


def place_of(target: Target, home: str) -> str:
    """
    Where the replica of one database is.

    Args:
        target: Of all of them.
        home: Place of the database below ``data/``, such as ``own/outbox.db``.

    Returns:
        A path, or the beginning of keys.
    """
    name = home.removesuffix(".db")
    if isinstance(target, Directory):
        return str(target.path / name)
    return f"{target.prefix}/{name}" if target.prefix else name


def _parse_bucket(name: str, path: str, query: str) -> Bucket:
    if "@" in name:
        raise ValueError("keys belong into the environment or the configuration")
    if not _BUCKET.match(name):
        raise ValueError("the name of the bucket is wrong")
    options = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    names = [key for key, _ in options]
    unknown = [key for key in names if key not in _OPTIONS]
    if unknown or len(set(names)) != len(names):
        raise ValueError(f"its options are {' and '.join(_OPTIONS)}, once each")
    values = dict(options)
    endpoint = values.get("endpoint")
    if endpoint is not None and not is_endpoint(endpoint):
        raise ValueError("the endpoint is no http or https URL")
    return Bucket(name, unquote(path).strip("/"), endpoint, values.get("region") or None)


def is_endpoint(text: str) -> bool:
    """It is the URL of a service, without keys in it."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _shown(text: str) -> str:
    """For messages; what stands before an ``@`` may be a key."""
    head, at, tail = text.rpartition("@")
    return f"'…@{tail}'" if at and head else f"'{text}'"
