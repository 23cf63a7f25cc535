"""
What access log, metrics and rate limits together cost: ``python benchmarks/overhead.py --help``.

Servers of this checkout run beside each other on one core, each on its own copy of the same data,
and wrk asks one after the other for a second each from the other core, turn after turn: a noisy
machine is noisy for all of them, and an idle server costs nothing. Each round starts its servers
anew: where memory happens to lie makes two processes of the same program differ by some percent for
as long as they live. Others on the machine only ever take away, so the better quartile of all turns
counts.

``bare`` has no access log and no limits; ``logged`` has the log; ``whole`` has the log and limits
that refuse nobody, of which one counts each read and two each insert, and its metrics are scraped
every few seconds. Requests are counted in all of them: that cannot be switched off.
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
TURNS = 5  # of each work in a round; metrics are scraped in one of them


@dataclass(frozen=True, slots=True)
class Running:
    """A server with the calls to put on it."""

    process: Process
    metrics_port: int
    calls: Calls


def main() -> None:
    """Read the options, measure, print the shares that are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="servers of each kind")
    parser.add_argument("--out", type=Path, help="file for the figures as JSON")
    options = parser.parse_args()
    use_cores()
    server = TrailServer()
    found: dict[str, list[dict[str, Measured]]] = {}
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        seeded = Path(folder) / "seeded"
        server.seed(seeded)
        for number in range(options.rounds):
            for work, turns in _round(server, seeded, number).items():
                found.setdefault(work, []).extend(turns)
    summary = {work: _summarize(turns) for work, turns in found.items()}
    print(json.dumps(summary, indent=1))
    if options.out:
        machine = look_around()
        document = {"commit": machine.commit, "date": machine.date, "summary": summary}
        document["turns"] = {
            work: [{name: asdict(one) for name, one in slices.items()} for slices in turns]
            for work, turns in found.items()
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


def _round(server: TrailServer, seeded: Path, number: int) -> dict[str, list[dict[str, Measured]]]:
    """Measure every work on servers that are started for it, in an order that changes."""
    running: dict[str, Running] = {}
    found: dict[str, list[dict[str, Measured]]] = {}
    try:
        for name in _in_turn(number):
            running[name] = _start(server, seeded, name)
        for kind, connections in WORKS:
            for one in running.values():  # caches are filled
                put_load(one.process, one.calls[kind], connections=connections, seconds=1)
            turns = [_turn(running, number + at, kind, connections) for at in range(TURNS)]
            found[f"{kind}_{connections}"] = turns
            print(f"{kind:8} {connections:3} {_show(_summarize(turns))}", flush=True)
    finally:
        for one in running.values():
            one.process.stop()
    return found


def _in_turn(number: int) -> list[str]:
    first = number % len(SETTINGS)
    return [*SETTINGS][first:] + [*SETTINGS][:first]


def _turn(
    running: dict[str, Running], number: int, kind: str, connections: int
) -> dict[str, Measured]:
    """A second of each."""
    measured = {}
    for name in _in_turn(number):
        one = running[name]
        scraper = threading.Timer(0.5, _scrape, (one.metrics_port,))
        if name == SCRAPED and number % TURNS == 0:
            scraper.start()
        measured[name] = put_load(one.process, one.calls[kind], connections=connections, seconds=1)
        if scraper.ident is not None:
            scraper.join()
    return measured


def _scrape(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        answer.read()


def _summarize(turns: list[dict[str, Measured]]) -> dict[str, dict[str, float]]:
    """Quartiles of the better turns; shares are of the bare server."""
    found = {}
    for name in SETTINGS:
        per_second = statistics.quantiles([one[name].per_second for one in turns])[2]
        cpu_us = statistics.quantiles([one[name].cpu_us for one in turns])[0]
        found[name] = {"per_second": per_second, "cpu_us": cpu_us}
    for one in found.values():
        one["share"] = one["per_second"] / found["bare"]["per_second"]
        one["cpu_more"] = one["cpu_us"] / found["bare"]["cpu_us"] - 1
    return found


def _show(summary: dict[str, dict[str, float]]) -> str:
    return "  ".join(
        f"{one['per_second']:7.0f}/s {one['cpu_us']:5.1f} µs {name}"
        for name, one in summary.items()
    )


if __name__ == "__main__":
    main()
