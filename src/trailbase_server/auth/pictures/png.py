"""
PNG without what it tells beside its pixels.

.. code-block:: text

    signature  chunk …  IEND   whatever (dropped)
    chunk = length (4)  name (4)  content (length)  checksum (4)
"""

from struct import pack, unpack_from
from zlib import crc32

from trailbase_server.auth.pictures.exif import UPRIGHT, read_orientation, render_orientation
from trailbase_server.auth.pictures.pieces import BrokenPictureError, Pieces, Source, check_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME_BYTES = 12  # of a chunk around its content
_HEADER_BYTES = 13  # content of the first chunk
# Pixels, their colours, their transparency; and the frames of animations.
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_COLOURS = {b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
_LOOKS = {b"bKGD", b"hIST", b"pHYs", b"tRNS", b"acTL", b"fcTL", b"fdAT"}
KEPT = _CRITICAL | _COLOURS | _LOOKS


def strip_png(source: Source) -> Pieces:
    """
    Choose what is kept of a PNG: how it looks.

    Raises:
        BrokenPictureError: It is cut off, or has parts that nobody knows and that it needs.
        LargePictureError: It has too many pixels.
    """
    pieces, at, name, has_pixels = Pieces(source), len(SIGNATURE), b"", False
    if source[:at] != SIGNATURE:
        raise BrokenPictureError("no signature")
    pieces.keep(0, at)
    while name != b"IEND":
        pieces.count_part()
        name, stop = _read_chunk(source, at)
        if (name == b"IHDR") is not (at == len(SIGNATURE)):
            raise BrokenPictureError("no header, or more than one")
        if name == b"IHDR":
            _check_header(source, at, stop)
        if name in KEPT:
            pieces.keep(at, stop)
        elif name == b"eXIf":
            _put_orientation(pieces, source[at + 8 : stop - 4])
        elif name[:1].isupper():  # a decoder must not go on without it
            raise BrokenPictureError("an unknown critical chunk")
        has_pixels = has_pixels or name == b"IDAT"
        at = stop
    if not has_pixels:
        raise BrokenPictureError("no pixels")
    return pieces


def _read_chunk(source: Source, at: int) -> tuple[bytes, int]:
    """Name of a chunk, and where it ends."""
    if at + _FRAME_BYTES > len(source):
        raise BrokenPictureError("cut off")
    (length,) = unpack_from(">I", source, at)
    name, stop = source[at + 4 : at + 8], at + _FRAME_BYTES + length
    if stop > len(source) or not name.isalpha():
        raise BrokenPictureError("a chunk is cut off or has no name")
    return name, stop


def _check_header(source: Source, at: int, stop: int) -> None:
    if stop != at + _FRAME_BYTES + _HEADER_BYTES:
        raise BrokenPictureError("a header of another size")
    width, height = unpack_from(">II", source, at + 8)
    check_size(width, height)


def _put_orientation(pieces: Pieces, tiff: bytes) -> None:
    orientation = read_orientation(tiff)
    if orientation != UPRIGHT:
        named = b"eXIf" + render_orientation(orientation)
        pieces.put(pack(">I", len(named) - 4) + named + pack(">I", crc32(named)))
