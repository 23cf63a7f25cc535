"""PNG: what is seen stays, what is told goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.auth.pictures.photographs import SECRETS, chunk, look, painting, png, screenshot
from trailbase_server.auth.pictures.pieces import BrokenPictureError, LargePictureError
from trailbase_server.auth.pictures.png import KEPT, strip_png


def strip(content):
    return b"".join(strip_png(content).contents())


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
@pytest.mark.parametrize("orientation", [None, 1, 6])
def test_the_pixels_stay_and_the_notes_go(mode, orientation):
    original = screenshot(orientation, mode)
    stripped = strip(original)
    assert look(stripped) == look(original)
    assert look(stripped)[3] == (orientation or 1)
    for secret in SECRETS:
        assert secret not in stripped
    assert strip(stripped) == stripped


def test_colours_of_a_palette_and_their_transparency_stay(tmp_path):
    path = tmp_path / "a.png"
    painting().quantize(16).save(path, transparency=3)
    assert strip_png(path.read_bytes()).is_everything()


def test_animations_go_on(tmp_path):
    path = tmp_path / "a.png"
    frames = [painting().rotate(90 * n) for n in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert b"acTL" in path.read_bytes()
    assert strip_png(path.read_bytes()).is_everything()


def test_all_texts_and_unknown_parts_go():
    unknown = [chunk(name, b"at home") for name in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"viDe")]
    assert strip(png(1, 1, *unknown)) == png()
    assert all(len(name) == 4 for name in KEPT)


def test_what_follows_the_end_goes():
    assert strip(png() + png()) == png()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        png()[:8],
        png()[8:],
        png()[:-1],
        png()[:-12],
        png()[:40],
        png()[:8] + chunk(b"IEND", b""),
        png()[:33] + chunk(b"IEND", b""),
        png()[:8] + png()[33:],
        png(1, 1, png()[8:33]),
        png(1, 1, chunk(b"NEwz", b"")),
        png(1, 1, chunk(b"1234", b"")),
        png()[:8] + chunk(b"IHDR", bytes(12)) + png()[33:],
        png()[:33] + b"\xff\xff\xff\xffIDAT",
    ],
)
def test_damage_is_found(content):
    with pytest.raises(BrokenPictureError):
        strip(content)


@given(st.data())
def test_no_bytes_are_too_strange(data):
    content = bytearray(data.draw(st.sampled_from([png(), screenshot(6)])))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        stripped = strip(bytes(content))
    except (BrokenPictureError, LargePictureError):
        return
    assert strip(stripped) == stripped
