"""Every ``Spec:`` section of a docstring names a heading under ``spec/``."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trailbase_server"
_SPEC = re.compile(r"^\s*Spec:\n((?:\s+\S.*\n?)+)", re.MULTILINE)


def slug(heading):
    words = re.sub(r"^[\d.]+\s*", "", heading.strip("# \n"))
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def headings():
    found = set()
    for page in (ROOT / "spec").glob("*.md"):
        for line in page.read_text().splitlines():
            if line.startswith("#"):
                found.add(f"{page.stem}/{slug(line)}")
    return found


def citations():
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                for block in _SPEC.findall(text + "\n"):
                    for name in re.findall(r"[a-z-]+/[a-z0-9-]+", block):
                        yield path.relative_to(SOURCE), name


def test_there_is_a_specification():
    assert "records/record-ids" in headings()


@pytest.mark.parametrize("name", sorted({name for _, name in citations()}))
def test_every_citation_resolves(name):
    assert name in headings(), [str(path) for path, cited in citations() if cited == name]
