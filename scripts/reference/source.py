"""What the code says about itself in comments: constants with their values and reasons."""

import ast
import io
import pkgutil
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import trailbase_server

_MARKS = ("noqa", "type:")


@dataclass(frozen=True, slots=True)
class Constant:
    """
    A name in capitals that a module sets once.

    Attributes:
        module: Path below the package, such as ``auth/lockout.py``.
        name: As written.
        value: As computed.
        expression: As written.
        reason: The comment on its line, the docstring below it, or the comment above it.
    """

    module: str
    name: str
    value: Any
    expression: str
    reason: str


def all_modules() -> Iterator[ModuleType]:
    """Import every module of the package but the generated ones and ``__main__``."""
    for found in pkgutil.walk_packages(trailbase_server.__path__, "trailbase_server."):
        if not found.name.endswith((".__main__", "_pb2")):
            yield import_module(found.name)


def constants_of(module: ModuleType) -> Iterator[Constant]:
    """
    Find the constants of a module.

    Args:
        module: An imported one with a source file.
    """
    assert module.__file__ is not None
    text = Path(module.__file__).read_text("utf-8")
    comments = _comments_of(text)
    body = ast.parse(text).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        target = _target(node)
        if target is None or not target.isupper() or target.startswith("_"):
            continue
        assert isinstance(node, ast.Assign | ast.AnnAssign)
        assert node.value is not None
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        reason = (
            "; ".join(comments[line] for line in lines if comments.get(line))
            or _docstring(following)
            or _comment_above(text.splitlines(), node.lineno - 1)
        )
        yield Constant(
            module.__name__.removeprefix("trailbase_server.").replace(".", "/") + ".py",
            target,
            getattr(module, target),
            ast.unparse(node.value),
            reason.replace("``", "`"),
        )


def _target(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target = node.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _comments_of(text: str) -> dict[int, str]:
    """Comments by their line, without the marks that speak to tools."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            parts = (part.strip() for part in token.string.split("#")[1:])
            found[token.start[0]] = "; ".join(p for p in parts if not p.startswith(_MARKS))
    return found


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return ""


def _comment_above(lines: list[str], at: int) -> str:
    found: list[str] = []
    while at > 0 and lines[at - 1].startswith("#"):
        at -= 1
        found.insert(0, lines[at].lstrip("# "))
    return " ".join(found)
