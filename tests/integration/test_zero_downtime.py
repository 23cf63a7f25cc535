"""Under load, one server follows another and no request fails."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from tests.authority import Authority, store
from tests.encrypted import EncryptedServer
from tests.pier import Pier
from tests.serving import STOP_TIMEOUT_S, TRAIL, Server, free_port

HOT, COLD = "/api/records/v1/boat?limit=1", "/api/healthcheck"
CLIENTS = 4  # of each kind
PATIENCE_S = 30


@pytest.fixture
def pier(tmp_path):
    return Pier(tmp_path / "depot")


class Load:
    """Clients that never stop; those with a kept connection obey ``connection: close``."""

    def __init__(self, port, trust=None):
        self.port = port
        self.trust = trust
        self.counts = Counter()
        self.failures = []
        self.is_over = threading.Event()
        kinds = [(path, keeps) for path in (HOT, COLD) for keeps in (True, False)] * CLIENTS
        self.threads = [threading.Thread(target=self._ask, args=kind) for kind in kinds]

    def _ask(self, path, keeps):
        connection = None
        while not self.is_over.is_set():
            try:
                if connection is None:
                    connection = self._connect()
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(f"{path}: {answer.status}")
                self.counts[answer.status] += 1
                if not keeps or answer.will_close:
                    connection.close()
                    connection = None
            except OSError as exc:
                self.failures.append(f"{path} {'kept' if keeps else 'fresh'}: {exc!r}")
                connection.close()
                connection = None
            time.sleep(0.002)
        if connection is not None:
            connection.close()

    def _connect(self):
        place = {"host": "127.0.0.1", "port": self.port, "timeout": PATIENCE_S}
        if self.trust is None:
            return http.client.HTTPConnection(**place)
        return http.client.HTTPSConnection(**place, context=self.trust)

    def grow(self, count=100):
        """Wait until that many more requests were answered."""
        until = self.counts[200] + count
        end = time.monotonic() + PATIENCE_S
        while self.counts[200] < until and not self.failures:
            assert time.monotonic() < end
            time.sleep(0.02)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE_S)
        assert self.failures == []

    def __exit__(self, *_):
        self.stop()


def start(pier, *options, **given):
    """Start a server without waiting for it."""
    command = [TRAIL, "--data-dir", pier.root, "run", *options]
    with (pier.root.parent / "later.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **given)


def end(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(STOP_TIMEOUT_S)


def test_a_server_that_shares_its_port_hands_over(pier):
    with Server(pier.root, "--reuse-port") as first, Load(first.port) as load:
        hand_over(pier, first, load)


def test_a_server_with_tls_hands_over_handshakes_and_all(pier):
    authority = Authority()
    store(pier.root / "secrets" / "certs", *authority.issue())
    trust = authority.client_context()
    with (
        EncryptedServer(pier.root, trust, "--reuse-port") as first,
        Load(first.port, trust) as load,
    ):
        hand_over(pier, first, load, 1)


def hand_over(pier, first, load, times=2):
    """From the first server to a second, on to a third …, the last of which ends with the load."""
    load.grow()
    process = first.process
    for turn in range(1, times + 1):
        follower = start(
            pier, *("-a", f"127.0.0.1:{first.port}", "--reuse-port", "--wait-for-lock", "60")
        )
        wait_for_follower(pier, turn)
        load.grow()
        assert end(process) == 0
        load.grow()
        assert follower.poll() is None
        process = follower
    load.stop()
    assert end(process) == 0


def wait_for_follower(pier, count):
    """Wait until so many have said that they are waiting."""
    log = pier.root.parent / "later.log"
    deadline = time.monotonic() + PATIENCE_S
    while log.read_text().count("Waiting for the server") < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_follower_with_a_broken_configuration_disturbs_nobody(pier):
    with Server(pier.root, "--reuse-port") as first, Load(first.port) as load:
        load.grow()
        (pier.root / "config.textproto").write_text("nonsense")
        follower = start(
            pier, *("-a", f"127.0.0.1:{first.port}", "--reuse-port", "--wait-for-lock", "60")
        )
        assert follower.wait(PATIENCE_S) == 1
        load.grow()
    assert "nonsense" in (pier.root.parent / "later.log").read_text()


# What a service manager does: it keeps the socket, and starts servers with it.
MANAGER = """
import os, signal, socket, subprocess, sys
port, trail, depot = int(sys.argv[1]), sys.argv[2], sys.argv[3]
listener = socket.create_server(("127.0.0.1", port), backlog=1024)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
def run():
    script = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=main; exec "$@"'
    command = ["sh", "-c", script, "sh", trail, "--data-dir", depot, "run"]
    return subprocess.Popen(command, pass_fds=[3])
server = run()
for line in sys.stdin:
    server.send_signal(signal.SIGTERM)
    print("stopped", server.wait(), flush=True)
    if line.strip() == "end":
        break
    server = run()
"""


def test_a_server_with_a_socket_of_its_manager_can_be_restarted(pier):
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", MANAGER, str(port), str(TRAIL), str(pier.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as manager:
        try:
            wait_until_listening(port)
            with Load(port) as load:
                load.grow()
                for _ in range(2):
                    manager.stdin.write("restart\n")
                    assert read_stop(manager) == "stopped 0"
                    load.grow()
            manager.stdin.write("end\n")
            assert read_stop(manager) == "stopped 0"
        finally:
            with contextlib.suppress(OSError):
                manager.stdin.close()


def read_stop(manager):
    for line in manager.stdout:
        if line.startswith("stopped"):
            return line.strip()
    raise AssertionError("the manager has gone")


def wait_until_listening(port):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="there is no systemd-socket-activate"
)
def test_systemd_starts_it_with_the_first_connection(pier, tmp_path):
    port, admin_port = free_port(), free_port()
    command = [
        "systemd-socket-activate",
        "-l",
        f"127.0.0.1:{port}",
        "-l",
        f"127.0.0.1:{admin_port}",
    ]
    command += ["--fdname=main:admin", TRAIL, "--data-dir", pier.root, "run"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_listening(port)
        assert get(port, "/api/healthcheck") == 200
        assert get(port, "/api/_admin/info") == 404
        assert get(admin_port, "/api/_admin/info") == 401
    finally:
        assert end(process) == 0
    log = (tmp_path / "log").read_text()
    assert f"Listening on http://127.0.0.1:{admin_port} (admin)" in log


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_the_manager_hears_of_start_reload_and_stop(pier, tmp_path):
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(place))
        channel.settimeout(PATIENCE_S)
        environment = {**os.environ, "NOTIFY_SOCKET": str(place), "WATCHDOG_USEC": "300000"}
        process = start(pier, "-a", f"127.0.0.1:{free_port()}", env=environment)
        heard = listen(channel, "READY=1")
        process.send_signal(signal.SIGHUP)
        heard += listen(channel, "RELOADING=1") + listen(channel, "READY=1")
        heard += listen(channel, "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        heard += listen(channel, "STOPPING=1")
        assert process.wait(STOP_TIMEOUT_S) == 0
    assert [one for one in heard if one != "WATCHDOG=1"] == [
        *("READY=1", "RELOADING=1", "READY=1", "STOPPING=1")
    ]


def listen(channel, state):
    """All first lines up to one."""
    heard = []
    while not heard or heard[-1] != state:
        heard.append(channel.recv(1000).decode().split("\n")[0])
    return heard
