"""
One subscriber of the soak test, and what is read out of its stream.

All subscribers should receive the same bytes. So one stream is kept and read word by word, and of
the others only the length and a checksum are taken: that is all a load generator on one core has
time for.
"""

import asyncio
import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

Piece = tuple[int, bytes]
"""When it arrived (ns), and events in the form of an event stream."""


class Listener(asyncio.Protocol):
    """
    One subscriber: length and checksum of what came.

    Args:
        head: The request.
        kept: Where pieces and the times they came go; None to forget them.
    """

    def __init__(self, head: bytes, kept: list[Piece] | None) -> None:
        self._head = head
        self._kept = kept
        self._rest = b""
        self.opened: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.length = 0
        self.checksum = 0
        self.is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Subscribe."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(self._head)

    def connection_lost(self, _: Exception | None) -> None:
        """Remember that it ended: it should not have."""
        self.is_closed = True

    def data_received(self, data: bytes) -> None:
        """Take the chunks apart."""
        if self._rest:
            data = self._rest + data
        at = 0
        if not self.opened.done():
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:  # the head is not complete
                self._rest = data
                return
            self.opened.set_result(data[:at])
        while (end := data.find(b"\r\n", at)) >= 0:
            stop = end + 2 + int(data[at:end], 16)
            if stop + 2 > len(data):
                break
            self._take(data[end + 2 : stop])
            at = stop + 2
        self._rest = data[at:]

    def _take(self, piece: bytes) -> None:
        if piece.startswith(b":"):  # a comment against silence, at times of its own
            return
        self.length += len(piece)
        self.checksum = zlib.adler32(piece, self.checksum)
        if self._kept is not None:
            self._kept.append((time.perf_counter_ns(), piece))


@dataclass(slots=True)
class Stream:
    """
    What was found in a stream.

    Attributes:
        events: Inserts.
        missing: Acknowledged, but not there.
        repeated: There twice.
        foreign: Of nobody who writes here.
        gaps: Events whose number is not the one after the last one's.
        disordered: Inserts of a writer that come after a later one of its own.
        losses: Errors in place of events.
    """

    missing: int = 0
    repeated: int = 0
    foreign: int = 0
    gaps: int = 0
    disordered: int = 0
    losses: int = 0
    events: int = 0


def read_stream(pieces: Sequence[Piece], counts: Sequence[int]) -> tuple[Stream, list[float]]:
    """
    Check a stream.

    Args:
        pieces: Time of arrival (ns) and text.
        counts: How many each writer has inserted.

    Returns:
        The faults, and the latencies of its events in milliseconds, sorted.
    """
    stream = Stream()
    latencies: list[float] = []
    seen: list[set[int]] = [set() for _ in counts]
    latest = [-1] * len(counts)
    number = 0
    for arrived_ns, piece in pieces:
        for line in piece.decode().splitlines():
            if not line:
                continue
            event = json.loads(line.removeprefix("data: "))
            number += 1
            stream.gaps += event["seq"] != number
            row = event.get("Insert")
            if row is None:
                stream.losses += 1
                continue
            stream.events += 1
            words = row["data"].split(" ", 3)
            writer, own, sent_ns = (int(word) for word in words[:3])
            if own >= counts[writer]:
                stream.foreign += 1
                continue
            stream.repeated += own in seen[writer]
            stream.disordered += own <= latest[writer]
            seen[writer].add(own)
            latest[writer] = own
            latencies.append((arrived_ns - sent_ns) / 1e6)
    stream.missing = sum(counts) - sum(len(numbers) for numbers in seen)
    return stream, sorted(latencies)
