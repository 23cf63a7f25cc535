"""Put load on a server with wrk, which shares no core with it."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent


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
        broken: Connections that failed, and answers that did not come in two seconds.
    """

    per_second: float
    p50_us: int
    p95_us: int
    p99_us: int
    max_us: int
    refused: int
    broken: int


class LoadError(Exception):
    """The server did not do the work: a figure would mean nothing."""


def put_load(url: str, calls: Sequence[Call], *, connections: int, seconds: float) -> Measured:
    """
    Repeat the calls on keep-alive connections.

    Raises:
        LoadError: wrk failed, or an answer was an error.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        file.write("".join(call.line() + "\n" for call in calls))
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += ["-s", str(HERE / "replay.lua"), url, "--", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not found:
        raise LoadError(f"wrk failed on {urlsplit(url).netloc}: {done.stdout}{done.stderr}")
    seen = json.loads(found[-1])
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        raise LoadError(f"not all requests were answered as they should: {seen}")
    return Measured(
        seen["requests"] / seen["seconds"],
        *(seen[key] for key in ("p50_us", "p95_us", "p99_us", "max_us", "refused", "broken")),
    )
