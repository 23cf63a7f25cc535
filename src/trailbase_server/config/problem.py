"""One mistake in a configuration, and how many of them are told to the operator."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from trailbase_server.config.outline import Outline
from trailbase_server.errors import OperatorError


class Problem(Struct, frozen=True):
    """
    A mistake.

    Attributes:
        path: Of the field: ``record_apis[3].name``, ``auth.oauth_providers["google"].client_id``.
        message: What is wrong with it, in upstream's words where it has some.
    """

    path: str
    message: str


def render_problems(
    problems: Iterable[Problem], file: str, outline: Outline, overrides: Mapping[str, str]
) -> OperatorError:
    """
    Tell all problems, one per line, each with the place to mend it.

    Args:
        problems: At least one.
        file: Name of the file.
        outline: Its fields.
        overrides: Variable by path of fields from the environment.
    """
    lines = []
    for problem in problems:
        variable = overrides.get(problem.path)
        if variable is not None:
            place = variable
        else:
            line = outline.line_of(problem.path)
            place = file if line is None else f"{file}:{line}"
        lines.append(f"{place}: {problem.path}: {problem.message}")
    return OperatorError("\n".join(lines))
