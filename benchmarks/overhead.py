"""
What access log, metrics and rate limits together cost: ``python benchmarks/overhead.py --help``.

Servers of this checkout run beside each other on one core, each on its own copy of the same data,
and wrk asks one after the other in short slices from the other core: the slices of a round are so
close in time that a noisy machine is noisy for all of them, and an idle server costs nothing. Each
round starts its servers anew: where memory happens to lie makes two processes of the same program
differ by some percent for as long as they live.

``bare`` has no access log and no limits; ``logged`` has the log; ``whole`` has the log and limits
that refuse nobody, of which one counts each read and two each insert, and its metrics are scraped
once a slice. Requests are counted in all of them: that cannot be switched off.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from contender import Calls
from load import Measured, put_load
from machine import look_around
from ours import TrailServer
from process import Process, free_port, use_cores

WORKS = (("read", 64), ("public", 64), ("insert", 64), ("insert", 8))
# As the guide sets them (docs/guide/production/limits.md), but for the numbers: one that is for all
# requests, one for writes of a user, one for accounts.
LIMITS = "".join(
    f"  rate_limits {{ {what} requests: 100000000 seconds: 1 }}\n"
    for what in ("", 'path: "/api/records" methods: "POST" per: USER', 'path: "/api/auth"')
)
SETTINGS = {"bare": "  access_log { disabled: true }\n", "logged": "", "whole": LIMITS}
SCRAPED = "whole"


@dataclass(frozen=True, slots=True)
class Running:
    """A server with the calls to put on it."""

    process: Process
    metrics_port: int
    calls: Calls


def main() -> None:
    """Read the options, measure, print the shares that are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="length of a slice")
    parser.add_argument(
        "--rounds", type=int, default=12, help="servers of each kind; medians count"
    )
    parser.add_argument("--out", type=Path, help="file for the figures as JSON")
    options = parser.parse_args()
    use_cores()
    server = TrailServer()
    found: dict[str, list[dict[str, Measured]]] = {}
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        seeded = Path(folder) / "seeded"
        server.seed(seeded)
        for number in range(options.rounds):
            for work, slices in _round(server, seeded, number, options.seconds).items():
                found.setdefault(work, []).append(slices)
    summary = {work: _summarize(rounds) for work, rounds in found.items()}
    print(json.dumps(summary, indent=1))
    if options.out:
        machine = look_around()
        document = {"commit": machine.commit, "date": machine.date, "summary": summary}
        document["rounds"] = {
            work: [{name: asdict(one) for name, one in slices.items()} for slices in rounds]
            for work, rounds in found.items()
        }
        options.out.write_text(json.dumps(document, indent=1) + "\n")


def _start(server: TrailServer, seeded: Path, name: str) -> Running:
    data = seeded.parent / name
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(seeded, data)
    config = data / "config.textproto"
    text = config.read_text()
    at = text.index("server {") + len("server {\n")
    config.write_text(text[:at] + SETTINGS[name] + text[at:])
    metrics = free_port()
    process = server.start(data, "FULL", "--metrics-address", f"127.0.0.1:{metrics}")
    return Running(process, metrics, server.calls(process))


def _round(
    server: TrailServer, seeded: Path, number: int, seconds: int
) -> dict[str, dict[str, Measured]]:
    """Measure every work on servers that are started for it, in an order that changes."""
    turn = number % len(SETTINGS)
    names = [*SETTINGS][turn:] + [*SETTINGS][:turn]
    running: dict[str, Running] = {}
    found = {}
    try:
        for name in names:
            running[name] = _start(server, seeded, name)
        for kind, connections in WORKS:
            for name in names:
                _slice(running[name], kind, connections, 1)
            slices = {
                name: _slice(running[name], kind, connections, seconds, is_scraped=name == SCRAPED)
                for name in names
            }
            seen = ((name, slices[name]) for name in SETTINGS)
            shown = (f"{one.per_second:7.0f}/s {one.cpu_us:5.1f} µs {name}" for name, one in seen)
            print(f"{kind:8} {connections:3} {'  '.join(shown)}", flush=True)
            found[f"{kind}_{connections}"] = slices
    finally:
        for one in running.values():
            one.process.stop()
    return found


def _slice(
    server: Running, kind: str, connections: int, seconds: int, *, is_scraped: bool = False
) -> Measured:
    scraper = threading.Timer(seconds / 2, _scrape, (server.metrics_port,))
    if is_scraped:
        scraper.start()
    measured = put_load(
        server.process, server.calls[kind], connections=connections, seconds=seconds
    )
    if is_scraped:
        scraper.join()
    return measured


def _scrape(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        answer.read()


def _summarize(rounds: list[dict[str, Measured]]) -> dict[str, dict[str, float]]:
    """Medians; shares are of the bare server in the same round."""
    return {
        name: {
            "per_second": statistics.median(one[name].per_second for one in rounds),
            "share": statistics.median(
                one[name].per_second / one["bare"].per_second for one in rounds
            ),
            "cpu_us": statistics.median(one[name].cpu_us for one in rounds),
            "cpu_more": statistics.median(
                one[name].cpu_us / one["bare"].cpu_us - 1 for one in rounds
            ),
        }
        for name in SETTINGS
    }


if __name__ == "__main__":
    main()
