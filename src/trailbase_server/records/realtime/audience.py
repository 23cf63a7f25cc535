"""
Who hears of a change.

Subscriptions of an API that would always get the same answer form an ``Audience``: same record or
whole table, same user, same filter. A change is judged once for each of them, its filter once for
all users, and the rule for all users at once. ``judge`` only reads, so it may run on a reader
thread when it is slow.

Rules are the operator's, filters are anybody's: a slow filter must not hold up others. Its audience
falls *behind*: it is left out here, and its changes are judged for it alone (``delivery``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from trailbase_server.db.base import Change
from trailbase_server.db.errors import DatabaseError, OverBudgetError
from trailbase_server.db.values import Row
from trailbase_server.errors import BadRequestError
from trailbase_server.query.filter import FilterNode
from trailbase_server.records.access import Read
from trailbase_server.records.api import RecordApi
from trailbase_server.records.columns import Key
from trailbase_server.records.realtime.match import Match, compile_match
from trailbase_server.records.realtime.plan import (
    ACCESS_LOST,
    EVENTS_LOST,
    EventPlan,
    User,
    compile_event_plan,
    render_event,
)
from trailbase_server.records.realtime.subscriber import Event, Subscriber
from trailbase_server.schema.model import Catalog

if TYPE_CHECKING:
    from collections import deque

FILTER_BUDGET_S = 0.005  # of one filter for one row on the event loop; a LIKE cannot be interrupted
SLOW_S = 60.0  # a filter that was slow once is judged apart for this long

Table = tuple[str, str]
"""Database schema and name."""


@dataclass(eq=False, slots=True)
class Audience:
    """
    Subscriptions with the same answer to every change.

    Attributes:
        key: Of the record, None for the whole table.
        user: Whose streams they are.
        node, match: The filter as parsed and as compiled, None for none.
        members: The streams, in the order they came.
        since: The latest ``Subscriber.since`` of them.
        slow_until: Monotonic seconds up to which the filter is not tried on the event loop.
        lane: Changes that are to be judged for this audience alone, None if it is not behind.
        is_lane_lossy: There were too many of them.
    """

    key: Key | None
    user: User
    node: FilterNode | None
    match: Match | None
    members: dict[Subscriber, None] = field(default_factory=dict)
    since: int = 0
    slow_until: float = 0.0
    lane: "deque[tuple[int, Change, Channel]] | None" = None
    is_lane_lossy: bool = False

    def add(self, member: Subscriber) -> None:
        """Let a stream take part."""
        self.members[member] = None
        self.since = max(self.since, member.since)


class Verdict(NamedTuple):
    """
    What somebody gets to hear of a change.

    Attributes:
        audiences: Who.
        event: What to deliver.
        is_last: The streams end with it.
    """

    audiences: Sequence[Audience]
    event: Event
    is_last: bool = False


AudienceKey = tuple[Key | None, User, Match | None]


class Channel:
    """
    All subscriptions of one API.

    Args:
        plan: How its events are made.
    """

    def __init__(self, plan: EventPlan) -> None:
        self.plan = plan
        self.table: Table = table_of(plan.api)
        self._audiences: dict[AudienceKey, Audience] = {}
        self._whole_table: dict[Audience, None] = {}
        self._by_record: dict[Key, dict[Audience, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._audiences)

    def find(self, key: Key | None, user: User, node: FilterNode | None) -> Audience:
        """
        Find or make the audience of a subscription.

        Raises:
            InvalidQueryError: The filter does not fit the table.
        """
        match = None if node is None else compile_match(self.plan, node)
        audience = self._audiences.get((key, user, match))
        if audience is None:
            audience = Audience(key, user, node, match)
            self._add(audience)
        return audience

    def _add(self, audience: Audience) -> None:
        self._audiences[audience.key, audience.user, audience.match] = audience
        if audience.key is None:
            self._whole_table[audience] = None
        else:
            self._by_record.setdefault(audience.key, {})[audience] = None

    def discard(self, audience: Audience) -> None:
        """Forget an audience that nobody is left of."""
        place = (audience.key, audience.user, audience.match)
        if self._audiences.get(place) is audience:
            del self._audiences[place]
        self._whole_table.pop(audience, None)
        if audience.key is not None:
            same_record = self._by_record.get(audience.key, {})
            same_record.pop(audience, None)
            if not same_record:
                self._by_record.pop(audience.key, None)

    def alone(self, audience: Audience) -> "Channel":
        """Make a channel of one audience."""
        channel = Channel(self.plan)
        channel._add(audience)
        return channel

    def audiences(self) -> tuple[Audience, ...]:
        """All of them."""
        return tuple(self._audiences.values())

    def concerned(self, key: object) -> tuple[Audience, ...]:
        """Audiences of the whole table and of one record."""
        # One call each: the loop may change these dictionaries while a reader thread is here.
        same_record = self._by_record.get(key, {})  # type: ignore[call-overload]  # any value
        return (*self._whole_table, *same_record)

    def follow(self, api: RecordApi, catalog: Catalog) -> list[Audience]:
        """
        Compile anew after a change of configuration or schema.

        Returns:
            Audiences whose subscriptions no longer make sense: they are out already.
        """
        plan = compile_event_plan(api, catalog)
        before = self.audiences()
        self._audiences, self._whole_table, self._by_record = {}, {}, {}
        if plan is None:
            return list(before)
        self.plan = plan
        self.table = table_of(api)
        lost = []
        for audience in before:
            try:
                if audience.node is not None:
                    audience.match = compile_match(plan, audience.node)
            except BadRequestError:
                lost.append(audience)
            else:
                self._add(audience)
        return lost


Behind = list[tuple[Audience, Channel]]
"""Audiences whose filters are too slow."""


def table_of(api: RecordApi) -> Table:
    """Name an API's table the way changes do."""
    return api.table.database_schema or "main", api.table.name


