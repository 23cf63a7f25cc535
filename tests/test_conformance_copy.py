"""The conformance kit is a copy: where the original is at hand, say when the two differ."""

import filecmp
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COPY = ROOT / "tests" / "conformance"
ORIGINAL = ROOT.parent / "shared" / "conformance"


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the original of the kit is not on this machine")
def test_the_copy_of_the_kit_is_the_kit():
    differing = [
        str(path.relative_to(ORIGINAL))
        for path in ORIGINAL.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not (
            (COPY / path.relative_to(ORIGINAL)).exists()
            and filecmp.cmp(path, COPY / path.relative_to(ORIGINAL), shallow=False)
        )
    ]
    assert differing == []
