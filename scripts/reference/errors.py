"""``errors.md``: every refusal, with its status and its cause."""

from collections.abc import Iterator
from http import HTTPStatus

from trailbase_server.errors import AppError

from .markdown import code, first_sentence, table
from .source import all_modules

HEAD = """\
# Errors

A refusal is a status and either an empty body or one line of plain text; bodies are never JSON. A
bug is a 500 without a body and with a header `x-incident`, which the log repeats beside the
traceback. A database that is busy or full is a 503: repeat the request later.
"""


def render_errors() -> str:
    """Render the page."""
    for _ in all_modules():
        pass  # so that all classes exist
    parts = [HEAD]
    by_status: dict[int, list[type[AppError]]] = {}
    for error in sorted(descendants(AppError), key=lambda e: (e.__module__, e.__qualname__)):
        by_status.setdefault(error.status, []).append(error)
    for status, errors in sorted(by_status.items()):
        rows = [
            (
                code(error.__name__),
                code(_place(error)),
                first_sentence(error.__doc__),
            )
            for error in errors
        ]
        heading = f"## {status} {HTTPStatus(status).phrase}"
        parts.append(f"{heading}\n\n{table(('error', 'in', 'cause'), rows)}")
    return "\n".join(parts)


def descendants(error: type[AppError]) -> Iterator[type[AppError]]:
    """All classes of the program below one, each once."""
    seen: set[type[AppError]] = set()
    for child in error.__subclasses__():
        for found in (child, *descendants(child)):
            if found not in seen and found.__module__.startswith("trailbase_server."):
                seen.add(found)
                yield found


def _place(error: type[AppError]) -> str:
    return error.__module__.removeprefix("trailbase_server.").replace(".", "/") + ".py"