def judge(
    read: Read,
    position: int,
    change: Change,
    channels: Iterable[Channel],
    behind: Behind | None = None,
) -> list[Verdict]:
    """
    Decide who hears what of a change.

    Args:
        read: Runs one statement.
        position: Number of the change.
        change: Of a table that all channels are about.
        channels: Whose subscriptions may be concerned.
        behind: Takes the audiences whose filters are too slow, which are left out; None to wait for
            them.

    Returns:
        What to deliver.

    Raises:
        OverBudgetError: A rule takes longer than the event loop can spare; nothing has happened.

    Spec:
        records/per-event-evaluation-at-delivery-with-the-api-definition-current-at-that-time
    """
    verdicts: list[Verdict] = []
    for channel in channels:
        try:
            verdicts += _judge_channel(read, position, change, channel, behind)
        except DatabaseError:
            # Not available now. What might have been heard is lost, and that is told.
            verdicts.append(Verdict(channel.audiences(), (position, EVENTS_LOST)))
    return verdicts


def _judge_channel(
    read: Read, position: int, change: Change, channel: Channel, behind: Behind | None
) -> Sequence[Verdict]:
    plan = channel.plan
    row = plan.row_of(read, change)
    if row is None:
        return [Verdict(channel.audiences(), (position, EVENTS_LOST))]
    concerned = _filtered(read, row, channel, behind)
    if not concerned:
        return ()
    users = {audience.user for audience in concerned}
    allowed = plan.allowed(read, row, users)
    refused: Sequence[Audience] = ()
    if len(allowed) < len(users):
        refused = [a for a in concerned if a.user not in allowed and a.key is not None]
        concerned = [a for a in concerned if a.user in allowed]
    ended: Sequence[Audience] = ()
    if change.action == "delete":
        ended = [a for a in concerned if a.key is not None]
        concerned = [a for a in concerned if a.key is None]
    lost = (position, ACCESS_LOST)
    event = lost
    if concerned or ended:
        event = (position, render_event(plan, change.action, row))
    verdicts = (
        Verdict(refused, lost, True),
        Verdict(concerned, event),
        Verdict(ended, event, True),
    )
    return [verdict for verdict in verdicts if verdict.audiences]


def _filtered(read: Read, row: Row, channel: Channel, behind: Behind | None) -> Sequence[Audience]:
    """Choose who is concerned and whose filter matches; each filter is asked once."""
    answers: dict[Match, bool | None] = {}
    found = []
    now = perf_counter()
    for audience in channel.concerned(row[channel.plan.key_index]):
        match = audience.match
        if match is None:
            found.append(audience)
            continue
        if behind is not None and (audience.lane is not None or audience.slow_until > now):
            behind.append((audience, channel))
            continue
        if match not in answers:
            answers[match] = _ask(read, row, audience, match, behind)
        if answers[match]:
            found.append(audience)
        elif answers[match] is None and behind is not None:
            audience.slow_until = now + SLOW_S
            behind.append((audience, channel))
    return found


def _ask(
    read: Read, row: Row, audience: Audience, match: Match, behind: Behind | None
) -> bool | None:
    """Ask a filter, and remember if it is slow; None if it was too slow to end."""
    if match.test is not None:
        return match.test(row)
    started = perf_counter()
    try:
        answer = match.accepts(read, row)
    except OverBudgetError:
        if behind is None:
            raise
        return None
    ended = perf_counter()
    if ended - started > FILTER_BUDGET_S:
        audience.slow_until = ended + SLOW_S
    return answer
