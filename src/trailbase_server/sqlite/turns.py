"""
One writer, group commit: everything that is queued becomes one transaction, a *turn*.

Theory of operation
-------------------
``submit`` appends a job and, when nothing is scheduled, asks the event loop for a turn. A turn
begins a transaction, runs job after job, commits once, and only then answers all of them. So
"acknowledged" means "on disk" at the price of one fsync per group.

* *Isolation.* A job that changes the database with more than one statement runs in a savepoint; a
  failing job is undone alone. What a statement cannot undo alone (``ON CONFLICT ROLLBACK``, an
  interrupt) takes the whole transaction down: then the culprit runs by itself and the others again.
  Nobody has been answered yet, so jobs must be repeatable.
* *Budget.* Statements run on the event loop. A job that is longer at it than ``JOB_BUDGET_S`` is
  interrupted and runs again, alone, in the writer's thread; the others follow in the next turn. A
  turn that has lasted ``TURN_BUDGET_S`` commits what it has.
* *COMMIT.* Inline while the disk is quick; in the thread when its fsync has lately taken more than
  ``SLOW_COMMIT_S``. If it fails, every job of the turn does; when a deferred constraint is to
  blame, the jobs are tried one by one.
* *Other processes.* Waiting for a lock never happens on the loop: a turn that cannot begin moves to
  the thread.

States: idle → scheduled → (running) → idle | away. ``away`` means that the thread has the
connection; jobs that arrive meanwhile wait for the next turn.

Bounds: ``MAX_WAITING`` jobs (then ``OverloadedError``), ``MAX_JOBS`` per turn.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import perf_counter
from typing import Any

import apsw

from trailbase_server.db.base import Change
from trailbase_server.db.errors import ClosedError, ConstraintError, DatabaseError, OverloadedError
from trailbase_server.db.values import Params, Row
from trailbase_server.sqlite.budget import NEVER, STEPS_PER_CHECK, Budget
from trailbase_server.sqlite.changes import ChangeLog
from trailbase_server.sqlite.errors import compile_error, translate_error
from trailbase_server.sqlite.job import Job
from trailbase_server.sqlite.meters import TurnMeters
from trailbase_server.sqlite.open import BUSY_TIMEOUT_MS, DatabaseFiles, open_connection
from trailbase_server.sqlite.vectors import load_vectors, needs_vectors

MAX_WAITING = 16_384  # queued jobs; at 50,000 writes a second a third of a second of work
MAX_JOBS = 256  # per turn: bounds what one failed commit takes down, and the latency of reads
JOB_BUDGET_S = 0.004  # longest time one job may keep the event loop busy
TURN_BUDGET_S = 0.010  # after this long a turn commits what it has
SLOW_COMMIT_S = 0.0005  # average above which COMMIT moves to the thread
THREAD_BUDGET_S = 60.0  # longest time one job may take in the thread
SMOOTHING = 0.1  # weight of the newest commit in the moving average


class InterruptedTurnError(Exception):
    """The transaction is gone (budget, ON CONFLICT ROLLBACK): the culprit has to run alone."""


class WriterTransaction:
    """
    The view of one job on the writer's connection (``db.base.Transaction``).

    Args:
        connection: The writer.
    """

    __slots__ = ("_connection", "_cursor", "budget")

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self.budget = Budget(JOB_BUDGET_S)  # of the running job

    def read(self, sql: str, params: Params = ()) -> list[Row]:
        """See ``db.base.Reader.read``."""
        try:
            return self._cursor.execute(sql, params).fetchall()
        except apsw.InterruptError as exc:
            raise InterruptedTurnError from exc
        except Exception as exc:  # noqa: BLE001  # translated and raised again
            return self._retry(sql, params, exc)

    def run(self, sql: str, params: Params = ()) -> int:
        """See ``db.base.Transaction.run``."""
        before = self._connection.total_changes()
        self.read(sql, params)
        return self._connection.total_changes() - before

    def insert(self, sql: str, params: Params = ()) -> int | None:
        """See ``db.base.Transaction.insert``."""
        try:
            self._cursor.execute(sql, params)
        except apsw.InterruptError as exc:
            raise InterruptedTurnError from exc
        except Exception as exc:  # noqa: BLE001  # translated and raised again
            self._retry(sql, params, exc)
        connection = self._connection
        return connection.last_insert_rowid() if connection.changes() else None

    def _retry(self, sql: str, params: Params, exc: Exception) -> list[Row]:
        if isinstance(exc, apsw.SQLError) and needs_vectors(str(exc)):
            load_vectors(self._connection)
            return self.read(sql, params)
        compiles = compile_error(self._connection, sql) is None
        raise translate_error(exc, compiles=compiles) from exc


class Turns:
    """
    The writer of a database.

    Args:
        files: What to open.
        publish: Called on the loop after each commit with the changes, while somebody listens.
        after_commit: Called on the loop after each commit.
        before, after: Called on the loop around each turn, answers included.

    Attributes:
        meters: What has happened.
    """

    def __init__(
        self,
        files: DatabaseFiles,
        publish: Callable[[Sequence[Change]], None],
        after_commit: Callable[[], None],
        before: Callable[[], None],
        after: Callable[[], None],
    ) -> None:
        self._publish = publish
        self._after_commit = after_commit
        self._before, self._after = before, after
        self._waiting: deque[Job] = deque()
        self._scheduled = False
        self._away = False
        self._closed = False
        self._held: deque[Callable[[], None]] = deque()
        self._commit_s = 0.0
        self.meters = TurnMeters()
        self._since = self._begun = 0.0  # when the queue began to fill, and the last turn
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._name = files.path.stem
        self._slow = files.slow
        self._slow_commit_s = NEVER if files.slow is None else files.slow.threshold_s
        self._open(files)

    def _open(self, files: DatabaseFiles) -> None:
        self.connection = open_connection(files, "writer")
        self.connection.set_busy_timeout(0)
        self._transaction = WriterTransaction(self.connection)
        self.connection.set_progress_handler(self._transaction.budget.is_over, STEPS_PER_CHECK)
        self._execute = self.connection.cursor().execute
        self.changes = ChangeLog(self.connection)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._waiting)

    @property
    def has_connection(self) -> bool:
        """On the loop: nobody uses the connection now, and nobody is waiting for it."""
        return not self._away and not self._held

    def submit(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Job:
        """Queue a job; it is answered after its commit."""
        if self._closed:
            raise ClosedError("shutting down")
        if len(self._waiting) >= MAX_WAITING:
            raise OverloadedError("too many writes are waiting")
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        job = Job(function, args, kwargs, loop)
        if not self._waiting:
            self._since = perf_counter()
        self._waiting.append(job)
        if not self._scheduled and not self._away:
            self._scheduled = True
            loop.call_soon(self._turn)
        return job

    def between_turns(self, work: Callable[[], None]) -> None:
        """Run ``work`` in the writer's thread while no transaction is open."""
        self._held.append(work)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if not self._scheduled and not self._away:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def reopen(self, files: DatabaseFiles) -> None:
        """Replace the connection. Only from ``between_turns``."""
        listening = self.changes.active
        self.changes.stop()
        self.connection.close()
        self._open(files)
        if listening:
            self.changes.start()

    @property
    def _busy(self) -> bool:
        return self._loop is not None and bool(self._waiting or self._away or self._held)

    async def close(self) -> None:
        """Finish what is queued, then close. Idempotent."""
        # Only at shutdown: an event would cost every turn.
        while self._busy:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if not self._closed:
            self._closed = True
            if self._thread is not None:
                self._thread.shutdown(wait=True)
            self.changes.stop()
            self.connection.close()

    # One turn

    def _turn(self) -> None:
        self._scheduled = False
        self._before()
        if self._held:
            self._go_away(self._work_between, (self._held.popleft(),))
            return
        if not self._waiting:
            self._after()
            return
        begun = self._begun = perf_counter()
        self.meters.wait.add(begun - self._since)
        self._since = begun  # of those for whom there is no room in this turn
        try:
            self._execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            self.meters.busy += 1
            self._go_away(self._run_in_thread, (self._take(),))
            return
        except Exception as exc:  # noqa: BLE001  # answered: whoever waits must not wait forever
            self._rollback()
            self._fail(self._take(), translate_error(exc))
            return
        batch: list[Job] = []
        deadline = perf_counter() + TURN_BUDGET_S
        waiting = self._waiting
        while waiting and len(batch) < MAX_JOBS:
            job = waiting.popleft()
            if job.cancelled:
                continue
            batch.append(job)
            try:
                self._run_job(job)
            except InterruptedTurnError:
                self._abandon(batch)
                return
            if perf_counter() > deadline:
                break
        if self._commit_s > SLOW_COMMIT_S:
            self._go_away(self._commit_in_thread, (batch,))
        else:
            self._finish(batch, self._commit())

    def _take(self) -> list[Job]:
        batch: list[Job] = []
        while self._waiting and len(batch) < MAX_JOBS:
            batch.append(self._waiting.popleft())
        return batch

    def _run_job(self, job: Job) -> None:
        transaction = self._transaction
        budget = transaction.budget
        mark = self.changes.mark() if self.changes.active else 0
        if not job.is_answered:
            job.error = None
        try:
            if job.savepoint:
                self._execute("SAVEPOINT job")
            budget.started = perf_counter()
            job.outcome = job.function(transaction, *job.args, **job.kwargs)
            budget.started = NEVER
        except InterruptedTurnError:
            budget.started = NEVER
            raise
        except Exception as exc:  # delivered to whoever submitted the job
            budget.started = NEVER
            job.error = exc
            if not self.connection.in_transaction:
                raise InterruptedTurnError from exc
            if self.changes.active:
                self.changes.drop(mark)
            if job.savepoint:
                self._execute("ROLLBACK TO job")
        if job.savepoint:
            self._execute("RELEASE job")

    def _abandon(self, batch: list[Job]) -> None:
        """Undo the turn: the last job runs alone in the thread, the others go back to the queue."""
        self._rollback()
        self.meters.moved += 1
        culprit = batch.pop()
        self._waiting.extendleft(reversed(batch))
        self._go_away(self._run_in_thread, ([culprit],))

    def _commit(self) -> BaseException | None:
        started = perf_counter()
        try:
            self._execute("COMMIT")
        except Exception as exc:  # noqa: BLE001  # every job of the turn is answered with it
            self._rollback()
            self.meters.failed += 1
            return translate_error(exc)
        took_s = perf_counter() - started
        self.meters.commit.add(took_s)
        self._commit_s += (took_s - self._commit_s) * SMOOTHING
        if took_s >= self._slow_commit_s and self._slow is not None:
            self._slow.note("COMMIT", took_s, f"{self._name}: commit")
        return None

    def _rollback(self) -> None:
        self.changes.drop(0)
        if self.connection.in_transaction:
            with suppress(apsw.Error):
                self._execute("ROLLBACK")

    def _finish(self, batch: list[Job], error: BaseException | None) -> None:
        """On the loop, after COMMIT: answer everybody, publish, go on."""
        if isinstance(error, ConstraintError) and len(batch) > 1:
            # A deferred constraint of one job: find out whose.
            self._go_away(self._run_in_thread, (batch,))
            return
        if error is not None:
            self._fail(batch, error)
            return
        self._deliver(batch, self.changes.take() if self.changes.active else ())
        self._schedule()

    def _fail(self, batch: list[Job], error: BaseException) -> None:
        for job in batch:
            job.error = error
            job.answer()
        self._schedule()

    def _schedule(self) -> None:
        if not self._away:
            self._after()
        if (self._waiting or self._held) and not self._scheduled and not self._away:
            self._scheduled = True
            assert self._loop is not None  # noqa: S101  # submit has set it
            self._loop.call_soon(self._turn)

    # The thread

    def _go_away(self, work: Callable[..., Callable[[], None]], args: tuple[Any, ...]) -> None:
        """Let the thread have the connection; what ``work`` returns is then called on the loop."""
        self._away = True
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, f"write-{self._name}")
        loop = self._loop
        assert loop is not None  # noqa: S101  # submit has set it
        handed = self._thread.submit(work, *args)

        def back() -> None:
            self._away = False
            try:
                handed.result()()
            finally:
                self._schedule()

        handed.add_done_callback(lambda _: loop.call_soon_threadsafe(back))

    def _commit_in_thread(self, batch: list[Job]) -> Callable[[], None]:
        error = self._commit()
        return lambda: self._finish(batch, error)

    def _run_in_thread(self, batch: list[Job]) -> Callable[[], None]:
        """Run each job in a transaction of its own, with time and patience."""
        self.connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        self._transaction.budget.limit_s = THREAD_BUDGET_S
        if self._slow is not None:
            self._slow.watch(self.connection, f"{self._name}: write")
        changes: list[Change] = []
        try:
            for job in batch:
                self._run_alone(job)
                changes += self.changes.take()
        finally:
            if self._slow is not None:
                self._slow.unwatch(self.connection)
            self._transaction.budget.limit_s = JOB_BUDGET_S
            self.connection.set_busy_timeout(0)
        return lambda: self._deliver(batch, changes)

    def _run_alone(self, job: Job) -> None:
        try:
            self._execute("BEGIN IMMEDIATE")
            self._run_job(job)
            error = self._commit() if job.error is None else None
            if error is not None:
                job.error = error
            elif job.error is not None:
                self._rollback()
        except InterruptedTurnError as exc:
            self._rollback()
            if job.error is None:
                job.error = DatabaseError(detail=f"a write took longer than {THREAD_BUDGET_S:g} s")
                job.error.__cause__ = exc
        except Exception as exc:  # noqa: BLE001  # delivered to whoever submitted the job
            self._rollback()
            job.error = translate_error(exc)

    def _deliver(self, batch: list[Job], changes: Sequence[Change]) -> None:
        self.meters.jobs.add(len(batch))
        self.meters.turn.add(perf_counter() - self._begun)
        for job in batch:
            job.answer()
        if changes:
            self._publish(changes)
        self._after_commit()

    def _work_between(self, work: Callable[[], None]) -> Callable[[], None]:
        work()
        return lambda: None
