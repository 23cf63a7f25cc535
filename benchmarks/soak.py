"""
Realtime for a while: many subscribers, a steady stream of inserts, every event accounted for.

    python benchmarks/soak.py                                  # 500 subscribers, 2,000/s, 30 s
    python benchmarks/soak.py --out benchmarks/results         # and keep the figures
    python benchmarks/soak.py --subscribers 100 --rate 500 --seconds 5

Passed means: every insert was acknowledged, every subscriber received every one of them exactly
once, numbered without a gap, in one order that is the same for all and keeps each writer's own
order; nobody was told of a loss; and the server's own memory did not grow.

First come inserts that nobody listens to, as fast as they go, until SQLite's page caches (16 MB for
each file) are full: otherwise it is those that grow.

The server has one core, the load generator (one process) the other.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import seed
import uvloop
from machine import Machine, look_around
from ours import TrailServer
from process import Process, use_cores
from stream import Listener, Piece, Stream, read_stream
from web import send

MIGRATION = "U1790000200__soak.sql"
WARM_UP_S = 5.0  # the buffers of the streams have their size after that
SETTLE_S = 30.0  # longest wait for the last event
POLL_S = 0.25
GROWTH_LIMIT_MIB = 8.0  # of the server's own memory after the warm-up; an allocator is never exact
MIB = 2**20


@dataclass(slots=True)
class Outcome:
    """
    What was measured.

    Attributes:
        inserted: Acknowledged inserts; ``insert_rate`` per second.
        delivered_rate: Events per second, all subscribers together.
        complete: Subscribers that received exactly what the first one did.
        first: What was found in the first one's stream.
        p50_ms, p99_ms, longest_ms: From sending an insert to reading its event.
        memory_mib: The server's own memory (anonymous pages), once a second from the first insert.
        resident_mib: At the end, with the pages of its files.
        growth_mib: Between the end of the warm-up and the last event.
        server_cpu, load_cpu: Share of a core.
    """

    subscribers: int
    users: int
    writers: int
    seconds: float
    inserted: int
    insert_rate: float
    delivered_rate: float
    complete: int
    first: Stream
    p50_ms: float
    p99_ms: float
    longest_ms: float
    memory_mib: list[float]
    resident_mib: float
    growth_mib: float
    server_cpu: float
    load_cpu: float

    @property
    def faults(self) -> list[str]:
        """What did not go as it should; empty if the run has passed."""
        names = ("missing", "repeated", "foreign", "gaps", "disordered", "losses")
        found = [f"{count} {name}" for name in names if (count := getattr(self.first, name))]
        if self.complete != self.subscribers:
            found.append(f"{self.subscribers - self.complete} streams differ from the first")
        if self.growth_mib > GROWTH_LIMIT_MIB:
            found.append(f"memory grew by {self.growth_mib:.1f} MiB")
        return found


class Writer:
    """
    Inserts over one connection, one after the other; the text says which and when.

    Args:
        number: Its own, part of each text.
        head: The request's head, with a place for the body's length.
    """

    def __init__(self, port: int, number: int, head: str, record: dict[str, str]) -> None:
        self._port = port
        self._number = number
        self._head = head
        self._record = record
        self.done = 0

    async def run(self, count: int, interval_s: float) -> None:
        """
        Insert so many, at an even pace; what is late is caught up with.

        Raises:
            RuntimeError: An insert was refused.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        due = time.perf_counter()
        for number in range(count):
            due += interval_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            text = f"{self._number} {number} {time.perf_counter_ns()} {seed.TEXT}"
            body = json.dumps({**self._record, "data": text}).encode()
            writer.write(self._head.format(len(body)).encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in answer[:16]:
                raise RuntimeError(answer.decode())
            length = answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
            self.done += 1
        writer.close()


async def soak(process: Process, options: argparse.Namespace) -> Outcome:
    """Subscribe, write at an even pace, wait until everything has arrived."""
    await insert_all(make_writers(process, options.writers), options.warm_up, 0.0)
    tokens = log_in(process, options.users)
    kept: list[Piece] = []
    listeners = await subscribe(process.port, tokens, options.subscribers, kept)
    writers = make_writers(process, options.writers)
    memory: list[float] = []
    watching = asyncio.ensure_future(watch_memory(process, memory))
    cpu, own, start = process.cpu_seconds(), time.process_time(), time.perf_counter()
    total, interval_s = int(options.rate * options.seconds), options.writers / options.rate
    counts = await insert_all(writers, total, interval_s)
    inserting_s = time.perf_counter() - start
    took = await settle(listeners) - start
    watching.cancel()
    cpu, own = process.cpu_seconds() - cpu, time.process_time() - own
    stream, latencies = read_stream(kept, counts)
    whole = (listeners[0].length, listeners[0].checksum)
    complete = sum((o.length, o.checksum) == whole and not o.is_closed for o in listeners)
    warm = memory[min(int(WARM_UP_S), len(memory) - 1)]
    return Outcome(
        subscribers=options.subscribers,
        users=options.users,
        writers=options.writers,
        seconds=inserting_s,
        inserted=sum(writer.done for writer in writers),
        insert_rate=sum(counts) / inserting_s,
        delivered_rate=stream.events * complete / took,
        complete=complete,
        first=stream,
        p50_ms=quantile(latencies, 0.5),
        p99_ms=quantile(latencies, 0.99),
        longest_ms=latencies[-1] if latencies else float("nan"),
        memory_mib=[round(value, 1) for value in memory],
        resident_mib=round(process.memory_bytes() / MIB, 1),
        growth_mib=memory[-1] - warm,
        server_cpu=cpu / took,
        load_cpu=own / took,
    )


def user_emails(count: int) -> list[str]:
    """People who are in the rooms that the load is written to."""
    return [seed.EMAIL, *(f"u{2 * number}@chat.example" for number in range(1, count))]


def log_in(process: Process, users: int) -> list[str]:
    """Return a token of each."""
    url = f"{process.url}/api/auth/v1/login"
    return [
        send("POST", url, {"email_or_username": email, "password": seed.PASSWORD})["auth_token"]
        for email in user_emails(users)
    ]


async def subscribe(
    port: int, tokens: Sequence[str], count: int, kept: list[Piece]
) -> list[Listener]:
    """
    Open all streams.

    Raises:
        RuntimeError: One was refused.
    """
    loop = asyncio.get_running_loop()
    listeners: list[Listener] = []
    for number in range(count):
        token = tokens[number % len(tokens)]
        head = (
            "GET /api/records/v1/message_api/subscribe/* HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        ).encode()
        make = partial(Listener, head, None if listeners else kept)
        _, listener = await loop.create_connection(make, "127.0.0.1", port)
        answer = await asyncio.wait_for(listener.opened, 10)
        if b" 200 " not in answer[:16]:
            raise RuntimeError(answer.decode())
        listeners.append(listener)
    return listeners


def make_writers(process: Process, count: int) -> list[Writer]:
    """Make writers for the load's user."""
    insert = TrailServer().calls(process)["insert"][0]
    head = (
        f"POST {insert.path} HTTP/1.1\r\nHost: x\r\nAuthorization: {insert.authorization}\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    )
    record = json.loads(insert.body)
    return [Writer(process.port, number, head, record) for number in range(count)]


async def insert_all(writers: Sequence[Writer], total: int, interval_s: float) -> list[int]:
    """Share the work; returns how many each has done."""
    each, rest = divmod(total, len(writers))
    counts = [each + (number < rest) for number in range(len(writers))]
    await asyncio.gather(
        *(writer.run(count, interval_s) for writer, count in zip(writers, counts, strict=True))
    )
    return counts


async def watch_memory(process: Process, memory: list[float]) -> None:
    """Note the server's own memory once a second."""
    while True:
        memory.append(process.own_memory_bytes() / MIB)
        await asyncio.sleep(1)


async def settle(listeners: Sequence[Listener]) -> float:
    """Wait until nothing comes any more and all have the same; returns when that was."""
    lengths: list[int] = []
    since = time.perf_counter()
    end = since + SETTLE_S
    while (now := time.perf_counter()) < end:
        latest = [listener.length for listener in listeners]
        if latest != lengths:
            lengths, since = latest, now
        elif now - since >= 1:
            break
        await asyncio.sleep(POLL_S)
    return since


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values; NaN of none."""
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def render_table(outcome: Outcome, machine: Machine, version: str) -> str:
    """Render Markdown."""
    memory = outcome.memory_mib
    rows = [
        ("subscribers, as so many users", f"{outcome.subscribers:,}, {outcome.users}"),
        ("inserts, in how many seconds", f"{outcome.inserted:,}, {outcome.seconds:.1f}"),
        ("inserts per second", f"{outcome.insert_rate:,.0f}"),
        ("events delivered per second", f"{outcome.delivered_rate:,.0f}"),
        ("subscribers with everything, once, in order", f"{outcome.complete:,}"),
        ("latency p50, p99, longest", " / ".join(f"{v:.1f} ms" for v in latency_of(outcome))),
        ("resident at the end, with pages of files", f"{outcome.resident_mib:.1f} MiB"),
        ("own memory: start, highest, end", " / ".join(f"{v:.1f} MiB" for v in curve(memory))),
        ("growth after the first five seconds", f"{outcome.growth_mib:.1f} MiB"),
        ("processor: server, load generator", share_of(outcome)),
        ("faults", "; ".join(outcome.faults) or "none"),
    ]
    return "\n".join(
        [
            f"# Soak test, {machine.date}",
            "",
            f"{version}, commit {machine.commit}.",
            f"{machine.cores} cores ({machine.cpu}), {machine.memory_gib} GiB,",
            f"Linux {machine.kernel}, Python {machine.python}.",
            "The server has one core, the load generator the other.",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows),
            "",
        ]
    )


def latency_of(outcome: Outcome) -> tuple[float, float, float]:
    """Three figures for the table."""
    return outcome.p50_ms, outcome.p99_ms, outcome.longest_ms


def curve(memory: Sequence[float]) -> tuple[float, float, float]:
    """Three figures for the table."""
    return memory[0], max(memory), memory[-1]


def share_of(outcome: Outcome) -> str:
    """Shares of a core, as percentages."""
    return f"{outcome.server_cpu:.0%}, {outcome.load_cpu:.0%}"


def prepare(server: TrailServer, data: Path, users: int) -> None:
    """Seed the depot, and give the subscribers a password."""
    server.seed(data)
    emails = ", ".join(f"'{email}'" for email in user_emails(users))
    path = data / "migrations" / "main" / MIGRATION
    path.write_text(
        "UPDATE _user SET password_hash = (SELECT password_hash FROM _user "
        f"WHERE email = '{seed.EMAIL}') WHERE email IN ({emails});\n"
    )


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--subscribers", type=int, default=500)
    parser.add_argument("--users", type=int, default=10, help="whose subscriptions they are")
    parser.add_argument("--writers", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2000, help="inserts per second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--warm-up", type=int, default=120_000, help="inserts before that")
    parser.add_argument("--out", type=Path, help="folder for JSON and Markdown")
    return parser.parse_args()


def main() -> None:
    """Run it; the exit status is 1 if anything was not as it should be."""
    options = read_options()
    use_cores()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = TrailServer()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        data = Path(folder) / "depot"
        prepare(server, data, options.users)
        process = server.start(data)
        try:
            outcome = uvloop.run(soak(process, options))
        finally:
            process.stop()
    machine = look_around()
    table = render_table(outcome, machine, server.version)
    print(table)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        stem = f"soak-{machine.date[:10]}-{machine.commit}"
        text = json.dumps({"machine": asdict(machine), **asdict(outcome)}, indent=1)
        (options.out / f"{stem}.json").write_text(text + "\n")
        (options.out / f"{stem}.md").write_text(table)
    sys.exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
