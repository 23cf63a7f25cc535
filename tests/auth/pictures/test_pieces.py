"""What is collected of a picture, and how large one may be."""

import pytest

from tests.auth.pictures.photographs import jpeg, png
from trailbase_server.auth.pictures.jpeg import strip_jpeg
from trailbase_server.auth.pictures.pieces import (
    MAX_PARTS,
    MAX_SIDE_PX,
    STEP_BYTES,
    BrokenPictureError,
    LargePictureError,
    Pieces,
    check_size,
)
from trailbase_server.auth.pictures.png import strip_png


def test_ranges_that_touch_are_one():
    pieces = Pieces(b"abcdef")
    pieces.keep(0, 2)
    pieces.keep(2, 6)
    assert pieces.is_everything()
    pieces.put(b"!")
    assert not pieces.is_everything()
    assert b"".join(pieces.contents()) == b"abcdef!"


def test_what_is_dropped_is_not_among_the_contents():
    pieces = Pieces(b"abcdef")
    pieces.keep(0, 1)
    pieces.put(b"-")
    pieces.keep(3, 5)
    assert b"".join(pieces.contents()) == b"a-de"
    assert not pieces.is_everything()


def test_large_ranges_are_copied_step_by_step():
    source = bytes(2 * STEP_BYTES + 1)
    pieces = Pieces(source)
    pieces.keep(0, len(source))
    assert [len(content) for content in pieces.contents()] == [STEP_BYTES, STEP_BYTES, 1]


@pytest.mark.parametrize(("strip", "make"), [(strip_png, png), (strip_jpeg, jpeg)])
@pytest.mark.parametrize(
    ("width", "height", "error"),
    [
        (0, 1, BrokenPictureError),
        (1, 0, BrokenPictureError),
        (MAX_SIDE_PX, 6000, None),
        (1, MAX_SIDE_PX, None),
        (MAX_SIDE_PX + 1, 1, LargePictureError),
        (1, MAX_SIDE_PX + 1, LargePictureError),
        (MAX_SIDE_PX, MAX_SIDE_PX, LargePictureError),
    ],
)
def test_sizes(strip, make, width, height, error):
    if error is None:
        check_size(width, height)
        assert strip(make(width, height)).is_everything()
    else:
        with pytest.raises(error):
            strip(make(width, height))


def test_parts_are_counted():
    pieces = Pieces(b"")
    for _ in range(MAX_PARTS):
        pieces.count_part()
    with pytest.raises(BrokenPictureError):
        pieces.count_part()


def test_the_message_tells_the_size():
    with pytest.raises(LargePictureError) as caught:
        check_size(9000, 9001)
    assert "9000 x 9001" in caught.value.public
