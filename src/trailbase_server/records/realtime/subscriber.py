"""
One stream: its numbers, its queue and its losses.

States: *waiting* (made, nobody takes events yet) → *writing* (an outlet with room: events go
straight to it) ⇄ *paused* (the outlet is full) → *over*. A stream that is pulled, because it goes
through an ASGI server or a WebSocket, stays in *waiting* and is woken instead.

While events cannot be written they queue up, at most ``MAX_QUEUED`` of them. When the queue is
full, events are dropped until it has been emptied; then the client is told once, by an error event
in their place, and what follows is real again. A client that leaves its stream full for ``STALL_S``
is cut off.

Some clients cannot put a message together that arrives in two reads (the official JavaScript one).
Their streams are *aligned*: what is written in one round of the loop fits into one packet, so that
a read ends where a message ends.

Numbers count what is delivered, from 1, so a gap would mean that the network lost something.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from trailbase_server.records.realtime.plan import EVENTS_LOST, User
from trailbase_server.web.sse import GREETING, HEARTBEAT, Outlet, frame_chunk

MAX_QUEUED = 64  # events; what they hold is shared with other streams
MAX_QUEUED_BYTES = 1024 * 1024  # a queue of larger events is full earlier
STALL_S = 60.0  # longest time a client may leave its stream full
FRAMING_BYTES = 48  # around an event, at most: ``data: ``, number, end of message, chunk
SILENCE_S = 15.0  # after this long without an event a comment is sent

Event = tuple[int, bytes]
"""Position of the change, and the event up to its number in the stream."""

Render = Callable[[Sequence[Event], int], bytes]
"""Events and the number of the first one, as they go over the wire."""

Rendered = dict[tuple[Render, int], bytes]
"""What has been rendered of the same events."""


def render_messages(events: Sequence[Event], number: int) -> list[bytes]:
    """Render events as JSON texts."""
    return [b"%b%d}" % (event[1], number + index) for index, event in enumerate(events)]


def render_sse(events: Sequence[Event], number: int) -> bytes:
    """
    Render events as messages of an event stream.

    Spec:
        records/sse-stream
    """
    return b"".join(
        [b"data: %b%d}\n\n" % (event[1], number + index) for index, event in enumerate(events)]
    )


def render_chunk(events: Sequence[Event], number: int) -> bytes:
    """Like ``render_sse``, as one chunk of HTTP."""
    return frame_chunk(render_sse(events, number))


class Subscriber:
    """
    A stream (``web.sse.Feed``).

    Args:
        user: Whose it is.
        address: Where the client is, empty if unknown.
        expires_at: Unix seconds when its token runs out, None for anonymous ones.
        since: Position of the last change before it; what is at or before it is not delivered.
        is_aligned: The client needs whole messages in each read.
        epoch: What positions are prefixed with when the client wants them (``id:``), to come back
            later; None for none.
        now: Monotonic seconds.
        left: Called once when the stream is over, whoever ended it.

    Attributes:
        sent, dropped: Events so far.
        written_at: When something was written last, monotonic seconds.
    """

    __slots__ = (
        "_is_aligned",
        "_is_full",
        "_left",
        "_outlet",
        "_piece_bytes",
        "_queue",
        "_queued_bytes",
        "_wake",
        "address",
        "dropped",
        "epoch",
        "expires_at",
        "is_lossy",
        "is_over",
        "is_silent",
        "is_writable",
        "number",
        "position",
        "render",
        "sent",
        "since",
        "stuck_at",
        "user",
        "write",
        "written_at",
    )

    def __init__(
        self,
        user: User,
        address: str,
        expires_at: float | None,
        since: int,
        epoch: str | None,
        now: float,
        left: "Callable[[Subscriber], None]",
        *,
        is_aligned: bool = False,
    ) -> None:
        self.user = user
        self.address = address
        self.expires_at = expires_at
        self.since = self.position = since
        self.epoch = epoch
        self.written_at = now
        self.stuck_at: float | None = None
        self.number = 1
        self.sent = self.dropped = 0
        self.is_over = self.is_lossy = self.is_writable = self.is_silent = False
        self.render: Render = render_chunk if epoch is None else self._render_chunk_with_ids
        self.write: Callable[[bytes], None] = _nowhere
        self._left = left
        self._is_aligned = is_aligned
        self._is_full = False
        self._piece_bytes = 0
        self._outlet: Outlet | None = None
        self._queue: deque[Event] = deque()
        self._queued_bytes = 0
        self._wake: asyncio.Event | None = None

    @property
    def queued(self) -> int:
        """Events that wait for room."""
        return len(self._queue)

    # From the broker

    def offer(self, events: Sequence[Event], rendered: Rendered, now: float) -> None:
        """
        Deliver events, or queue them.

        Args:
            events: At least one, in order.
            rendered: Shared by all who get the same events.
            now: Monotonic seconds.
        """
        if not self.is_writable:
            self._enqueue(events, now)
            return
        number = self.number
        key = (self.render, number)
        data = rendered.get(key)
        if data is None:
            data = rendered[key] = self.render(events, number)
        if self._is_aligned and len(data) > self._piece_bytes:
            self.is_writable = False
            self._enqueue(events, now)
            self._write_piece()
            return
        count = len(events)
        self.number = number + count
        self.sent += count
        self.position = events[-1][0]
        self.written_at = now
        self.write(data)

    def lose(self, now: float) -> None:
        """Something happened that cannot be told: announce that instead."""
        self.is_lossy = True
        self._drain(now)

    def backfill(self, events: Sequence[Event], *, is_lossy: bool) -> None:
        """
        Queue what the client has missed since it was last here, in front of everything, before it
        is attached.

        Args:
            events: A bounded history: the queue's bound does not count here.
            is_lossy: Something older has been missed, too.
        """
        self._queue.extendleft(reversed(events))
        if is_lossy:
            self._queue.appendleft((events[0][0] if events else self.since, EVENTS_LOST))

    def tick(self, now: float, position: int) -> None:
        """
        Once a second: break the silence, cut off who does not read.

        Args:
            now: Monotonic seconds.
            position: Everything up to it has been delivered to whom it concerns.
        """
        if self.stuck_at is not None:
            if now - self.stuck_at > STALL_S:
                self.cut()
        elif now - self.written_at >= SILENCE_S:
            self.position = max(self.position, position)
            self.written_at = now
            if self.is_writable:
                self.write(frame_chunk(self._comment(HEARTBEAT)))
            else:
                self.is_silent = True
                self._notify()

    def end(self, last: Event | None = None) -> None:
        """
        End the stream after what is queued.

        Args:
            last: Delivered before the end.
        """
        if self.is_over:
            return
        if last is not None:
            self._queue.append(last)
        self.is_over = True
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            # A full socket gets it nevertheless: the queue is bounded, and the outlet closes.
            self._flush(outlet.write, self.written_at)
            outlet.end()
        self.is_writable = False
        self._notify()
        self._left(self)

    def cut(self) -> None:
        """End the stream at once."""
        outlet = self._outlet
        self.detach()
        if outlet is not None:
            outlet.abort()

    # From whoever has the socket

    def attach(self, outlet: Outlet) -> None:
        """See ``web.sse.Feed.attach``."""
        outlet.write(frame_chunk(self._comment(GREETING)))
        if self.is_over:
            self._flush(outlet.write, self.written_at)
            outlet.end()
            return
        self._outlet = outlet
        self.write = outlet.write
        if self._is_aligned:
            self._piece_bytes = outlet.packet_bytes()
        self._go_on()

    def pause(self) -> None:
        """See ``web.sse.Feed.pause``."""
        self._is_full = True
        self.is_writable = False
        self.stuck_at = self.written_at

    def resume(self) -> None:
        """See ``web.sse.Feed.resume``."""
        self._is_full = False
        self.stuck_at = None
        if self._outlet is not None:
            self._go_on()

    def detach(self) -> None:
        """See ``web.sse.Feed.detach``."""
        self._outlet = None
        self.is_writable = False
        self._queue.clear()
        if not self.is_over:
            self.is_over = True
            self._notify()
            self._left(self)

    async def batches(self) -> AsyncIterator[Sequence[bytes]]:
        """See ``web.sse.Feed.batches``."""
        yield [self._comment(GREETING)]
        async for events in self.events():
            if events:
                yield [self._render_ids(events) if self.epoch else render_sse(events, self.number)]
                self.number += len(events)
            else:
                yield [self._comment(HEARTBEAT)]

    async def messages(self) -> AsyncIterator[Sequence[bytes]]:
        """Like ``batches``, as JSON texts; silence stays silence."""
        async for events in self.events():
            if events:
                yield render_messages(events, self.number)
                self.number += len(events)

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        """Events as they become ready; none where a comment is due."""
        wake = self._wake = asyncio.Event()
        while True:
            events = self._take()
            if events:
                yield events
            elif self.is_silent:
                self.is_silent = False
                yield ()
            elif self.is_over:
                return
            else:
                wake.clear()
                await wake.wait()

    # Queue

    def _enqueue(self, events: Sequence[Event], now: float) -> None:
        queue = self._queue
        if not queue and self.stuck_at is None:
            self.stuck_at = now
        for event in events:
            if self.is_lossy or len(queue) >= MAX_QUEUED or self._queued_bytes >= MAX_QUEUED_BYTES:
                self.is_lossy = True
                self.dropped += 1
            else:
                queue.append(event)
                self._queued_bytes += len(event[1])
        self._notify()

    def _take(self) -> list[Event]:
        events = list(self._queue)
        self._queue.clear()
        self._queued_bytes = 0
        if self.is_lossy:
            self.is_lossy = False
            # Whoever comes back with its id gets what was lost here, if that is still known.
            events.append((events[-1][0] if events else self.position, EVENTS_LOST))
        if events:
            self.sent += len(events)
            self.position = max(self.position, events[-1][0])
        self.stuck_at = None
        return events

    def _drain(self, now: float) -> None:
        if self.is_writable:
            self._flush(self.write, now)
        else:
            self._notify()

    def _go_on(self) -> None:
        """There is room: write what has been waiting for it."""
        if self._is_aligned and self._queue:
            self._write_piece()
        else:
            self.is_writable = True
            self._drain(self.written_at)

    def _write_piece(self) -> None:
        """Write what fits into a packet, at least one event; the rest in the next rounds."""
        if self._outlet is None or self._is_full:
            return
        queue = self._queue
        piece: list[Event] = []
        room = self._piece_bytes
        while queue and (not piece or len(queue[0][1]) + FRAMING_BYTES <= room):
            event = queue.popleft()
            room -= len(event[1]) + FRAMING_BYTES
            self._queued_bytes -= len(event[1])
            piece.append(event)
        if piece:
            self.sent += len(piece)
            self.position = max(self.position, piece[-1][0])
            self.write(self.render(piece, self.number))
            self.number += len(piece)
        if queue:
            asyncio.get_running_loop().call_soon(self._write_piece)
        elif not self._is_full:
            self._go_on()

    def _flush(self, write: Callable[[bytes], None], now: float) -> None:
        events = self._take()
        if events:
            number = self.number
            self.number += len(events)
            self.written_at = now
            write(self.render(events, number))

    def _notify(self) -> None:
        if self._wake is not None:
            self._wake.set()

    # Positions

    def _comment(self, comment: bytes) -> bytes:
        if self.epoch is None:
            return comment
        return b"%bid: %b\n\n" % (comment[:-1], self._id(self.position))

    def _id(self, position: int) -> bytes:
        return f"{self.epoch}-{position}".encode()

    def _render_chunk_with_ids(self, events: Sequence[Event], number: int) -> bytes:
        return frame_chunk(self._render_ids(events, number))

    def _render_ids(self, events: Sequence[Event], number: int | None = None) -> bytes:
        first = self.number if number is None else number
        return b"".join(
            b"id: %b\ndata: %b%d}\n\n" % (self._id(position), body, first + index)
            for index, (position, body) in enumerate(events)
        )


def _nowhere(data: bytes) -> None:
    """Take what nobody has a socket for."""
