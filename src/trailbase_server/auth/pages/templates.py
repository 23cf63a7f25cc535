"""
The templates of the pages: Jinja, those of the depot first, ours where it has none.

A depot's template runs in a sandbox and escapes what it prints. One that does not parse, or refers
to a template that does not exist, is reported when the configuration is read; one that fails on
some visit is reported then. In both cases visitors see ours.
``{% extends "built-in/login.html" %}`` changes blocks of ours.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailbase_server.auth.pages.texts import fill

if TYPE_CHECKING:
    import jinja2

log = logging.getLogger(__name__)
BUILT_IN = Path(__file__).parent / "templates"
PREFIX = "built-in/"  # our own template of a name, whatever the depot has
MAX_TEMPLATES = 64  # of a depot
MAX_TEMPLATE_BYTES = 200_000  # of each


class PageTemplates:
    """
    Compiled templates.

    Args:
        directory: Where templates of one's own may be; None: nowhere.

    Attributes:
        problems: What is wrong with those, one line each.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.problems: list[str] = []
        self._ours = built_in_environment()
        found = self._read(directory) if directory is not None else {}
        self._own = _environment(found) if found else None
        if self._own is not None:
            self._check(self._own, directory, found)

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """
        Render a page.

        Args:
            name: Of the template.
            values: For the template.
        """
        if self._own is not None:
            try:
                return self._own.get_template(name).render(values)
            except Exception as exc:  # noqa: BLE001  # whatever an operator's template does
                log.error("the template of %s failed: %s; using ours", name, exc)  # noqa: TRY400
        return self._ours.get_template(name).render(values)

    def _read(self, directory: Path) -> dict[str, str]:
        sources: dict[str, str] = {}
        for path in sorted(directory.glob("*.html"))[:MAX_TEMPLATES]:
            try:
                with path.open("rb") as file:
                    data = file.read(MAX_TEMPLATE_BYTES + 1)
                if len(data) > MAX_TEMPLATE_BYTES:
                    self.problems.append(f"{path}: larger than {MAX_TEMPLATE_BYTES} bytes")
                else:
                    sources[path.name] = data.decode()
            except (OSError, UnicodeDecodeError) as exc:
                self.problems.append(f"{path}: {exc}")
        return sources

    def _check(
        self, own: "jinja2.Environment", directory: Path | None, sources: dict[str, str]
    ) -> None:
        from jinja2 import TemplateError, TemplateSyntaxError, meta  # noqa: PLC0415  # as below

        for name, source in list(sources.items()):
            place = f"{directory}/{name}"
            try:
                missing = [
                    other
                    for other in meta.find_referenced_templates(own.parse(source))
                    if other is not None and not _exists(other, sources)
                ]
                own.get_template(name)
            except TemplateSyntaxError as exc:
                self._drop(own, sources, name, f"{place}:{exc.lineno}: {exc.message}")
            except (TemplateError, RecursionError, ValueError) as exc:
                self._drop(own, sources, name, f"{place}: {exc}")
            else:
                for other in missing:
                    line = source.count("\n", 0, source.find(other)) + 1
                    self._drop(own, sources, name, f"{place}:{line}: there is no {other}")

    def _drop(
        self, own: "jinja2.Environment", sources: dict[str, str], name: str, problem: str
    ) -> None:
        self.problems.append(problem)
        # The loader reads this very table: from now on ours is found.
        sources.pop(name, None)
        if own.cache is not None:
            own.cache.clear()


def _exists(name: str, own: Mapping[str, str]) -> bool:
    bare = name.removeprefix(PREFIX)
    return name in own or ("/" not in bare and (BUILT_IN / bare).is_file())


@lru_cache(maxsize=1)
def built_in_environment() -> "jinja2.Environment":
    """Our own templates, compiled."""
    environment = _environment({})
    for path in BUILT_IN.glob("*.html"):
        environment.get_template(path.name)
    return environment


def _environment(own: dict[str, str]) -> "jinja2.Environment":
    # Imported when first needed: start-up time.
    from jinja2 import (  # noqa: PLC0415
        ChainableUndefined,
        ChoiceLoader,
        DictLoader,
        FileSystemLoader,
        PrefixLoader,
    )
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    ours = FileSystemLoader(BUILT_IN)
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([DictLoader(own), ours, PrefixLoader({PREFIX.rstrip("/"): ours})]),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["fill"] = fill
    return environment
