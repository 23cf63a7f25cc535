"""The outcome of a run as JSON and as a Markdown table with ratios and goals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from load import Measured
from machine import Machine
from works import (
    BESIDE_LOGINS_GOAL,
    IDLE_GOAL_MIB,
    LOADED_GOAL_MIB,
    P99_GOAL_MS,
    START_GOAL_MS,
    WAL_GOAL_MIB,
    WORKS,
    Work,
)

CAVEATS = """\
What this table does not show: more than one core (server on one, load on its neighbour), data that
does not fit into memory, other schemas, a network. Differences within 15 % are noise on such
machines. Both programs log every request, as they do by default.
"""

HIGH_LOAD = 64  # connections at which the goal for the 99th percentile holds
MIB = 2**20


@dataclass(slots=True)
class Health:
    """Figures of one contender besides throughput; each list has one value per repetition."""

    start_ms: list[float] = field(default_factory=list)
    idle_mib: list[float] = field(default_factory=list)
    loaded_mib: list[float] = field(default_factory=list)
    wal_mib: list[float] = field(default_factory=list)
    beside_logins: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """
    All measurements of a run.

    Attributes:
        versions: By contender.
        loads: By work, then contender: one entry per repetition.
        health: By contender.
    """

    machine: Machine
    seconds: float
    versions: dict[str, str]
    loads: dict[str, dict[str, list[Measured]]] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)


def render_json(outcome: Outcome) -> str:
    """Render everything that was measured."""
    return json.dumps(asdict(outcome), indent=1) + "\n"


def render_markdown(outcome: Outcome, ours: str, rival: str) -> str:
    """
    Render the table; a work that was left out has no line.

    Args:
        outcome: The run.
        ours, rival: Names of the contenders that are compared; the rival may be missing.
    """
    machine = outcome.machine
    versions = ", ".join(f"{name} {version}" for name, version in outcome.versions.items())
    lines = [
        f"# Benchmark, {machine.date}",
        "",
        CAVEATS,
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_gib} GiB, Linux {machine.kernel}.",
        f"Commit {machine.commit}, Python {machine.python}, {versions}, {machine.wrk}.",
        f"Medians of the repetitions, {outcome.seconds:g} s each. CPU is the server's per request.",
        "",
        f"| work | {rival} | ours | ratio | goal | met | CPU µs | {rival} | p50/p99 ms | {rival} |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        _load_line(w, outcome.loads[w.name], ours, rival) for w in WORKS if w.name in outcome.loads
    ]
    if ours in outcome.health:
        lines += ["", f"| | {rival} | ours | goal | met |", "|---|---|---|---|---|"]
        lines += _health_lines(outcome.health, ours, rival)
    return "\n".join(lines) + "\n"


def middle(measured: Sequence[Measured]) -> Measured | None:
    """Return the repetition with the median throughput."""
    if not measured:
        return None
    return sorted(measured, key=lambda m: m.per_second)[len(measured) // 2]


def _load_line(work: Work, loads: Mapping[str, Sequence[Measured]], ours: str, rival: str) -> str:
    mine, theirs = middle(loads.get(ours, ())), middle(loads.get(rival, ()))
    ratio = mine.per_second / theirs.per_second if mine and theirs else None
    cells = [
        work.title,
        _rate(theirs),
        _rate(mine),
        "-" if ratio is None else f"{ratio:.1f}x",
        "-" if work.goal is None else f"≥ {work.goal:g}x",
        _verdict(ratio, work.goal),
        _cpu(mine),
        _cpu(theirs),
        _latencies(mine, work),
        _latencies(theirs, work),
    ]
    return f"| {' | '.join(cells)} |"


def _health_lines(health: Mapping[str, Health], ours: str, rival: str) -> list[str]:
    mine, theirs = health[ours], health.get(rival, Health())
    rows = [
        ("start to first healthy answer, ms", mine.start_ms, theirs.start_ms, START_GOAL_MS),
        ("memory when idle, MiB", mine.idle_mib, theirs.idle_mib, IDLE_GOAL_MIB),
        ("memory after load, MiB", mine.loaded_mib, theirs.loaded_mib, LOADED_GOAL_MIB),
        ("write-ahead log after inserts, MiB", mine.wal_mib, theirs.wal_mib, WAL_GOAL_MIB),
    ]
    lines = [
        f"| {title} | {_number(b)} | {_number(a)} | ≤ {goal} | {met} |"
        for title, a, b, goal in rows
        if a
        for met in ["yes" if median(a) <= goal else "no"]
    ]
    if mine.beside_logins:
        share = median(mine.beside_logins)
        met = "yes" if share >= BESIDE_LOGINS_GOAL else "no"
        lines.append(
            f"| reads that are left beside 4 log-ins | {_share(theirs.beside_logins)} "
            f"| {_share(mine.beside_logins)} | ≥ {BESIDE_LOGINS_GOAL:.0%} | {met} |"
        )
    return lines


def _rate(measured: Measured | None) -> str:
    if measured is None:
        return "-"
    rate = measured.per_second
    return f"{rate / 1000:.1f} k/s" if rate >= 1000 else f"{rate:.0f}/s"


def _cpu(measured: Measured | None) -> str:
    return "-" if measured is None else f"{measured.cpu_us:.0f}"


def _latencies(measured: Measured | None, work: Work) -> str:
    if measured is None:
        return "-"
    late = work.connections == HIGH_LOAD and measured.p99_us > P99_GOAL_MS * 1000
    return f"{measured.p50_us / 1000:.1f} / {measured.p99_us / 1000:.1f}{' (!)' if late else ''}"


def _verdict(ratio: float | None, goal: float | None) -> str:
    if ratio is None or goal is None:
        return "-"
    return "yes" if ratio >= goal else "no"


def _number(values: Sequence[float]) -> str:
    return f"{median(values):.0f}" if values else "-"


def _share(values: Sequence[float]) -> str:
    return f"{median(values):.0%}" if values else "-"
