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
from trailbase_server.server.start import OpenDepot
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
            # Imported when first needed: start-up time.
            from trailbase_server.server.replication import run_replication  # noqa: PLC0415

            # It ends when all databases are closed: the last writes are shipped, too.
            await depot.afterwards.enter_async_context(run_replication(depot))
        depot.mailer.start()
        yield
