"""
``security-cases.md``: which test proves which case of ``spec/security-cases.md``.

A test names what it proves: ``@pytest.mark.case("T-01", "T-02")``. Files are read, not imported.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .markdown import code, table

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = ROOT / "spec" / "security-cases.md"
HEAD = """\
# Security cases

What hostile clients try ([the list](../../spec/security-cases.md)), and the tests that prove what
happens then. A test that is named here fails when the server does something else.
"""
_GROUP = re.compile(r"## (\d) (.+)")
_CASE = re.compile(r"\| (T-\d{2,3}) \| (.+?) \| (.+?) \| (.+?) \|")
_MARK = "case"


@dataclass(frozen=True, slots=True)
class Case:
    """
    One case.

    Attributes:
        name: ``T-`` and a number.
        group, title: Of the section it stands in.
        attempt: What is tried.
        state: ``proved``, or what it waits for.
    """

    name: str
    group: int
    title: str
    attempt: str
    state: str


def read_cases() -> list[Case]:
    """Read the list, in its order."""
    found: list[Case] = []
    group, title = 0, ""
    for line in CHAPTER.read_text("utf-8").splitlines():
        if heading := _GROUP.fullmatch(line):
            group, title = int(heading[1]), heading[2]
        elif row := _CASE.fullmatch(line):
            found.append(Case(row[1], group, title, row[2], row[4]))
    return found


def read_proofs() -> dict[str, list[str]]:
    """Read the names of tests by case, each ``file::test``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        if f"mark.{_MARK}(" not in text:
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for name in _cases_of(node):
                    place = path.relative_to(ROOT / "tests").as_posix()
                    found.setdefault(name, []).append(f"{place}::{node.name}")
    return found


def _cases_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{_MARK}":
            yield from (ast.literal_eval(argument) for argument in mark.args)


def render_cases() -> str:
    """Render the page."""
    proofs, parts, cases = read_proofs(), [HEAD], read_cases()
    for title in dict.fromkeys(case.title for case in cases):
        rows = [
            (
                case.name,
                case.attempt,
                case.state,
                " ".join(map(code, proofs.get(case.name, ()))),
            )
            for case in cases
            if case.title == title
        ]
        parts.append(f"## {title}\n\n{table(('case', 'what is tried', 'state', 'tests'), rows)}")
    return "\n".join(parts)
