"""
From committed changes to streams, step by step.

Theory of operation
-------------------
The database announces the row changes of each commit. Those of watched tables are numbered and
wait. A *step* takes some of them, judges each for all audiences (``audience.judge``), and writes to
every stream once, however many events it gets. The writer of the change has been answered before
the step runs.

* *Pace.* After a step the next one waits about as long as its writes keep the processor busy, at
  most ``PACE_S``: under load several commits share one write per stream, which is what costs most.
  A change that comes alone is delivered at once.
* *Budget.* A step ends after ``STEP_S`` or ``MAX_STEP`` changes and goes on in the next round of
  the loop; the longer the backlog, the longer a step may be, which in turn holds the writers back.
* *Slow rules.* What exceeds the budget of reads on the loop is judged on a reader thread; the
  changes behind it wait, so the order is kept.
* *Slow filters.* An audience whose filter exceeds it gets a lane of its own: its changes are judged
  on a reader thread one after the other, nobody else waits for them. A lane holds ``MAX_LANE``
  changes; what is too much for it is lost, and that is told.
* *Loss.* More than ``MAX_PENDING`` changes cannot wait: they are dropped, and every stream of their
  tables is told so once, when the backlog is gone.

Everything here runs on the event loop.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from trailbase_server.db.base import Change, Database
from trailbase_server.db.errors import OverBudgetError
from trailbase_server.records.realtime.audience import (
    Audience,
    Behind,
    Channel,
    Table,
    Verdict,
    judge,
)
from trailbase_server.records.realtime.plan import EVENTS_LOST
from trailbase_server.records.realtime.subscriber import Event, Rendered

if TYPE_CHECKING:
    from trailbase_server.records.realtime.history import History

log = logging.getLogger(__name__)

MAX_PENDING = 16_384  # changes that wait to be judged; what comes then is lost, and that is told
MAX_STEP = 64  # changes per step; a stream that has room for a step loses nothing of it
STEP_S = 0.010  # longest time of a step; doubled for each …
MAX_LANE = 64  # changes that wait for one slow filter
BACKLOG_PER_STEP = 1_024  # … so many changes that wait
PACE_S = 0.003  # longest pause between two steps under load
WRITE_S = 0.00001  # what a write to a stream costs, once the kernel has done its part

Outbox = dict[Audience, list[Event]]


class Delivery:
    """
    The way of changes to streams.

    Args:
        database: Rules and filters read from it.
        lose: Tells the streams of these tables that events are lost.

    Attributes:
        watched: Channels by table; replaced as a whole.
        histories: Tables whose changes are kept.
        position: Number of the newest change.
    """

    def __init__(self, database: Database, lose: Callable[[Collection[Table]], None]) -> None:
        self.watched: Mapping[Table, tuple[Channel, ...]] = {}
        self.histories: dict[Table, History] = {}
        self.position = 0
        self._database = database
        self._lose = lose
        self._pending: deque[tuple[int, Change]] = deque()
        self._overflown: set[Table] = set()
        self._is_scheduled = False
        self._next_step_at = 0.0
        self._written = 0  # streams, in this step
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """Changes that wait to be judged."""
        return len(self._pending)

    @property
    def settled(self) -> int:
        """Everything up to this position has been delivered to whom it concerns."""
        if self._pending:
            return self._pending[0][0] - 1
        return 0 if self._is_scheduled else self.position

    def stop(self) -> None:
        """Forget what waits."""
        self._pending.clear()
        for task in self._tasks:
            task.cancel()

    def receive(self, changes: Sequence[Change]) -> None:
        """Take the changes of a commit (``db.base.ChangeListener``)."""
        watched, histories, pending = self.watched, self.histories, self._pending
        for change in changes:
            table = (change.schema, change.table)
            if table not in watched and table not in histories:
                continue
            self.position += 1
            if histories and table in histories:
                histories[table].add(self.position, change)
            if table in self._overflown or len(pending) >= MAX_PENDING:
                self._overflown.add(table)
            else:
                pending.append((self.position, change))
        if pending and not self._is_scheduled:
            self._schedule(self._next_step_at - perf_counter())

    def _schedule(self, delay_s: float) -> None:
        self._is_scheduled = True
        loop = asyncio.get_running_loop()
        if delay_s > 0:
            loop.call_later(delay_s, self._step)
        else:
            loop.call_soon(self._step)

    def _step(self) -> None:
        """Judge some changes and deliver what comes of it."""
        pending, now = self._pending, perf_counter()
        deadline = now + STEP_S * (1 + len(pending) // BACKLOG_PER_STEP)
        outbox: Outbox = {}
        for _ in range(min(len(pending), MAX_STEP)):
            position, change = pending.popleft()
            channels = self.watched.get((change.schema, change.table), ())
            behind: Behind = []
            try:
                verdicts = judge(self._database.read, position, change, channels, behind)
            except OverBudgetError:
                self._deliver(outbox, now)
                self._judge_elsewhere(position, change, channels)
                return
            except Exception as exc:  # noqa: BLE001  # the edge: a bug here must not stop the rest
                verdicts = _lost(position, channels, exc)
            self._collect(outbox, verdicts, now)
            if behind:
                self._defer(position, change, behind)
            if perf_counter() > deadline:
                break
        self._deliver(outbox, now)
        self._go_on()

    def _judge_elsewhere(self, position: int, change: Change, channels: Sequence[Channel]) -> None:
        self._start(self._judge_slowly(position, change, channels))

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _judge_slowly(
        self, position: int, change: Change, channels: Sequence[Channel]
    ) -> None:
        behind: Behind = []
        await self._judge_on_pool(position, change, channels, behind)
        if behind:
            self._defer(position, change, behind)
        self._go_on()

    async def _judge_on_pool(
        self, position: int, change: Change, channels: Sequence[Channel], behind: Behind | None
    ) -> None:
        try:
            verdicts = await self._database.on_pool(
                judge, self._database.read, position, change, channels, behind
            )
        except Exception as exc:  # noqa: BLE001  # the edge: what cannot be judged is lost, and told
            verdicts = _lost(position, channels, exc)
        outbox: Outbox = {}
        now = perf_counter()
        self._collect(outbox, verdicts, now)
        self._deliver(outbox, now)

    def _defer(self, position: int, change: Change, behind: Behind) -> None:
        for audience, channel in behind:
            lane = audience.lane
            if lane is None:
                lane = audience.lane = deque()
                self._start(self._work_off(audience, lane))
            if audience.is_lane_lossy or len(lane) >= MAX_LANE:
                audience.is_lane_lossy = True
            else:
                lane.append((position, change, channel))

    async def _work_off(self, audience: Audience, lane: deque[tuple[int, Change, Channel]]) -> None:
        while lane and audience.members:
            position, change, channel = lane.popleft()
            await self._judge_on_pool(position, change, (channel.alone(audience),), None)
        audience.lane = None
        if audience.is_lane_lossy:
            audience.is_lane_lossy = False
            now = perf_counter()
            for stream in tuple(audience.members):
                stream.lose(now)

    def _go_on(self) -> None:
        now = perf_counter()
        self._is_scheduled = False
        self._next_step_at = now + min(PACE_S, self._written * WRITE_S)
        self._written = 0
        if self._pending:
            self._schedule(0)
        elif self._overflown:
            tables, self._overflown = self._overflown, set()
            self._lose(tables)

    def _collect(self, outbox: Outbox, verdicts: Sequence[Verdict], now: float) -> None:
        for audiences, event, is_last in verdicts:
            for audience in audiences:
                events = outbox.get(audience)
                if events is None:
                    outbox[audience] = [event]
                else:
                    events.append(event)
                if is_last:
                    self._deliver({audience: outbox.pop(audience)}, now)
                    for stream in tuple(audience.members):
                        if stream.since < event[0]:
                            stream.end()

    def _deliver(self, outbox: Outbox, now: float) -> None:
        rendered: Rendered = {}
        same: Sequence[Event] = ()
        for audience, events in outbox.items():
            self._written += len(audience.members)
            if events != same:
                same, rendered = events, {}
            if audience.since < events[0][0]:
                for stream in tuple(audience.members):
                    stream.offer(events, rendered, now)
                continue
            # Somebody came after some of these changes: they are none of their business.
            for stream in tuple(audience.members):
                own = [event for event in events if event[0] > stream.since]
                if own:
                    stream.offer(own, {}, now)


def _lost(position: int, channels: Sequence[Channel], exc: Exception) -> list[Verdict]:
    log.error("a change could not be judged", exc_info=exc)
    return [Verdict(channel.audiences(), (position, EVENTS_LOST)) for channel in channels]
