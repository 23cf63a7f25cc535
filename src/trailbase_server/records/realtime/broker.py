"""
Who subscribes to what, from the first stream to the last.

The database announces changes only while somebody wants them, and for ``IDLE_S`` longer. Once a
second streams are looked after: silence is broken, tokens run out, clients that do not read are cut
off. How a change gets to its streams is the business of ``delivery``.

Everything here runs on the event loop.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from time import perf_counter
from typing import NamedTuple

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.db.base import Database
from trailbase_server.db.errors import OverBudgetError
from trailbase_server.errors import ForbiddenError, MethodNotAllowedError, UnavailableError
from trailbase_server.query.filter import FilterNode
from trailbase_server.records.access import Read
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import Key
from trailbase_server.records.realtime.audience import (
    Audience,
    Channel,
    Table,
    Verdict,
    judge,
)
from trailbase_server.records.realtime.delivery import Delivery
from trailbase_server.records.realtime.history import KEPT_S, Entry, History, parse_event_id
from trailbase_server.records.realtime.match import check_match, compile_match
from trailbase_server.records.realtime.plan import (
    SESSION_ENDED,
    compile_event_plan,
)
from trailbase_server.records.realtime.seats import Seats
from trailbase_server.records.realtime.subscriber import Subscriber
from trailbase_server.schema.model import Catalog
from trailbase_server.web.identity import Identity

TICK_S = 1.0  # how often streams are looked after
IDLE_S = 5.0  # the database goes on announcing for this long after the last stream
LEEWAY_S = 60  # a token counts for this long after it has run out, as in requests


class Statistics(NamedTuple):
    """
    The state of the queues.

    Attributes:
        streams: Open subscriptions.
        pending: Changes that wait to be judged.
        queued: Events that wait for clients with full sockets.
        sent, dropped: Events since the start.
    """

    streams: int
    pending: int
    queued: int
    sent: int
    dropped: int


class Subscription(NamedTuple):
    """
    What a client asks for.

    Attributes:
        key: Of the record, None for the whole table.
        filter: None for all rows.
        identity: None for an anonymous caller.
        address: Of the client, empty if unknown.
        is_aligned: The client needs whole messages in each read.
        resumable: Events carry ids.
        last_event_id: The last one the client has seen, None if it is new here.
    """

    key: Key | None = None
    filter: FilterNode | None = None
    identity: Identity | None = None
    address: str = ""
    is_aligned: bool = False
    resumable: bool = False
    last_event_id: str | None = None


class Broker:
    """
    The realtime side of the record APIs.

    Args:
        database: Announces changes.
        clock: For tokens that run out.
    """

    def __init__(self, database: Database, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock
        self._epoch = random_text(8, LOWER_ALPHANUMERIC)
        self._apis: Mapping[str, RecordApi] = {}
        self._catalog = Catalog()
        self._channels: dict[str, Channel] = {}
        self._delivery = Delivery(database, self._lose)
        self._streams: dict[Subscriber, tuple[Channel, Audience, History | None]] = {}
        self._seats = Seats()
        self._listening: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._idle_since: float | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._gone_sent = self._gone_dropped = 0

    @property
    def statistics(self) -> Statistics:
        """Fill of the queues and what has been lost."""
        streams = self._streams
        return Statistics(
            streams=self._seats.taken,
            pending=self._delivery.pending,
            queued=sum(stream.queued for stream in streams),
            sent=self._gone_sent + sum(stream.sent for stream in streams),
            dropped=self._gone_dropped + sum(stream.dropped for stream in streams),
        )

    @property
    def is_closed(self) -> bool:
        """The server is shutting down."""
        return self._is_closed

    # Subscribing

    async def subscribe(self, api: RecordApi, wanted: Subscription) -> Subscriber:
        """
        Open a stream. Every change that is committed after this has returned is delivered.

        Args:
            api: A table with subscriptions; permission has been checked.
            wanted: See there.

        Raises:
            InvalidQueryError: The filter does not fit the table.
            TooManyRequestsError: Too many streams.
            UnavailableError: The server is shutting down.

        Spec:
            records/endpoint-and-set-up-checks
        """
        user = None if wanted.identity is None else wanted.identity.user_id
        self._seats.take(user, wanted.address)
        try:
            if wanted.filter is not None:
                await self._check_filter(api, wanted.filter)
            await self._listen()
            # The configuration may have changed meanwhile, and the server may be stopping.
            channel = self._channel(api.name)
            audience = channel.find(wanted.key, user, wanted.filter)
        except BaseException:
            self._seats.leave(user, wanted.address)
            raise
        identity = wanted.identity
        stream = Subscriber(
            user=user,
            address=wanted.address,
            expires_at=None if identity is None else identity.expires_at + LEEWAY_S,
            since=self._delivery.position,
            epoch=self._epoch if wanted.resumable else None,
            now=perf_counter(),
            left=self._left,
            is_aligned=wanted.is_aligned,
        )
        audience.add(stream)
        self._channels[api.name] = channel
        self._rewatch()
        history = self._open_history(channel.table) if wanted.resumable else None
        self._streams[stream] = (channel, audience, history)
        if history is not None and wanted.last_event_id is not None:
            await self._replay(stream, channel, audience, history, wanted.last_event_id)
        if self._ticker is None:
            self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        return stream

    async def _check_filter(self, api: RecordApi, node: FilterNode) -> None:
        plan = compile_event_plan(api, self._catalog)
        if plan is None:
            raise MethodNotAllowedError
        match = compile_match(plan, node)
        read = self._database.read
        try:
            check_match(read, match, plan.columns)
        except OverBudgetError:
            await self._database.on_pool(check_match, read, match, plan.columns)

    def _channel(self, name: str) -> Channel:
        """Find the channel of an API, or make one that nobody listens to yet."""
        if self._is_closed:
            raise UnavailableError("shutting down")
        channel = self._channels.get(name)
        if channel is not None:
            return channel
        api = self._apis.get(name)
        if api is None:
            raise MethodNotAllowedError
        if not api.enable_subscriptions:
            raise ForbiddenError
        plan = compile_event_plan(api, self._catalog)
        if plan is None:
            raise MethodNotAllowedError
        return Channel(plan)

    async def _listen(self) -> None:
        self._idle_since = None
        if self._listening is None:
            self._listening = asyncio.ensure_future(self._database.listen(self._delivery.receive))
        listening = self._listening
        try:
            # Others wait for the same task: it must survive one of them being cancelled.
            await asyncio.shield(listening)
        except BaseException:
            if listening.done() and self._listening is listening:
                self._listening = None
            raise

    def _rewatch(self) -> None:
        watched: dict[Table, tuple[Channel, ...]] = {}
        for channel in self._channels.values():
            watched[channel.table] = (*watched.get(channel.table, ()), channel)
        self._delivery.watched = watched

    # Coming back

    def _open_history(self, table: Table) -> History:
        history = self._delivery.histories.get(table)
        if history is None:
            history = self._delivery.histories[table] = History(self._delivery.position)
        history.users += 1
        return history

    async def _replay(
        self,
        stream: Subscriber,
        channel: Channel,
        audience: Audience,
        history: History,
        last_event_id: str,
    ) -> None:
        """Queue what a client has missed, in front of what is happening now."""
        position = parse_event_id(last_event_id, self._epoch)
        missed: Sequence[Entry] = ()
        is_lossy = position is None or position > self._delivery.position
        if position is not None and not is_lossy:
            missed, is_lossy = history.after(position)
        verdicts: list[Verdict] = []
        if missed:
            alone = channel.alone(audience)
            try:
                verdicts = await self._database.on_pool(
                    _judge_all, self._database.read, missed, alone
                )
            except BaseException:
                stream.detach()
                raise
        stream.backfill([verdict.event for verdict in verdicts], is_lossy=is_lossy)
        if any(verdict.is_last for verdict in verdicts):
            stream.end()

    # Ending

    def close_user(self, user_id: bytes) -> None:
        """End all streams of a user who has logged out, or is gone."""
        for stream in [stream for stream in self._streams if stream.user == user_id]:
            stream.end((self._delivery.position, SESSION_ENDED))

    def end_all(self) -> None:
        """End all streams: the tables have changed without a word about what; none is resumed."""
        # Ids of events from before are of another time now: who shows one is told of a loss.
        self._epoch = random_text(8, LOWER_ALPHANUMERIC)
        for stream in tuple(self._streams):
            stream.end()

    def configure(self, apis: Mapping[str, RecordApi], catalog: Catalog) -> None:
        """
        Follow a change of configuration or schema: streams go on where that makes sense.

        Spec:
            records/lifecycle
        """
        self._apis, self._catalog = apis, catalog
        for name, channel in list(self._channels.items()):
            api = apis.get(name)
            if api is None or not api.enable_subscriptions:
                senseless: Sequence[Audience] = channel.audiences()
            else:
                senseless = channel.follow(api, catalog)
            for audience in senseless:
                for stream in tuple(audience.members):
                    stream.end()
        self._rewatch()

    def close(self) -> None:
        """End all streams and refuse new ones. Idempotent."""
        self._is_closed = True
        for stream in tuple(self._streams):
            stream.end()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        self._delivery.stop()

    def _left(self, stream: Subscriber) -> None:
        channel, audience, history = self._streams.pop(stream)
        self._seats.leave(stream.user, stream.address)
        self._gone_sent += stream.sent
        self._gone_dropped += stream.dropped
        if history is not None:
            history.users -= 1
            history.left_at = perf_counter()
        audience.members.pop(stream, None)
        if not audience.members:
            channel.discard(audience)
        name = channel.plan.api.name
        if not channel and self._channels.get(name) is channel:
            del self._channels[name]
            self._rewatch()

    def _tick(self) -> None:
        self._ticker = None
        now, unix_s = perf_counter(), self._clock.now()
        settled = self._delivery.settled
        for stream, (_, audience, _) in list(self._streams.items()):
            if stream.expires_at is not None and stream.expires_at < unix_s:
                stream.end((self._delivery.position, SESSION_ENDED))
            else:
                stream.tick(now, settled if audience.lane is None else 0)
        for table, history in list(self._delivery.histories.items()):
            if not history.users and now - history.left_at > KEPT_S:
                del self._delivery.histories[table]
        if not self._is_idle(now):
            self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _is_idle(self, now: float) -> bool:
        """Stop listening when nobody has wanted anything for a while."""
        if self._streams or self._delivery.histories:
            self._idle_since = None
            return False
        if self._idle_since is None:
            self._idle_since = now
        if now - self._idle_since < IDLE_S:
            return False
        if self._listening is not None and self._listening.done():
            self._listening = None
            self._stopping = asyncio.ensure_future(self._database.listen(None))
        return True

    def _lose(self, tables: Collection[Table]) -> None:
        now = perf_counter()
        for stream, (channel, _, _) in list(self._streams.items()):
            if channel.table in tables:
                stream.lose(now)


def _judge_all(read: Read, missed: Sequence[Entry], channel: Channel) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for position, change in missed:
        verdicts += judge(read, position, change, (channel,))
        if verdicts and verdicts[-1].is_last:
            break
    return verdicts
