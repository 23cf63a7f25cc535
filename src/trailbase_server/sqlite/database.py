"""
A SQLite database as the rest of the program sees it (``db.base.Database``).

One object serves ``main.db`` and all configured databases: the reader connections and the one
writer attach them under their names. So there is one order of changes for everybody who listens,
whichever API wrote (design note 0002).
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import apsw

from trailbase_server.db.base import Change, ChangeListener, Transaction
from trailbase_server.db.values import Params, Row
from trailbase_server.sqlite.checkpoint import Checkpointer
from trailbase_server.sqlite.meters import DatabaseStatistics
from trailbase_server.sqlite.open import DatabaseFiles
from trailbase_server.sqlite.readers import Readers
from trailbase_server.sqlite.turns import Turns

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)
DEFAULT_READER_THREADS = 2  # one slow read must not hold up the next
MAX_HELD_S = 600.0  # a restore of many gigabytes; whoever holds the writer longer has failed


class SqliteDatabase:
    """
    Open a database for one event loop.

    Args:
        files: What to open; the files exist and are migrated.
        reader_threads: Size of the pool for slow reads.
    """

    def __init__(self, files: DatabaseFiles, reader_threads: int = DEFAULT_READER_THREADS) -> None:
        self._files = files
        self._listener: ChangeListener | None = None
        self._readers = readers = Readers(files, reader_threads)
        self._turns = Turns(
            files, self._publish, self._after_commit, readers.make_way, readers.go_on
        )
        self._checkpointer = Checkpointer(self._writer_connection, self._turns.between_turns)
        self._checkpointer.watch()
        # Bound once: the hot path of every request.
        self.read = self._readers.read
        self._submit = self._turns.submit

    def prepare_error(self, sql: str) -> str | None:
        """See ``db.base.Database.prepare_error``."""
        return self._readers.prepare_error(sql)

    async def query(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``db.base.Database.query``."""
        return await self._readers.query(sql, params)

    def leave_loop(self) -> None:
        """See ``db.base.Database.leave_loop``."""
        self._readers.leave_loop()

    def on_pool(self, function: Callable[..., R], *args: Any) -> Coroutine[Any, Any, R]:
        """See ``db.base.Database.on_pool``."""
        return self._readers.on_pool(function, *args)

    async def write(
        self, job: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """See ``db.base.Database.write``."""
        result: R = await self._submit(job, args, kwargs)
        return result

    def submit(
        self, job: Callable[Concatenate[Transaction, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[R]:
        """See ``db.base.Database.submit``."""
        return self._submit(job, args, kwargs)

    async def listen(self, listener: ChangeListener | None) -> None:
        """See ``db.base.Database.listen``."""
        self._listener = listener

        def switch() -> None:
            changes = self._turns.changes
            if listener is None:
                changes.stop()
            else:
                changes.start()

        if self._turns.has_connection:
            switch()
        else:
            # Half a turn would be announced otherwise; and a connection has one user at a time.
            await self._between_turns(switch)

    async def attach(self, attached: Mapping[str, Path]) -> None:
        """Attach another set of databases from now on; their files exist and are migrated."""
        files = replace(self._files, attached=dict(attached))

        def reopen() -> None:
            self._turns.reopen(files)
            self._checkpointer.watch()

        await self._between_turns(reopen)
        self._files = files
        self._readers.reopen(files)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """
        Keep the writer idle until the end of the block: no transaction is open and none begins.

        Writes that arrive meanwhile wait, though not for longer than ``MAX_HELD_S``.
        """
        loop = asyncio.get_running_loop()
        idle: asyncio.Future[None] = loop.create_future()
        release = threading.Event()

        def wait() -> None:
            loop.call_soon_threadsafe(_settle, idle)
            release.wait(MAX_HELD_S)

        self._turns.between_turns(wait)
        try:
            await idle
            yield
        finally:
            release.set()

    def leave_checkpoints(self, *, is_left: bool) -> None:
        """Say whether somebody else copies the write-ahead log back from now on."""
        self._checkpointer.is_left = is_left

    @property
    def waiting(self) -> tuple[int, int]:
        """How many slow reads and how many writes are waiting."""
        return self._readers.waiting, self._turns.waiting

    @property
    def files(self) -> dict[str, Path]:
        """The open files by the names that they have on disk."""
        return {path.stem: path for path in (self._files.path, *self._files.attached.values())}

    def statistics(self) -> DatabaseStatistics:
        """What has happened since it was opened; for the event loop."""
        reads, turns, checkpointer = self._readers.meters, self._turns.meters, self._checkpointer
        return DatabaseStatistics(
            *self.waiting,
            inline_reads=self._readers.inline_reads,
            read_wait=reads.wait.look(),
            read_run=reads.run.look(),
            reads_moved=reads.moved,
            write_wait=turns.wait.look(),
            turn=turns.turn.look(),
            commit=turns.commit.look(),
            jobs=turns.jobs.look(),
            writes_moved=turns.moved,
            failed_commits=turns.failed,
            busy=turns.busy,
            checkpoint=checkpointer.time.look(),
            failed_checkpoints=checkpointer.failed,
        )

    async def close(self) -> None:
        """Finish queued writes and close everything. Idempotent."""
        self._checkpointer.close()
        await self._turns.close()
        self._readers.close()

    async def _between_turns(self, work: Callable[[], None]) -> None:
        """Run ``work`` in the writer's thread while no transaction is open."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def run() -> None:
            try:
                work()
            except Exception as exc:  # noqa: BLE001  # delivered to the caller
                loop.call_soon_threadsafe(done.set_exception, exc)
            else:
                loop.call_soon_threadsafe(done.set_result, None)

        self._turns.between_turns(run)
        await done

    def _writer_connection(self) -> apsw.Connection:
        return self._turns.connection

    def _publish(self, changes: Sequence[Change]) -> None:
        if self._listener is None:
            return
        try:
            self._listener(changes)
        except Exception:
            # The commit stands, and the writer has to go on.
            log.exception("row changes were not announced")

    def _after_commit(self) -> None:
        self._checkpointer.after_commit()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
