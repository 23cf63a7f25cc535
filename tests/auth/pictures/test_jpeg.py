"""JPEG: what is seen stays, what is told goes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.auth.pictures.photographs import SECRETS, jpeg, look, painting, photograph, segment
from trailbase_server.auth.pictures.jpeg import strip_jpeg
from trailbase_server.auth.pictures.pieces import BrokenPictureError, LargePictureError

ICC = segment(0xE2, b"ICC_PROFILE\0\1\1" + b"p" * 100)
ADOBE = segment(0xEE, b"Adobe" + bytes(7))
JFIF = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")


def strip(content):
    return b"".join(strip_jpeg(content).contents())


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("orientation", [None, 1, 6, 8])
def test_the_pixels_stay_and_the_notes_go(orientation, progressive):
    original = photograph(orientation, progressive=progressive)
    for secret in SECRETS:
        assert secret in original
    stripped = strip(original)
    assert look(stripped) == look(original)
    assert look(stripped)[3] == (orientation or 1)
    for secret in SECRETS:
        assert secret not in stripped
    assert strip(stripped) == stripped


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_plain_pictures_are_left_alone(mode):
    file = io.BytesIO()
    painting(mode).save(file, "JPEG", restart_marker_blocks=1)
    assert strip_jpeg(file.getvalue()).is_everything()


def test_colours_stay():
    content = jpeg(1, 1, JFIF, ICC, ADOBE)
    assert strip_jpeg(content).is_everything()


@pytest.mark.parametrize("code", [*range(0xE0, 0xF0), 0xFE])
def test_other_notes_go(code):
    assert strip(jpeg(1, 1, segment(code, b"at home"))) == jpeg()


@pytest.mark.parametrize("code", [0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF])
def test_tables_stay(code):
    assert strip_jpeg(jpeg(1, 1, segment(code, b"table"))).is_everything()


def test_thumbnails_and_what_hides_behind_colours_go():
    thumbnail = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\1\1abc")
    longer = segment(0xEE, b"Adobe" + bytes(7) + b"at home")
    assert strip(jpeg(1, 1, thumbnail, longer)) == jpeg(1, 1, JFIF, ADOBE)
    assert strip(jpeg(1, 1, segment(0xE0, b"JFXX\0abc"), segment(0xE2, b"MPF\0"))) == jpeg()


def test_what_follows_the_end_goes_and_a_missing_end_is_fine():
    assert strip(jpeg() + jpeg()) == jpeg()
    whole = photograph(film=b"")
    assert look(strip(whole))[1] == look(whole)[1]
    assert strip(whole[:-2]) + b"\xff\xd9" == strip(whole)


def test_fillers_before_markers_are_fine():
    assert strip_jpeg(jpeg(1, 1, b"\xff\xff\xff" + ICC)).is_everything()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        jpeg()[2:],
        jpeg()[:5],
        jpeg()[:7],
        jpeg()[:3],
        jpeg(1, 1, b"text"),
        jpeg(1, 1, b"\xff\xe1\0\1"),
        jpeg(1, 1, b"\xff\xe1\xff\xff"),
        jpeg(1, 1, segment(0xC0, b"\x08\0\1")),
        jpeg(1, 1, segment(0xC8, b"")),
        jpeg(1, 1, segment(0xF7, b"")),
        jpeg(1, 1, b"\xff\xd8"),
        jpeg(1, 1, b"\xff\xd0"),
        jpeg(1, 1, b"\xff\x00"),
        b"\xff\xd8" + b"\xff" * 50,
    ],
)
def test_damage_is_found(content):
    with pytest.raises(BrokenPictureError):
        strip(content)


@given(st.data())
def test_no_bytes_are_too_strange(data):
    content = bytearray(data.draw(st.sampled_from([jpeg(1, 1, JFIF, ICC), photograph(6)])))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        stripped = strip(bytes(content))
    except (BrokenPictureError, LargePictureError):
        return
    assert strip(stripped) == stripped
