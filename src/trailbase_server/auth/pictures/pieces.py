"""What is kept of a picture: ranges of the original and a few bytes of ours, in order."""

from collections.abc import Iterator
from mmap import mmap

from trailbase_server.errors import BadRequestError

MAX_SIDE_PX = 8192  # what phones take has less
MAX_PIXELS = 50_000_000  # 200 MB in the memory of whoever looks at it; phones take up to 49 million
STEP_BYTES = 256 * 1024  # copied at once
MAX_PARTS = 16_384  # of one file; 10 MB of PNG have 2,500 in the smallest usual size

Source = bytes | mmap


class BrokenPictureError(BadRequestError):
    """The file ends too early, or is not built as its beginning promises."""

    def __init__(self, detail: str) -> None:
        super().__init__("the picture is damaged", detail=detail)


class LargePictureError(BadRequestError):
    """The picture has too many pixels, however few bytes it has."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"the picture is too large: {width} x {height} pixels")


def check_size(width: int, height: int) -> None:
    """
    Check the size that a picture says it has.

    Args:
        width, height: Pixels.

    Raises:
        BrokenPictureError: It has no pixels.
        LargePictureError: It has too many.
    """
    if not width or not height:
        raise BrokenPictureError("no pixels")
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise LargePictureError(width, height)


class Pieces:
    """
    Collects what is kept.

    Args:
        source: The original.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept: list[tuple[int, int] | bytes] = []
        self._parts = 0

    def keep(self, start: int, stop: int) -> None:
        """Keep a range of the original."""
        last = self._kept[-1] if self._kept else b""
        if isinstance(last, tuple) and last[1] == start:
            self._kept[-1] = (last[0], stop)
        else:
            self._kept.append((start, stop))

    def put(self, content: bytes) -> None:
        """Put something else in the place of what is dropped."""
        self._kept.append(content)

    def count_part(self) -> None:
        """
        Count a part of the original, kept or not.

        Raises:
            BrokenPictureError: There are too many.
        """
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BrokenPictureError("too many parts")

    def is_everything(self) -> bool:
        """Is nothing dropped?"""
        return self._kept == [(0, len(self._source))]

    def contents(self) -> Iterator[bytes]:
        """What is kept, in order, at most ``STEP_BYTES`` at once."""
        for piece in self._kept:
            if isinstance(piece, bytes):
                yield piece
                continue
            for start in range(*piece, STEP_BYTES):
                yield self._source[start : min(start + STEP_BYTES, piece[1])]
