"""Pictures in the documentation are sequence diagrams that a Mermaid renderer takes."""

import re

import pytest

from tests.pages import blocks_of
from tests.serving import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/README.md")]
WITH_PICTURES = [p for p in PAGES if any(b.language == "mermaid" for b in blocks_of(p))]
NAME = r"[A-Za-z]\w*"
PARTICIPANT = re.compile(rf"(?:participant|actor) ({NAME})(?: as \S.*)?")
MESSAGE = re.compile(rf"({NAME})(?:->>|-->>|-x|--x|-\)|--\))({NAME}): \S.*")
NOTE = re.compile(rf"Note (?:over|left of|right of) ({NAME})(?:,({NAME}))?: \S.*")
# Words that begin a block, go on with it, end it.
OPENING = re.compile(r"(?:alt|opt|loop|par|critical|break) \S.*")
CONTINUING = re.compile(r"(?:else|and|option)(?: \S.*)?")
BREAKING = ("#", ";")  # a renderer takes them for an entity and for the end of a line


def faults_of(text):
    """What is wrong with a picture, line by line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "sequenceDiagram":
        return ["it does not begin with sequenceDiagram"]
    known, depth, faults = set(), 0, []
    for line in lines[1:]:
        faults += [f"{mark} in: {line}" for mark in BREAKING if mark in line]
        if found := PARTICIPANT.fullmatch(line):
            known.add(found[1])
        elif found := MESSAGE.fullmatch(line) or NOTE.fullmatch(line):
            strangers = {name for name in found.groups() if name} - known
            faults += [f"{name} is no participant: {line}" for name in sorted(strangers)]
        elif OPENING.fullmatch(line):
            depth += 1
        elif line == "end" and depth:
            depth -= 1
        elif not (depth and CONTINUING.fullmatch(line)):
            faults.append(f"not understood: {line}")
    return faults + ["a block has no end"] * bool(depth)


@pytest.mark.parametrize("page", WITH_PICTURES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pictures_are_well_formed(page):
    for block in blocks_of(page):
        if block.language == "mermaid":
            assert faults_of(block.text) == [], f"{page.name}, line {block.line}"


def test_there_are_pictures():
    assert ROOT / "docs" / "guide" / "accounts.md" in WITH_PICTURES


@pytest.mark.parametrize(
    ("line", "is_fine"),
    [
        ("App->>Server: GET status", True),
        ("Server-->>App: 200", True),
        ("Server--xApp: 401", True),
        ("App->Server: an arrow without a head", False),
        ("App->>Stranger: hello", False),
        ("App->>Server:", False),
        ("App->>Server: a; b", False),
        ("Note over App,Server: later", True),
        ("Note over Stranger: later", False),
        ("alt it is known\nServer->>App: 200\nelse it is not\nServer->>App: 401\nend", True),
        ("alt without an end", False),
        ("end", False),
        ("else", False),
        ("graph TD", False),
    ],
)
def test_faults_are_found(line, is_fine):
    picture = f"sequenceDiagram\nparticipant App\nparticipant Server as Our server\n{line}\n"
    assert (faults_of(picture) == []) is is_fine


def test_other_kinds_of_pictures_are_not_taken():
    assert faults_of("graph TD\n  A --> B") != []
    assert faults_of("") != []
