"""
Measure this server beside PocketBase: ``scripts/bench``, or ``python benchmarks/run.py --help``.

The server has one core, wrk the other. Each measurement starts the server on a fresh copy of the
seeded data; contenders take turns, so that a machine that slows down slows both.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from contender import Contender, wal_bytes
from load import Measured, put_load
from machine import look_around
from ours import TrailServer
from process import Process, use_cores
from report import MIB, Health, Outcome, render_json, render_markdown
from rival import PocketBase
from works import WORKS, Work

HERE = Path(__file__).resolve().parent
WARM_UP_S = 1
SETTLE_S = 1.0  # until memory is called idle
LOGINS = 4  # connections that log in beside the reads


def main() -> None:
    """Read the options, measure, write the results."""
    options = _options()
    use_cores()
    contenders: list[Contender] = [TrailServer()]
    if not options.alone:
        contenders.append(PocketBase())
    outcome = Outcome(look_around(), options.seconds, {c.name: c.version for c in contenders})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        course = Course(Path(folder), contenders, outcome)
        for repetition in range(options.repeat):
            for work in WORKS:
                if _is_chosen(work.name, options.only):
                    course.run_work(work)
            if _is_chosen("health", options.only):
                course.look_at_health()
            print(f"repetition {repetition + 1} of {options.repeat} is done", flush=True)
    table = render_markdown(outcome, TrailServer.name, PocketBase.name)
    print(table)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        stem = outcome.machine.date.split(" ")[0] + "-" + outcome.machine.commit
        (options.out / f"{stem}.json").write_text(render_json(outcome))
        (options.out / f"{stem}.md").write_text(table)


class Course:
    """
    Where the race is run.

    Attributes:
        outcome: Gets every measurement.
    """

    def __init__(self, folder: Path, contenders: list[Contender], outcome: Outcome) -> None:
        """Seed the data of all contenders."""
        self._folder = folder
        self._contenders = contenders
        self._seconds = outcome.seconds
        self.outcome = outcome
        for contender in contenders:
            contender.seed(folder / "seeded" / contender.name)

    def run_work(self, work: Work) -> None:
        """Measure one kind of work once per contender."""
        for contender in self._contenders:
            if work.durability != "FULL" and not isinstance(contender, TrailServer):
                self._borrow(work, contender.name)
                continue
            with self._running(contender, work.durability) as (process, _):
                calls = contender.calls(process)[work.calls]
                put_load(process, calls, connections=work.connections, seconds=WARM_UP_S)
                measured = put_load(
                    process, calls, connections=work.connections, seconds=self._seconds
                )
            loads = self.outcome.loads.setdefault(work.name, {})
            loads.setdefault(contender.name, []).append(measured)
            print(f"{work.name:18} {contender.name:18} {measured.per_second:10.0f}/s", flush=True)

    def _borrow(self, work: Work, name: str) -> None:
        """A contender with one durability is compared by the work that was measured before."""
        twin = next(w for w in WORKS if w is not work and w.name == work.name[: -len("_normal")])
        known = self.outcome.loads.get(twin.name, {}).get(name)
        if known:
            self.outcome.loads.setdefault(work.name, {})[name] = known

    def look_at_health(self) -> None:
        """Measure start, memory, write-ahead log, and reads beside log-ins."""
        for contender in self._contenders:
            health = self.outcome.health.setdefault(contender.name, Health())
            with self._running(contender) as (process, data):
                health.start_ms.append(process.started_in_s * 1000)
                time.sleep(SETTLE_S)
                health.idle_mib.append(process.memory_bytes() / MIB)
                calls = contender.calls(process)
                for name in ("read", "list", "insert"):
                    put_load(process, calls[name], connections=64, seconds=self._seconds)
                health.wal_mib.append(wal_bytes(data) / MIB)
                health.loaded_mib.append(process.memory_bytes() / MIB)
            with self._running(contender) as (process, _):
                calls = contender.calls(process)
                alone = put_load(process, calls["read"], connections=64, seconds=self._seconds)
                beside = self._beside_logins(process, contender)
                health.beside_logins.append(beside.per_second / alone.per_second)
            print(f"{'health':18} {contender.name}", flush=True)

    def _beside_logins(self, process: Process, contender: Contender) -> Measured:
        calls = contender.calls(process)

        seconds = self._seconds + 2 * WARM_UP_S
        with ThreadPoolExecutor(1) as pool:
            logins = pool.submit(
                put_load, process, calls["login"], connections=LOGINS, seconds=seconds
            )
            time.sleep(WARM_UP_S)
            measured = put_load(process, calls["read"], connections=64, seconds=self._seconds)
            logins.result()  # it must have been done, too
        return measured

    @contextmanager
    def _running(
        self, contender: Contender, durability: str = "FULL"
    ) -> Iterator[tuple[Process, Path]]:
        data = self._folder / "running" / contender.name
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self._folder / "seeded" / contender.name, data)
        process = contender.start(data, durability)
        try:
            yield process, data
        finally:
            process.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="length of one measurement")
    parser.add_argument("--repeat", type=int, default=3, help="measurements; the median counts")
    parser.add_argument(
        "--only",
        action="append",
        metavar="GLOB",
        help=f"works to measure, repeatable: {', '.join(w.name for w in WORKS)}, health",
    )
    parser.add_argument("--alone", action="store_true", help="leave PocketBase out")
    parser.add_argument(
        "--out", type=Path, help=f"folder for JSON and Markdown, e.g. {HERE.name}/results"
    )
    return parser.parse_args()


def _is_chosen(name: str, patterns: list[str] | None) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    main()
