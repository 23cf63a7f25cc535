"""Run one command's coroutine with the depot open."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from trailbase_server.auth.state import AuthState
    from trailbase_server.server.options import ServerOptions

R = TypeVar("R")


def run_with_accounts(options: "ServerOptions", action: Callable[["AuthState"], Awaitable[R]]) -> R:
    """
    Open the depot, run an action on its accounts, close it.

    Args:
        options: Which depot.
        action: Gets the state of the accounts.

    Raises:
        OperatorError: The depot cannot be opened, or the action says so.
    """
    from trailbase_server.server.start import open_depot

    async def run() -> R:
        async with open_depot(options) as depot:
            return await action(depot.auth)

    return asyncio.run(run())
