"""The server in a process of its own, as users run it."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRAIL = ROOT / ".venv" / "bin" / "trail"
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 15


def copy_depot(source, target):
    """Copy what a depot is written as, without what earlier starts have left in it."""
    ignored = shutil.ignore_patterns("data", "secrets", "uploads", "backups", "metadata.textproto")
    shutil.copytree(source, target, ignore=ignored)
    return target


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server; a context manager that stops it. ``prefix`` is a command that runs it."""

    def __init__(self, depot, *options, port=None, prefix=()):
        self.depot = Path(depot)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.depot.with_name(self.depot.name + ".log")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRAIL_")}
        command = [*prefix, TRAIL, "--data-dir", self.depot, "run", "-a", f"127.0.0.1:{self.port}"]
        command += options
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _wait_until_healthy(self):
        end = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.url}/api/healthcheck", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()[-4000:]}")

    def kill(self):
        """Take the power away."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not stop when it was told to") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
