"""The direction of a photograph, read from what cameras write and from what attackers write."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.auth.pictures.photographs import exif
from trailbase_server.auth.pictures.exif import (
    ORIENTATIONS,
    UPRIGHT,
    read_orientation,
    render_orientation,
)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_is_rendered_is_read(orientation):
    assert read_orientation(render_orientation(orientation)) == orientation


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_others_write_is_read(orientation):
    content = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    assert read_orientation(content) == orientation


def test_nothing_else_is_rendered():
    rendered = render_orientation(6)
    assert len(rendered) == 26
    assert read_orientation(exif().tobytes().removeprefix(b"Exif\0\0")) == UPRIGHT


@pytest.mark.parametrize(
    "tiff",
    [
        b"",
        b"II*\0",
        b"XX*\0" + bytes(40),
        b"II*\0" + pack("<I", 2**32 - 1),
        b"II*\0" + pack("<IH", 8, 65535),
        pack("<4sIHHHIH", b"II*\0", 8, 1, 0x0112, 3, 1, 9),
        pack("<4sIHHHIH", b"II*\0", 8, 1, 0x0112, 3, 1, 0),
        pack("<4sIHHHII", b"II*\0", 8, 1, 0x0112, 4, 1, 6),
        pack("<4sIHHHIH", b"II*\0", 8, 1, 0x0112, 3, 2, 6),
    ],
)
def test_what_makes_no_sense_is_upright(tiff):
    assert read_orientation(tiff) == UPRIGHT


@given(st.sampled_from([b"II*\0", b"MM\0*", b""]), st.binary(max_size=80))
def test_any_bytes_have_a_direction(mark, rest):
    assert read_orientation(mark + rest) in ORIENTATIONS
