"""
All that is wrong with the configuration of a depot, with places to mend it; the depot is only read.

One stage follows the other where the one before found nothing: the text, secrets and environment,
what the fields say by themselves, what they say about the schema.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.load import (
    CONFIG_FILE,
    LoadedConfig,
    assemble_config,
    parse_config,
)
from trailbase_server.config.outline import Outline
from trailbase_server.config.problem import Problem
from trailbase_server.config.vault import load_vault
from trailbase_server.errors import OperatorError
from trailbase_server.records.check import check_record_apis
from trailbase_server.server.configuration import find_own_problems
from trailbase_server.server.rehearsal import rehearse


class Mistake(Struct, frozen=True):
    """
    Something to mend.

    Attributes:
        source: The file, or the variable of the environment.
        line, column: In the file, from 1; None where there is no such place.
        path: Of the field, empty if it is none's.
        message: What is wrong.
    """

    source: str
    line: int | None
    column: int | None
    path: str
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part)
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"

    def render(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def find_mistakes(
    depot: Path, environ: Mapping[str, str], geoip_path: Path | None = None
) -> list[Mistake]:
    """
    Check the configuration of a depot; blocks.

    Args:
        depot: The directory.
        environ: Variables of the process.
        geoip_path: Database of addresses, for migrations that ask it.

    Raises:
        OperatorError: The file, the vault or a migration cannot be read, or a migration fails.

    Spec:
        server/validation
        server/config-protection-and-provenance-p1-p2-the-docs-recommend-read-only-production-config-but-nothing-enforces-it
    """
    path = depot / CONFIG_FILE
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise OperatorError(f"cannot read {path}: {exc.strerror}") from exc
    stored, text, mistakes = parse_config(content)
    if mistakes:
        return [Mistake(CONFIG_FILE, m.line, m.column, "", m.message) for m in mistakes]
    loaded, problems = assemble_config(depot, stored, text, load_vault(depot), environ)
    problems = problems or ConfigHolder(loaded, environ, [find_own_problems]).find_problems(
        loaded.config
    )
    return _place(problems or _find_schema_problems(loaded, geoip_path), loaded)


def _find_schema_problems(loaded: LoadedConfig, geoip_path: Path | None) -> list[Problem]:
    with rehearse(loaded, geoip_path) as rehearsal:
        return check_record_apis(
            loaded.config,
            rehearsal.catalog,
            lambda name: rehearsal.registry.schema(name) is not None,
            rehearsal.prepare_error,
        )


def _place(problems: Iterable[Problem], loaded: LoadedConfig) -> list[Mistake]:
    outline = Outline(loaded.text)
    found = []
    for problem in problems:
        variable = loaded.overrides.get(problem.path)
        line, column = (None, None) if variable else outline.place_of(problem.path) or (None, None)
        source = variable or CONFIG_FILE
        found.append(Mistake(source, line, column, problem.path, problem.message))
    return found
