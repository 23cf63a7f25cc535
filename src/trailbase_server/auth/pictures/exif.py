"""
Which way is up: the one field of Exif that a picture needs.

Cameras store what the sensor saw and note how the camera was held. Without that note portraits
lie on their side; everything else in Exif tells about the photographer.
"""

from struct import error as StructError  # noqa: N812  # its own name says nothing
from struct import pack, unpack_from

UPRIGHT = 1  # what a picture without a note is
ORIENTATIONS = range(1, 9)
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TAG = 0x0112
_SHORT = 3  # type of the field: 16 bits
_ENTRY_BYTES = 12


def read_orientation(tiff: bytes) -> int:
    """
    Read how a picture is to be turned.

    Args:
        tiff: Exif from the mark of its byte order on.

    Returns:
        1 to 8 as Exif has it; ``UPRIGHT`` if it does not say, or is broken.
    """
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = unpack_from(f"{order}I", tiff, 4)
        (count,) = unpack_from(f"{order}H", tiff, start)
        for number in range(count):
            at = start + 2 + number * _ENTRY_BYTES
            tag, kind, length, value = unpack_from(f"{order}HHIH", tiff, at)
            if (tag, kind, length) == (_TAG, _SHORT, 1):
                return value if value in ORIENTATIONS else UPRIGHT
    except StructError:  # it points behind its end
        pass
    return UPRIGHT


def render_orientation(orientation: int) -> bytes:
    """Render Exif that says this and nothing else."""
    return pack(">4sIHHHIHHI", b"MM\0*", 8, 1, _TAG, _SHORT, 1, orientation, 0, 0)
