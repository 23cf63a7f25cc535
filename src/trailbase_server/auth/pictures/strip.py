"""From an upload to what is stored: small pictures in memory, large ones as files, in a thread."""

import asyncio
import mmap
from pathlib import Path

from trailbase_server.auth.pictures.jpeg import strip_jpeg
from trailbase_server.auth.pictures.pieces import Pieces, Source
from trailbase_server.auth.pictures.png import strip_png
from trailbase_server.errors import UnavailableError

_STRIPPERS = {"image/png": strip_png, "image/jpeg": strip_jpeg}
MEDIA_TYPES = tuple(_STRIPPERS)
_SUFFIX = ".stripped"  # of the copy, as long as it is being written


async def strip_picture(media_type: str, content: bytes | Path) -> bytes | Path:
    """
    Drop everything from a picture that is not needed to show it.

    Args:
        media_type: One of ``MEDIA_TYPES``, by its first bytes.
        content: The picture, or a spooled file, which is rewritten in its place.

    Returns:
        Bytes for bytes; the same path for a path.

    Raises:
        BrokenPictureError: It is no picture.
        LargePictureError: It has too many pixels.
        UnavailableError: The disk is full or failing.

    Spec:
        auth/avatars
    """
    if isinstance(content, bytes):
        pieces = _STRIPPERS[media_type](content)
        return content if pieces.is_everything() else b"".join(pieces.contents())
    try:
        await asyncio.to_thread(_strip_file, media_type, content)
    except OSError as exc:
        raise UnavailableError(detail=f"cannot rewrite a picture: {exc}") from exc
    return content


def _strip_file(media_type: str, path: Path) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as source:
        pieces = _plan(media_type, source)
        if pieces is not None:
            _write(path, pieces)


def _plan(media_type: str, source: Source) -> Pieces | None:
    pieces = _STRIPPERS[media_type](source)
    return None if pieces.is_everything() else pieces


def _write(path: Path, pieces: Pieces) -> None:
    copy = path.with_name(path.name + _SUFFIX)
    try:
        with copy.open("xb") as file:
            for content in pieces.contents():
                file.write(content)
        copy.replace(path)
    except OSError:
        copy.unlink(missing_ok=True)
        raise
