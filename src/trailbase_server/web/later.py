"""
Handlers whose module is imported when they are first asked for: a server starts without them.

A table of routes has::

    if TYPE_CHECKING:
        from trailbase_server.admin import audit
    else:
        audit = later("trailbase_server.admin.audit")

so ``audit.list_audit`` is checked as the function that it is, and found by those who look for it.
For operations that a server may never be asked for: the first call waits on the event loop for its
import (10 to 30 ms), each one costs a call more.
"""

from collections.abc import Awaitable
from importlib import import_module
from typing import Any

from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


class LaterHandler:
    """
    A handler that is looked up when it is called.

    Args:
        module: Its module, with its packages.
        name: Of the function.
    """

    def __init__(self, module: str, name: str) -> None:
        self.__module__ = module
        self.__name__ = self.__qualname__ = name
        self._found: Any = None

    def __call__(self, state: Any, request: Request) -> Response | Awaitable[Response]:
        """Do what the function does: answer, or return what is to be awaited."""
        answer: Response | Awaitable[Response] = self.resolve()(state, request)
        return answer

    def resolve(self) -> Any:
        """Import the function; from then on it is at hand."""
        if self._found is None:
            self._found = getattr(import_module(self.__module__), self.__name__)
        return self._found


class LaterModule:
    """What is asked of a module that is imported later: its handlers."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> LaterHandler:
        """Stand for a function of the module; whether there is one shows when it is called."""
        return LaterHandler(self._name, name)


def later(module: str) -> LaterModule:
    """Stand for a module, named with its packages."""
    return LaterModule(module)
