"""
What a backup says of itself: ``manifest.json``, written last.

Paths in it are relative to the backup and checked before they are used: a backup may come from
anywhere. A backup of the reference server has no manifest; then its databases speak for themselves.
"""

import re
from pathlib import Path, PurePosixPath

import msgspec

from trailbase_server.backups.errors import BackupError

MANIFEST_FILE = "manifest.json"
FORMAT = 1  # of the manifest; a larger one is refused
MAX_MANIFEST_BYTES = 64 * 1024 * 1024  # some hundred thousand files of migrations and secrets
_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class StoredDatabase(msgspec.Struct, frozen=True):
    """
    A database of a backup.

    Attributes:
        name: ``main``, ``session``, ``logs``, ``accounts``, ``outbox`` or a configured one.
        path: Of the copy in the backup; ends with ``.gz`` if it is packed.
        size: Bytes of the copy as it is there.
        sha256: Of these bytes, hexadecimal.
        database_size: Bytes of the database itself.
        migration: Newest number of its history; None without one.
    """

    name: str
    path: str
    size: int
    sha256: str
    database_size: int
    migration: int | None = None

    @property
    def is_packed(self) -> bool:
        """The copy is packed with gzip."""
        return self.path.endswith(".gz")

    @property
    def home(self) -> str:
        """Place of the database below ``data/``."""
        return self.path.removesuffix(".gz")


class StoredFile(msgspec.Struct, frozen=True):
    """
    Another file of the depot.

    Attributes:
        path: Below ``depot/`` of the backup, and below the depot.
        size, sha256: As of databases.
    """

    path: str
    size: int
    sha256: str


class StoredUploads(msgspec.Struct, frozen=True):
    """
    Contents of files.

    Attributes:
        kind: ``copied`` to ``uploads/``, ``listed`` in ``uploads.txt`` (they stay in their bucket),
            or ``none``.
        count, size: Objects, and their bytes where they are copied.
    """

    kind: str = "none"
    count: int = 0
    size: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """
    The whole.

    Attributes:
        format: Of this file.
        version, wire_version: Of the server that made it.
        timestamp: Name of the backup, Unix seconds.
        started, finished: Unix seconds with fraction.
        success: Always true: what failed is not kept.
    """

    format: int = FORMAT
    version: str = ""
    wire_version: str = ""
    timestamp: int = 0
    started: float = 0.0
    finished: float = 0.0
    success: bool = False
    databases: list[StoredDatabase] = msgspec.field(default_factory=list)
    files: list[StoredFile] = msgspec.field(default_factory=list)
    uploads: StoredUploads = msgspec.field(default_factory=StoredUploads)

    @property
    def size(self) -> int:
        """Bytes of databases, files and copied uploads."""
        databases = sum(one.size for one in self.databases)
        return databases + sum(one.size for one in self.files) + self.uploads.size


_DECODER = msgspec.json.Decoder(Manifest)


def encode_manifest(manifest: Manifest) -> bytes:
    """Render a manifest for people and programs."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode_manifest(content: bytes) -> Manifest:
    """
    Read a manifest.

    Raises:
        BackupError: It is none, of a newer format, or a path in it leads elsewhere.
    """
    try:
        manifest = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BackupError(f"{MANIFEST_FILE} is broken: {exc}") from exc
    if manifest.format != FORMAT:
        raise BackupError(f"{MANIFEST_FILE} has format {manifest.format}, a newer server made it")
    if not manifest.success:
        raise BackupError(f"{MANIFEST_FILE} tells of a backup that failed")
    for database in manifest.databases:
        _check(database.path, database.sha256)
        if not _NAME.match(database.name) or database.home not in _homes(database.name):
            raise BackupError(f"{MANIFEST_FILE}: {database.name!r} at {database.path!r}")
    for file in manifest.files:
        _check(file.path, file.sha256)
    return manifest


def read_manifest(directory: Path) -> Manifest | None:
    """
    Read the manifest of a backup; None if it has none.

    Raises:
        BackupError: It cannot be read or is broken.
    """
    path = directory / MANIFEST_FILE
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MANIFEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise BackupError(f"cannot read {path}: {exc.strerror}") from exc
    if len(content) > MAX_MANIFEST_BYTES:
        raise BackupError(f"{path} is too large")
    return decode_manifest(content)


def _homes(name: str) -> tuple[str, str]:
    return f"{name}.db", f"own/{name}.db"


def _check(path: str, digest: str) -> None:
    parts = PurePosixPath(path).parts
    is_inside = bool(parts) and ".." not in parts and not path.startswith("/")
    if not is_inside or "\0" in path or "\\" in path or not _DIGEST.match(digest):
        raise BackupError(f"{MANIFEST_FILE}: {path!r} is not a file of a backup")
