"""Tables and cells of Markdown."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """
    Render a table, or nothing if there are no rows.

    Args:
        header: Titles of n columns.
        rows: n cells each, Markdown already; bars and line breaks are made harmless.
    """
    lines = [_line(row) for row in rows]
    if not lines:
        return ""
    return "\n".join((_line(header), "|" + "---|" * len(header), *lines, ""))


def code(text: object) -> str:
    """Mark as code; empty stays empty. The text must not contain backticks."""
    return f"`{text}`" if str(text) else ""


def codes(texts: Iterable[object]) -> str:
    """Mark several as code, separated by commas."""
    return ", ".join(code(text) for text in texts)


def first_sentence(docstring: str | None) -> str:
    """Read the first paragraph of a docstring as one line, with Markdown's way of marking code."""
    paragraph = (docstring or "").strip().split("\n\n", 1)[0]
    return " ".join(paragraph.split()).replace("``", "`")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |"
