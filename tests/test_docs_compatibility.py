"""The matrix has a row for each section of each chapter, and an issue for what is absent."""

import re

import pytest

from tests.serving import ROOT

MATRIX = (ROOT / "docs" / "compatibility.md").read_text()
CHAPTERS = sorted((ROOT / "spec").glob("*.md"))
STATES = {"done", "partial", "absent", "–"}
_ROW = re.compile(r"^\| (?P<number>\d+) (?P<title>[^|]+) \| (?P<state>[^|]+) \|(?P<note>[^|]*)\|$")


def sections_of(chapter):
    """Number and title of each second-level heading."""
    found = re.findall(r"^## (\d+)\.? (.+)$", chapter.read_text(), re.MULTILINE)
    return {int(number): title for number, title in found}


def rows_of(chapter):
    """The rows of a chapter's table, by the number of their section."""
    tables = [part for part in MATRIX.split("\n## ") if f"spec/{chapter.name}" in part]
    assert len(tables) == 1
    rows = [row for line in tables[0].splitlines() if (row := _ROW.match(line))]
    assert len(rows) == len([line for line in tables[0].splitlines() if line.startswith("| ")]) - 1
    return {int(row["number"]): row for row in rows}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_section_has_a_row_and_every_row_a_section(chapter):
    sections, rows = sections_of(chapter), rows_of(chapter)
    assert list(rows) == list(sections)
    for number, row in rows.items():
        words = re.sub(r"[`*]", "", sections[number])
        assert words.startswith(row["title"].strip().split(" and ")[0].split(",")[0]), row[0]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_what_is_not_done_says_what_it_lacks(chapter):
    for row in rows_of(chapter).values():
        assert row["state"] in STATES, row[0]
        if row["state"] == "partial":
            assert row["note"].strip(), row[0]
        if row["state"] == "absent":
            assert re.match(r" #\d+", row["note"]), row[0]
