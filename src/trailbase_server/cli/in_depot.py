"""
Run one command's coroutine with the depot open, and record what it did.

What changes something comes with a ``Deed`` and ends in the audit log, done or refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from trailbase_server.auth.state import AuthState
    from trailbase_server.server.audit import Deed
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.server.options import ServerOptions

R = TypeVar("R")


def run_in_depot(
    options: "ServerOptions",
    action: Callable[["OpenDepot"], Awaitable[R]],
    deed: "Deed | None" = None,
) -> R:
    """
    Open the depot, run an action on it, close it.

    Args:
        options: Which depot.
        action: Gets the open depot.
        deed: What the action does; None: nothing that is worth recording.

    Raises:
        OperatorError: The depot cannot be opened, or the action says so.
    """
    from trailbase_server.server.audit import command_actor, record_deed
    from trailbase_server.server.start import open_depot

    async def run() -> R:
        async with open_depot(options) as depot:
            if deed is None:
                return await action(depot)
            return await record_deed(depot.audit, deed, action(depot), command_actor())

    return asyncio.run(run())


def run_with_accounts(
    options: "ServerOptions",
    action: Callable[["AuthState"], Awaitable[R]],
    deed: "Deed | None" = None,
) -> R:
    """Like ``run_in_depot``; the action gets the state of the accounts."""
    return run_in_depot(options, lambda depot: action(depot.auth), deed)
