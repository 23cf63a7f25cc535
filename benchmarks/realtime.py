"""
Realtime under load: many subscribers to one table, several writers, everything counted.

    python benchmarks/realtime.py                          # as fast as 8 writers can
    python benchmarks/realtime.py --rate 200               # 200 inserts per second: latencies
    python benchmarks/realtime.py --subscribers 1000 --door asgi --json

Subscribers have the same token or, with ``--filters``, a filter of their own each, so that every
one of them is judged apart. ``--door asgi`` sends a cookie, which makes the server take its
ordinary ASGI path instead of the front door: what the direct way to the socket is worth.

Latency is from the moment the insert is sent to the moment its event is read, on one clock. The
load generator is one process on one core; if it is the bottleneck, its processor time says so.
"""

import argparse
import asyncio
import json
import re
import resource
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import seed
import uvloop
from contender import Calls
from ours import TrailServer
from process import Process, use_cores

STAMP = re.compile(rb'"data":"at (\d+) ')
LOST = b'"status":2'
EVENT = b'"Insert"'
SETTLE_S = 1.0


@dataclass
class Outcome:
    """
    What was measured.

    Attributes:
        inserts, delivered: Per second.
        lost: Loss events received.
        missing: Events that neither came nor were announced as lost.
        p50_ms, p95_ms, p99_ms: Latencies of events.
        server_us: Processor time of the server per delivered event.
        load_cpu: Share of its core that the load generator used.
    """

    subscribers: int
    writers: int
    inserts: float
    delivered: float
    lost: int
    missing: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    server_us: float
    load_cpu: float


class Subscriber(asyncio.Protocol):
    """Counts what arrives; looks at the time stamps of the first event of each piece."""

    def __init__(self, head: bytes, latencies: list[float]) -> None:
        self._head = head
        self._latencies = latencies
        self._tail = b""
        self.ready = asyncio.get_running_loop().create_future()
        self.events = 0
        self.losses = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Subscribe."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        """Count."""
        now = time.perf_counter_ns()
        if not self.ready.done():
            self.ready.set_result(data.split(b"\r\n", 1)[0])
        # A word may be cut in two: keep what is shorter than the longest one.
        text = self._tail + data
        self.events += text.count(EVENT)
        self.losses += text.count(LOST)
        self._tail = text[-(len(LOST) - 1) :]
        match = STAMP.search(data)
        if match:
            self._latencies.append((now - int(match[1])) / 1e6)


class Writer:
    """Inserts over one connection, one after the other."""

    def __init__(self, port: int, head: str, body: dict[str, str]) -> None:
        self._port = port
        self._head = head
        self._body = body
        self.done = 0

    async def run(self, until: float, interval_s: float, offset_s: float) -> None:
        """Insert until then; waits for each answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        due = time.perf_counter() + offset_s
        while (now := time.perf_counter()) < until:
            if interval_s:
                due += interval_s
                await asyncio.sleep(max(0.0, due - now))
            text = f"at {time.perf_counter_ns()} {seed.TEXT}"
            body = json.dumps({**self._body, "data": text}).encode()
            writer.write(self._head.format(len(body)).encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in answer[:16]:
                raise RuntimeError(answer.decode())
            length = int(re.search(rb"content-length: (\d+)", answer)[1])
            await reader.readexactly(length)
            self.done += 1
        writer.close()


async def measure(process: Process, calls: Calls, options: argparse.Namespace) -> Outcome:
    """Subscribe, write for a while, wait until everything has arrived."""
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    insert = calls["insert"][0]
    token = insert.authorization
    credentials = (
        f"Authorization: {token}"
        if options.door == "front"
        else f"Cookie: auth_token={token.removeprefix('Bearer ')}"
    )
    subscribers = []
    for number in range(options.subscribers):
        query = f"?filter[data][$ne]={number}" if options.filters else ""
        head = (
            f"GET /api/records/v1/message_api/subscribe/*{query} HTTP/1.1\r\nHost: x\r\n"
            f"{credentials}\r\n\r\n"
        )
        _, subscriber = await loop.create_connection(
            lambda head=head: Subscriber(head.encode(), latencies), "127.0.0.1", process.port
        )
        status = await asyncio.wait_for(subscriber.ready, 10)
        if b" 200 " not in status:
            raise RuntimeError(status.decode())
        subscribers.append(subscriber)
    body = json.loads(insert.body)
    writers = [
        Writer(
            process.port,
            f"POST {insert.path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body,
        )
        for _ in range(options.writers)
    ]
    cpu = process.cpu_seconds()
    own = time.process_time()
    start = time.perf_counter()
    interval = options.writers / options.rate if options.rate else 0.0
    await asyncio.gather(
        *(
            # They take turns: all at once would be a burst.
            writer.run(start + options.seconds, interval, interval * number / options.writers)
            for number, writer in enumerate(writers)
        )
    )
    inserts = sum(writer.done for writer in writers)
    last, arrived_at = -1, time.perf_counter()
    while time.perf_counter() - arrived_at < SETTLE_S:
        delivered = sum(subscriber.events for subscriber in subscribers)
        if delivered != last:
            last, arrived_at = delivered, time.perf_counter()
        await asyncio.sleep(0.02)
    took = arrived_at - start
    cpu = process.cpu_seconds() - cpu
    own = time.process_time() - own
    latencies.sort()
    losses = sum(subscriber.losses for subscriber in subscribers)
    return Outcome(
        subscribers=options.subscribers,
        writers=options.writers,
        inserts=inserts / took,
        delivered=last / took,
        lost=losses,
        missing=0 if losses else inserts * options.subscribers - last,
        p50_ms=_quantile(latencies, 0.5),
        p95_ms=_quantile(latencies, 0.95),
        p99_ms=_quantile(latencies, 0.99),
        server_us=cpu / max(last, 1) * 1e6,
        load_cpu=own / took,
    )


def _quantile(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def main() -> None:
    """Run one measurement and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--rate", type=float, default=0, help="inserts per second, 0: unthrottled")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--durability", choices=("FULL", "NORMAL"), default="FULL")
    parser.add_argument("--door", choices=("front", "asgi"), default="front")
    parser.add_argument("--filters", action="store_true", help="a filter of its own for each")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    use_cores()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = TrailServer()
    with tempfile.TemporaryDirectory(prefix="realtime-") as folder:
        data = Path(folder) / "depot"
        server.seed(data)
        process = server.start(data, options.durability)
        try:
            outcome = uvloop.run(measure(process, server.calls(process), options))
        finally:
            process.stop()
    if options.json:
        print(json.dumps(asdict(outcome)))
        return
    for name, value in asdict(outcome).items():
        print(f"{name:12} {value:,.2f}" if isinstance(value, float) else f"{name:12} {value:,}")


if __name__ == "__main__":
    main()
