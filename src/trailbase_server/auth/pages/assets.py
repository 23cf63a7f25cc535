"""
Files that pages refer to: styles, a logo, whatever a depot adds.

Those of the depot's ``templates/auth/static`` come before ours. An address names the hash of the
content: ``download`` answers it.
"""

import logging
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from trailbase_server.auth.pages.links import STATIC

log = logging.getLogger(__name__)
BUILT_IN = Path(__file__).parent / "static"
MAX_ASSETS = 64  # of a depot: they are kept in memory
MAX_ASSET_BYTES = 1024 * 1024  # of each
HASH_CHARS = 16  # of SHA-256 in addresses: tells versions apart
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
LOGOS = ("logo.svg", "logo.png", "logo.webp", "logo.jpg")


class Asset(Struct, frozen=True):
    """
    One file.

    Attributes:
        content: All of it.
        media_type: By its name.
        hash: Of its content.
    """

    content: bytes
    media_type: str
    hash: str


class Assets:
    """
    All files, read once.

    Args:
        directory: Where files of one's own may be; None: nowhere.

    Attributes:
        problems: What is wrong with those, one line each.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.problems: list[str] = []
        self.by_name: dict[str, Asset] = {}
        for path in sorted(BUILT_IN.iterdir()):
            self._add(path)
        own = directory / "static" if directory is not None else None
        if own is not None and own.is_dir():
            paths = sorted(path for path in own.iterdir() if path.is_file())
            if len(paths) > MAX_ASSETS:
                self.problems.append(f"{own}: more than {MAX_ASSETS} files")
            for path in paths[:MAX_ASSETS]:
                self._add(path)

    def url(self, name: str) -> str | None:
        """Address of a file; None if there is none."""
        asset = self.by_name.get(name)
        return None if asset is None else f"{STATIC}/{asset.hash}/{name}"

    @property
    def logo(self) -> str | None:
        """Address of the depot's logo; None if there is none."""
        return next((url for name in LOGOS if (url := self.url(name)) is not None), None)

    def _add(self, path: Path) -> None:
        media_type = MEDIA_TYPES.get(path.suffix)
        if media_type is None:
            self.problems.append(f"{path}: not one of {', '.join(MEDIA_TYPES)}")
            return
        try:
            with path.open("rb") as file:
                content = file.read(MAX_ASSET_BYTES + 1)
        except OSError as exc:
            self.problems.append(f"{path}: {exc.strerror}")
            return
        if len(content) > MAX_ASSET_BYTES:
            self.problems.append(f"{path}: larger than {MAX_ASSET_BYTES} bytes")
            return
        name_hash = sha256(content).hexdigest()[:HASH_CHARS]
        self.by_name[path.name] = Asset(content, media_type, name_hash)
