"""
What access log, metrics and rate limits together cost: ``python benchmarks/overhead.py --help``.

Two servers of this checkout take turns on copies of the same data, one core for the server, the
other for wrk: one with the access log off and no limits, one with the access log, limits that
apply to every request without refusing any, and a listener for metrics that is scraped while it
works. Requests are counted in both: that cannot be switched off.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import urllib.request
from pathlib import Path

from load import Measured, put_load
from machine import look_around
from ours import TRAIL, TrailServer
from process import Process, free_port, use_cores

WORKS = (("read", 64), ("public", 64), ("insert", 64), ("insert", 8))
SCRAPE_EVERY_S = 3.0  # five times as often as Prometheus does by default
BARE = "  access_log { disabled: true }\n"
WHOLE = "".join(
    f"  rate_limits {{ {what} requests: 100000000 seconds: 1 }}\n"
    for what in ("", 'path: "/api/records" per: USER', 'path: "/api/auth"')
)


def main() -> None:
    """Read the options, measure, print the shares that are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="length of one measurement")
    parser.add_argument("--repeat", type=int, default=5, help="measurements; the median counts")
    parser.add_argument("--out", type=Path, help="file for the figures as JSON")
    options = parser.parse_args()
    use_cores()
    server = TrailServer()
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        seeded = Path(folder) / "seeded"
        server.seed(seeded)
        for _ in range(options.repeat):
            for kind, connections in WORKS:
                bare = _measure(server, seeded, kind, connections, options.seconds, BARE)
                whole = _measure(
                    server, seeded, kind, connections, options.seconds, WHOLE, scraped=True
                )
                found.setdefault(f"{kind}_{connections}", []).append(
                    {
                        "bare": bare.per_second,
                        "whole": whole.per_second,
                        "share": whole.per_second / bare.per_second,
                        "cpu_share": whole.cpu_us / bare.cpu_us,
                    }
                )
                print(
                    f"{kind:8} {connections:3} {bare.per_second:9.0f}/s bare, "
                    f"{whole.per_second:9.0f}/s whole",
                    flush=True,
                )
    medians = {
        name: {key: round(statistics.median(one[key] for one in runs), 3) for key in runs[0]}
        for name, runs in found.items()
    }
    print(json.dumps(medians, indent=1))
    if options.out:
        machine = look_around()
        options.out.write_text(
            json.dumps(
                {"commit": machine.commit, "date": machine.date, "medians": medians, "runs": found},
                indent=1,
            )
            + "\n"
        )


def _measure(
    server: TrailServer,
    seeded: Path,
    kind: str,
    connections: int,
    seconds: float,
    settings: str,
    *,
    scraped: bool = False,
) -> Measured:
    data = seeded.parent / "running"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(seeded, data)
    config = data / "config.textproto"
    text = config.read_text()
    at = text.index("server {") + len("server {\n")
    config.write_text(text[:at] + settings + text[at:])
    port, metrics = free_port(), free_port()
    command = [str(TRAIL), "--depot", str(data), "run", "--address", f"127.0.0.1:{port}"]
    if scraped:
        command += ["--metrics-address", f"127.0.0.1:{metrics}"]
    process = Process(command, port, "/api/healthcheck", data.with_suffix(".log"))
    done = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(metrics, done), daemon=True)
    try:
        calls = server.calls(process)[kind]
        put_load(process, calls, connections=connections, seconds=1)
        if scraped:
            scraper.start()
        return put_load(process, calls, connections=connections, seconds=seconds)
    finally:
        done.set()
        if scraper.is_alive():
            scraper.join()
        process.stop()


def _scrape(port: int, done: threading.Event) -> None:
    while not done.wait(SCRAPE_EVERY_S):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            answer.read()


if __name__ == "__main__":
    main()
