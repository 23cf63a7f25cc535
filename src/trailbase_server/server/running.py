"""
What runs beside the requests while the server runs: one line each, started in this order and
stopped in the reverse one. Commands that only open a depot run nothing of it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from trailbase_server.server.encryption import run_encryption
from trailbase_server.server.jobs import run_jobs
from trailbase_server.server.notify import pat_watchdog
from trailbase_server.server.opened import OpenDepot
from trailbase_server.server.tracing import traced


@asynccontextmanager
async def background_work(depot: OpenDepot) -> AsyncIterator[None]:
    """
    Run it until the end of the block.

    Args:
        depot: Open, its lock held.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(run_encryption(depot.encryption, depot.readiness))
        await stack.enter_async_context(run_jobs(depot))
        await stack.enter_async_context(traced(depot, os.environ))
        await stack.enter_async_context(pat_watchdog())
        if depot.options.replicate is not None:
            # It ends when all databases are closed: the last writes are shipped, too.
            await depot.afterwards.enter_async_context(_replicated(depot, depot.options.replicate))
        depot.mailer.start()
        yield


@asynccontextmanager
async def _replicated(depot: OpenDepot, wanted: str) -> AsyncIterator[None]:
    # Imported when first needed: start-up time.
    from trailbase_server.server.replication import prepare_replication  # noqa: PLC0415

    replication = prepare_replication(
        depot.options.depot, lambda: depot.config.config, depot.every_database, wanted
    )
    depot.replication = replication
    depot.readiness.add("replication", replication.check)
    async with replication.running():
        yield
