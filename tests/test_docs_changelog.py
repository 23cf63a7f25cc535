"""A fragment of the changelog is one sentence for users, named by its issue and its kind."""

import re

import pytest

from tests.pages import links_of
from tests.serving import ROOT

FRAGMENTS = sorted((ROOT / "changelog.d").iterdir())
_NAME = re.compile(r"\d+\.(security|breaking|deprecated|added|changed|fixed)(\.\d+)?\.md")
_SENTENCE = re.compile(r"[A-Z][^\n]+ \(\[#(\d+)\]\(\S+\)\)\.\n")


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_is_one_sentence_with_a_link(fragment):
    assert _NAME.fullmatch(fragment.name)
    sentence = _SENTENCE.fullmatch(fragment.read_text())
    assert sentence
    assert sentence[1] == fragment.name.split(".")[0]
    for target in links_of(fragment):
        # Read from CHANGELOG.md, in the root.
        assert (ROOT / target.split("#")[0]).exists(), target
