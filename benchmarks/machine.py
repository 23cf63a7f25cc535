"""What the figures were taken on."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts for the head of a report."""

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    wrk: str
    commit: str
    date: str


def look_around() -> Machine:
    """Collect the facts."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":", 1)[1].strip() for line in info if "model name" in line), "unknown")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    here = Path(__file__).resolve().parent
    return Machine(
        cpu=cpu,
        cores=os.cpu_count() or 1,
        memory_gib=round(memory, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        wrk=_first_line(["wrk", "--version"]).split(" [")[0],
        commit=_first_line(["git", "-C", str(here), "describe", "--always", "--dirty"]),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),  # has a zone
    )


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or "unknown").splitlines()[0]
