"""Files that pages refer to."""

import re

import pytest

from trailbase_server.auth.pages.assets import MAX_ASSET_BYTES, Assets

STYLES = Assets().by_name["pages.css"].content.decode()
PAIRS = (
    *(
        ("text", "card", 4.5),
        ("soft", "card", 4.5),
        ("text", "ground", 4.5),
        ("soft", "ground", 4.5),
    ),
    *(("accent", "card", 4.5), ("accent-strong", "card", 4.5), ("on-accent", "accent", 4.5)),
    *(("on-accent", "accent-strong", 4.5), ("error", "card", 4.5), ("error", "error-ground", 4.5)),
    *(("notice", "notice-ground", 4.5), ("edge", "card", 3), ("accent", "ground", 3)),
)


def test_files_of_a_depot_come_first_and_a_logo_is_found(tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "pages.css").write_text("body{}")
    (tmp_path / "static" / "logo.svg").write_text("<svg/>")
    assets = Assets(tmp_path)
    assert assets.by_name["pages.css"].content == b"body{}"
    assert assets.logo == assets.url("logo.svg")
    assert assets.problems == []
    assert Assets().logo is None


def test_what_cannot_be_served_is_told(tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "page.html").write_text("x")
    (tmp_path / "static" / "large.css").write_bytes(b"x" * (MAX_ASSET_BYTES + 1))
    for number in range(70):
        (tmp_path / "static" / f"z{number}.css").write_text("")
    problems = " ".join(Assets(tmp_path).problems)
    for problem in ("page.html: not one of", "large.css: larger than", "more than 64 files"):
        assert problem in problems


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_can_be_told_apart(scheme, front, back, least):
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in schemes())
    colours = light if scheme == "light" else dark
    assert light.keys() == dark.keys()
    assert contrast(colours[front], colours[back]) >= least


def schemes():
    light, dark = re.findall(r":root \{(.*?)\}", STYLES, re.DOTALL)
    return light, dark


def test_all_colours_of_the_styles_are_those_that_are_checked():
    rules = re.sub(r":root \{.*?\}", "", STYLES, flags=re.DOTALL)
    # White behind a QR code, which scanners need in both schemes.
    assert set(re.findall(r"#[0-9a-fA-F]{3,6}\b", rules)) == {"#fff"}
    named = {name for pair in PAIRS for name in pair[:2]} | {"line"}
    assert set(re.findall(r"var\(--([a-z-]+)\)", rules)) <= named


def test_motion_can_be_switched_off():
    before, moving = STYLES.split("@media (prefers-reduced-motion: no-preference) {")
    assert "transition" not in before
    assert "animation" not in STYLES
    assert "transition" not in moving.partition("\n}")[2]
    assert "color-scheme: light dark" in STYLES
