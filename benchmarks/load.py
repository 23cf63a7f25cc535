"""Put load on a server with wrk, which shares no core with it."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from process import Process

HERE = Path(__file__).resolve().parent
PATIENCE_S = 20  # a password check may wait for many others


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``authorization`` and ``body`` (JSON) may be empty."""

    method: str
    path: str
    authorization: str = ""
    body: str = ""

    def line(self) -> str:
        """Render the request as a line of ``replay.lua``'s file."""
        return f"{self.method}\t{self.path}\t{self.authorization}\t{self.body}"


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What wrk saw: requests per second and latencies in microseconds.

    Attributes:
        refused: Answers with a status of 400 or more.
        broken: Connections that failed, and answers that did not come in ``PATIENCE_S``.
        cpu_us: Processor time of the server per request: other work on the machine spoils it less
            than the throughput.
    """

    per_second: float
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int
    refused: int
    broken: int
    cpu_us: float


class LoadError(Exception):
    """The server did not do the work: a figure would mean nothing."""


def put_load(
    process: Process, calls: Sequence[Call], *, connections: int, seconds: float
) -> Measured:
    """
    Repeat the calls on keep-alive connections.

    Raises:
        LoadError: wrk failed, or an answer was an error.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        file.write("".join(call.line() + "\n" for call in calls))
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += ["--timeout", f"{PATIENCE_S}s"]
        command += ["-s", str(HERE / "replay.lua"), process.url, "--", file.name]
        before = process.cpu_seconds()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        cpu_seconds = process.cpu_seconds() - before
    found = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not found:
        raise LoadError(f"wrk failed: {done.stdout}{done.stderr}")
    seen = json.loads(found[-1])
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        raise LoadError(f"not all requests were answered as they should: {seen}")
    return Measured(
        per_second=seen["requests"] / seen["seconds"],
        p50_us=seen["p50_us"],
        p95_us=seen["p95_us"],
        p99_us=seen["p99_us"],
        max_us=seen["max_us"],
        refused=seen["refused"],
        broken=seen["broken"],
        cpu_us=cpu_seconds / seen["requests"] * 1e6,
    )
