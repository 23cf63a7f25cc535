"""Start a server on its own core, wait until it is healthy, look at its memory, stop it."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SERVER_CORE = 0
LOAD_CORE = 1  # wrk and this program
POLL_S = 0.002
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0


class Process:
    """
    A running server.

    Attributes:
        started_in_s: From the start of the process to the first healthy answer.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        health_path: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """
        Start it and wait.

        Raises:
            RuntimeError: It ended or was not healthy in time; carries the end of its log.
        """
        self.port = port
        self._log = log
        with log.open("wb") as output:
            start = time.perf_counter()
            self._process = subprocess.Popen(
                ["taskset", "-c", str(SERVER_CORE), *command],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )
        while not is_healthy(port, health_path):
            if self._process.poll() is not None or time.perf_counter() - start > START_TIMEOUT_S:
                self.stop()
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(POLL_S)
        self.started_in_s = time.perf_counter() - start

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def memory_bytes(self) -> int:
        """Resident memory of the process and its children."""
        return sum(_resident_bytes(pid) for pid in _family(self._process.pid))

    def own_memory_bytes(self) -> int:
        """The same without pages of files, such as the mapped database."""
        return sum(_resident_bytes(pid, "RssAnon:") for pid in _family(self._process.pid))

    def cpu_seconds(self) -> float:
        """Processor time of the process so far, all threads."""
        times = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")  # user, system

    def stop(self) -> None:
        """End it, kindly at first."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_healthy(port: int, path: str) -> bool:
    """Ask once."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return peer.recv(64).startswith(b"HTTP/1.1 200")
    return False


def use_cores() -> None:
    """
    Keep this program and the load generator off the server's core.

    Raises:
        SystemExit: There is only one core.
    """
    if len(os.sched_getaffinity(0)) < 2:  # a core for each side
        raise SystemExit("The benchmark needs two cores: one for the server, one for the load.")
    os.sched_setaffinity(0, {LOAD_CORE})


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def _resident_bytes(pid: int, kind: str = "VmRSS:") -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) * 1024
    return 0
