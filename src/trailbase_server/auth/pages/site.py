"""
Templates, texts and files of the pages, ready for one configuration.

They are made by the first visit: a server whose pages nobody opens pays nothing. A depot with files
of its own has them checked when the configuration is read, so that the operator hears of mistakes
before a visitor does.
"""

import asyncio
import logging
from pathlib import Path

from msgspec import Struct

from trailbase_server.auth.pages.assets import Assets
from trailbase_server.auth.pages.templates import PageTemplates
from trailbase_server.auth.pages.texts import Texts

log = logging.getLogger(__name__)
DIRECTORY = Path("templates", "auth")  # of the depot


class PageSet(Struct, frozen=True):
    """What pages are made from."""

    templates: PageTemplates
    texts: Texts
    assets: Assets


class Pages:
    """
    The current set.

    Attributes:
        is_enabled: The pages are served: mails and services may lead to them.
        depot: Where ``DIRECTORY`` may be; None: nowhere.
    """

    def __init__(self) -> None:
        self.is_enabled = False
        self.depot: Path | None = None
        self._current: PageSet | None = None

    async def current(self) -> PageSet:
        """The set to make a page from."""
        if self._current is None:
            self._current = await asyncio.to_thread(self._make)
        return self._current

    async def reload(self) -> None:
        """
        Read the depot's files again, at start-up and after each change of the configuration.

        What is wrong with them is logged as an error; in its place stands what is built in.
        """
        self._current = None
        if self.is_enabled and self._directory() is not None:
            made = await asyncio.to_thread(self._make)
            for part in (made.templates, made.texts, made.assets):
                for problem in part.problems:
                    log.error("%s; using what is built in", problem)
            self._current = made

    def _directory(self) -> Path | None:
        path = self.depot / DIRECTORY if self.depot is not None else None
        return path if path is not None and path.is_dir() else None

    def _make(self) -> PageSet:
        directory = self._directory()
        return PageSet(PageTemplates(directory), Texts(directory), Assets(directory))
