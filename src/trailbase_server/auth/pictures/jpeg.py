"""
JPEG without what it tells beside its pixels.

.. code-block:: text

    FF D8  segment …  FF D9   whatever (dropped)
    segment = FF code  length (2, counts itself)  content  [after FF DA: pixels, to the next marker]

Descriptions are in the segments APP0 to APP15 and in comments. Of these the colours and the
direction are kept; thumbnails are not, which may show what has been cut away.
"""

import re
from struct import pack, unpack_from

from trailbase_server.auth.pictures.exif import UPRIGHT, read_orientation, render_orientation
from trailbase_server.auth.pictures.pieces import BrokenPictureError, Pieces, Source, check_size

_BEGIN = b"\xff\xd8"
_END = 0xD9
_SCAN = 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
# Of the codes from C0 to CF those that begin a frame, and so tell its size.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
_EXIF, _JFIF, _ICC, _ADOBE = b"Exif\0\0", b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"
_JFIF_BYTES = 14  # without a thumbnail
_ADOBE_BYTES = 12
_MIN_FRAME_BYTES = 6  # of content: precision, height, width, number of colours
# Pixels hold FF only before a zero or as a restart marker; FF may stand before FF as a filler.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FILLED = re.compile(rb"\xff+")


def strip_jpeg(source: Source) -> Pieces:
    """
    Choose what is kept of a JPEG: how it looks.

    A file that ends without its last marker is taken: it is shown everywhere.

    Raises:
        BrokenPictureError: A segment is cut off, or no decoder knows it.
        LargePictureError: It has too many pixels.
    """
    pieces, at = Pieces(source), len(_BEGIN)
    if source[:at] != _BEGIN:
        raise BrokenPictureError("no beginning")
    pieces.keep(0, at)
    while at < len(source):
        pieces.count_part()
        code, content = _read_marker(source, at)
        if code == _END:
            pieces.keep(at, content)
            break
        stop = _end_of_segment(source, content)
        _keep_segment(pieces, source, code, (at, content + 2, stop))
        at = stop
        if code == _SCAN:
            found = _MARKER.search(source, stop)
            at = found.start() if found else len(source)
            pieces.keep(stop, at)
    return pieces


def _read_marker(source: Source, at: int) -> tuple[int, int]:
    """Code of a marker, and what comes behind it."""
    found = _FILLED.match(source, at)
    if found is None or found.end() == len(source):
        raise BrokenPictureError("no marker where one has to be")
    return source[found.end()], found.end() + 1


def _end_of_segment(source: Source, at: int) -> int:
    if at + 2 > len(source):
        raise BrokenPictureError("cut off")
    (length,) = unpack_from(">H", source, at)
    if length < 2 or at + length > len(source):
        raise BrokenPictureError("a segment is cut off")
    return int(at + length)


def _keep_segment(pieces: Pieces, source: Source, code: int, bounds: tuple[int, int, int]) -> None:
    """
    Keep a segment, or what may be kept of it.

    Args:
        pieces: Collects it.
        source: The original.
        code: Of the segment.
        bounds: Where its marker, its content and the next segment begin.
    """
    at, content, stop = bounds
    if code in _FRAMES:
        if stop - content < _MIN_FRAME_BYTES:
            raise BrokenPictureError("a frame without a size")
        height, width = unpack_from(">HH", source, content + 1)
        check_size(width, height)
    if code in _FRAMES or code in _TABLES or code == _SCAN:
        pieces.keep(at, stop)
    elif _APP0 <= code <= _APP15:
        _keep_application(pieces, code, source[content:stop], (at, stop))
    elif code != _COMMENT:
        raise BrokenPictureError(f"an unknown segment {code:x}")


def _keep_application(pieces: Pieces, code: int, content: bytes, whole: tuple[int, int]) -> None:
    if code == _APP2 and content.startswith(_ICC):
        pieces.keep(*whole)
    elif code == _APP0 and content.startswith(_JFIF) and len(content) >= _JFIF_BYTES:
        if len(content) == _JFIF_BYTES:
            pieces.keep(*whole)
        else:
            pieces.put(_segment(code, content[: _JFIF_BYTES - 2] + bytes(2)))
    elif code == _APP14 and content.startswith(_ADOBE) and len(content) >= _ADOBE_BYTES:
        if len(content) == _ADOBE_BYTES:
            pieces.keep(*whole)
        else:
            pieces.put(_segment(code, content[:_ADOBE_BYTES]))
    elif code == _APP1 and content.startswith(_EXIF):
        orientation = read_orientation(content[len(_EXIF) :])
        if orientation != UPRIGHT:
            pieces.put(_segment(code, _EXIF + render_orientation(orientation)))


def _segment(code: int, content: bytes) -> bytes:
    return pack(">BBH", 0xFF, code, len(content) + 2) + content
