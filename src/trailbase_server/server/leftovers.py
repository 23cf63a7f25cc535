"""
At the start: what a process that has ended has left of uploads.

Nobody else serves from this depot then, so what is in the tables of deletions and in the spool is
nobody's business any more: it is due at once.
"""

import asyncio

from trailbase_server.records.state import RecordsState
from trailbase_server.storage.deletions import make_all_due, queues


async def clear_leftovers(records: RecordsState) -> bool:
    """
    Empty the spool, and make all waiting deletions of objects due.

    Args:
        records: Of an open depot, whose lock is held.

    Returns:
        Is there anything for the job that deletes objects?

    Spec:
        server/file-deletion-job
    """
    await asyncio.to_thread(records.storage.spool.sweep)
    left = [name for name in queues(records.catalog) if await _has_rows(records, name)]
    if left:
        await records.database.write(make_all_due, left)
    return bool(left)


async def _has_rows(records: RecordsState, queue: str) -> bool:
    return bool(await records.database.query(f"SELECT 1 FROM {queue} LIMIT 1"))  # noqa: S608  # quoted
