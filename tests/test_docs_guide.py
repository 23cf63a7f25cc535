"""What the guide tells a reader to type works, and prints what it says."""

import json
import re

import pytest

from tests.pages import Block, check, is_like, links_of, run_page
from tests.serving import ROOT

GUIDE = sorted((ROOT / "docs" / "guide").rglob("*.md"))
WITHOUT_COMMANDS = {"performance.md"}
WRITTEN = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "examples").glob("*/README.md"),
    ROOT / "benchmarks" / "README.md",
]


@pytest.mark.timeout(180)  # a page starts a program for each command, beside other tests
@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.name)
def test_a_page_does_what_it_says(page, tmp_path):
    count = run_page(page, tmp_path)
    assert (count == 0) == (page.name in WITHOUT_COMMANDS)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in links_of(page):
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        if anchor:
            headings = [line for line in found.read_text().splitlines() if line.startswith("#")]
            names = {anchor_of(line) for line in headings}
            assert anchor in names, target


def anchor_of(heading):
    words = re.sub(r"[^\w\s-]", "", heading.lstrip("#").strip().lower())
    return words.replace(" ", "-")


def test_every_page_is_reached_from_the_first():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [(page.parent / target.split("#")[0]).resolve() for target in links_of(page)]
    assert [page for page in (ROOT / "docs").rglob("*.md") if page not in reached] == []


@pytest.mark.parametrize(
    ("pattern", "value", "like"),
    [
        ({"a": "…", "b": [1, "x"]}, {"a": {"any": 1}, "b": [1, "x"]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1], [1, 1], False),
        (1, True, False),
        ("x", "y", False),
    ],
)
def test_results_are_compared_by_shape(pattern, value, like):
    assert is_like(pattern, value) is like


def test_a_page_that_does_not_tell_the_truth_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\necho one\n```\n\n```text\ntwo\n```\n")
    with pytest.raises(AssertionError, match="line 1"):
        run_page(page, tmp_path)
    page.write_text("```sh\nfalse\ntrue\n```\n")
    with pytest.raises(AssertionError, match="a command failed"):
        run_page(page, tmp_path)


def test_a_text_may_have_gaps():
    check(Block("text", "a … c\n", 1), "a b\nb c\n", "here")
    with pytest.raises(AssertionError):
        check(Block("json", "[]", 1), json.dumps([1]), "here")
