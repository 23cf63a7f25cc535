"""The list of pages, and how they get on disk."""

from collections.abc import Callable
from pathlib import Path

from .cases import render_cases
from .commands import render_commands
from .configuration import render_configuration
from .errors import render_errors
from .functions import render_functions
from .limits import render_limits
from .routes import render_routes

PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": render_commands,
    "configuration.md": render_configuration,
    "routes.md": render_routes,
    "errors.md": render_errors,
    "sql-functions.md": render_functions,
    "limits.md": render_limits,
    "security-cases.md": render_cases,
}
NOTICE = "<!-- Made by scripts/docs. Change the code, not this page. -->\n\n"


def write_pages(directory: Path) -> None:
    """
    Write every page.

    Args:
        directory: Made if it is missing; pages in it are overwritten.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (directory / name).write_text(NOTICE + render(), "utf-8")
