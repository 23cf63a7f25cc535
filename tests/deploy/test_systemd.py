"""The units of deploy/systemd, judged by systemd's own tools and run by it in a container."""

import os
import re
import shutil
import subprocess
import threading
import time

import httpx
import pytest

from tests.deploy.containers import build_image, podman, why_not
from tests.serving import ROOT, TRAIL, copy_depot, free_port

UNITS = ROOT / "deploy" / "systemd"
DEPOT = ROOT / "tests" / "integration" / "depot"
BOOTING = "localhost/debian-systemd:test"
MOST_EXPOSED = 2.5  # of 10, which is a service without any restriction
TABLE = "/api/records/v1/simple_strict_table"
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="systemd-analyze is missing: scripts/container-parts installs it"
)
EVERYWHERE = "[Socket]\nListenStream=\nListenStream=4000\n"
PREPARE = f"""
set -e
mkdir -p /etc/sysusers.d /etc/trailbase
echo REPLICATE=file:///var/lib/trailbase/replica > /etc/trailbase/environment
ln -s /image/opt/trail /opt/trail
cp /units/trailbase.service /units/trailbase.socket /etc/systemd/system
cp /units/trailbase.sysusers /etc/sysusers.d/trailbase.conf
systemd-sysusers
mkdir /etc/systemd/system/trailbase.socket.d
printf '%s' '{EVERYWHERE}' > /etc/systemd/system/trailbase.socket.d/everywhere.conf
cp -r /depot /var/lib/trailbase
chown -R trailbase:trailbase /var/lib/trailbase
systemctl daemon-reload
systemctl start trailbase.socket
"""


@needs_systemd
def test_the_units_are_understood(tmp_path):
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/trail/bin/trail", str(TRAIL))
        (tmp_path / unit.name).write_text(text)
    units = [tmp_path / "trailbase.socket", tmp_path / "trailbase.service"]
    done = subprocess.run([ANALYZE, "verify", *units], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "trailbase" in line]
    assert (done.returncode, about_ours) == (0, [])


@needs_systemd
def test_the_service_is_exposed_to_little():
    command = [ANALYZE, "security", "--offline=true", "--no-pager", UNITS / "trailbase.service"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for trailbase.service: ([\d.]+)", said)
    assert float(found[1]) <= MOST_EXPOSED


class Machine:
    """A small Debian that systemd has booted, with our units and a depot."""

    def __init__(self, depot):
        self.name = f"trail-test-systemd-{os.getpid()}"
        self.port = free_port()
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        options = ("--detach", "--name", self.name, "--systemd", "always", "--privileged")
        mounts = ("--mount", f"type=image,source={build_image()},destination=/image")
        mounts += ("--volume", f"{UNITS}:/units:ro", "--volume", f"{depot}:/depot:ro")
        publish = ("--publish", f"127.0.0.1:{self.port}:4000")
        init = (BOOTING, "/lib/systemd/systemd")
        podman("run", *options, *mounts, *publish, *init)
        try:
            self._until_booted()
            self.run(PREPARE)
        except BaseException:
            self.stop()
            raise

    def _until_booted(self):
        end = time.monotonic() + 30
        while self.run("systemctl is-system-running", check=False) not in ("running", "degraded"):
            assert time.monotonic() < end, podman("logs", self.name).stdout
            time.sleep(0.2)

    def run(self, script, check=True):
        done = podman("exec", self.name, "sh", "-c", script, check=check)
        return done.stdout.strip()

    def journal(self):
        return self.run("journalctl --unit trailbase --no-pager --output cat")

    def show(self, name):
        return self.run(f"systemctl show --value --property {name} trailbase.service")

    def main_pid(self):
        return int(self.show("MainPID"))

    def stop(self):
        self.web.close()
        podman("rm", "--force", "--time", "0", self.name, check=False)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    reason = why_not()
    if reason is None and podman("image", "exists", BOOTING, check=False).returncode:
        reason = f"{BOOTING} is missing: scripts/container-parts makes it"
    if reason:
        pytest.skip(reason)
    depot = copy_depot(DEPOT, tmp_path_factory.mktemp("systemd") / "depot")
    machine = Machine(depot)
    yield machine
    machine.stop()


@pytest.fixture
def running(machine):
    """It answers, also where this is the first test of its machine."""
    # By a connection of its own: an open one may have died with the last test.
    assert httpx.get(f"{machine.web.base_url}/api/healthcheck", timeout=20).text == "Ok"
    return machine


@pytest.mark.xdist_group("containers")
@pytest.mark.timeout(420)
class TestBooted:
    def test_the_first_request_starts_the_service(self, machine):
        assert machine.show("ActiveState") == "inactive"
        assert machine.web.get("/api/healthcheck").text == "Ok"
        assert machine.show("ActiveState") == "active"
        assert machine.show("StatusText").startswith("Listening on http://")

    def test_everything_that_needs_much_works_in_the_sandbox(self, running):
        login = {"email": "admin@localhost", "password": "secret"}
        token = running.web.post("/api/auth/v1/login", json=login).json()["auth_token"]
        running.web.headers["authorization"] = f"Bearer {token}"
        running.web.cookies.clear()
        assert running.web.post(TABLE, json={"text_not_null": "a b&c"}).status_code == 200
        found = running.web.get(f"{TABLE}?filter[text_not_null][$re]=a.*c").json()["records"]
        assert len(found) == 1
        checks = running.web.get("/api/readyz").json()["details"]
        assert {name: c for name, c in checks.items() if c["state"] == "failed"} == {}
        assert running.run("/opt/trail/bin/trail health --ready")

    def test_the_sandbox_lets_litestream_replicate(self, running):
        end = time.monotonic() + 20
        while not running.run("find /var/lib/trailbase/replica -type f", check=False):
            assert time.monotonic() < end, running.journal()
            time.sleep(0.5)
        assert running.run("ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c litestream") == "1"

    def test_the_process_has_no_right_and_sees_no_more_than_its_depot(self, running):
        pid = running.main_pid()
        status = dict(
            line.split(":", 1) for line in running.run(f"cat /proc/{pid}/status").splitlines()
        )
        assert int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"].strip() == "1"
        assert status["Seccomp"].strip() == "2"
        assert status["Uid"].split()[0] == running.run("id -u trailbase")
        inside = f"nsenter --target {pid} --mount"
        refused = running.run(f"{inside} touch /etc/passwd /usr/x 2>&1 || true")
        assert refused.count("Read-only file system") == 2
        assert running.run(f"{inside} ls /root /home 2>&1 | grep -v :") == ""
        modes = running.run("cd /var/lib/trailbase && stat -c %a . data/main.db secrets")
        assert modes.split()[0] == "700"
        assert modes.split()[2] == "700"

    def test_a_reload_reads_the_configuration_again(self, running):
        pid = running.main_pid()
        running.run("systemctl reload trailbase.service")
        end = time.monotonic() + 10
        while "Reloaded the configuration" not in running.journal():
            assert time.monotonic() < end
            time.sleep(0.1)
        assert running.main_pid() == pid

    def test_a_restart_refuses_nobody(self, running):
        pid, answers, is_over = running.main_pid(), [], threading.Event()

        def visit():
            while not is_over.is_set():
                with httpx.Client(base_url=running.web.base_url, timeout=20) as web:
                    answers.append(web.get("/api/healthcheck").status_code)

        visitor = threading.Thread(target=visit)
        visitor.start()
        running.run("systemctl restart trailbase.service")
        is_over.set()
        visitor.join(20)
        assert running.main_pid() != pid
        assert set(answers) == {200}

    def test_one_that_dies_is_started_again(self, running):
        pid = running.main_pid()
        running.run(f"kill -KILL {pid}")
        assert httpx.get(f"{running.web.base_url}/api/healthcheck", timeout=20).text == "Ok"
        end = time.monotonic() + 10
        while running.main_pid() in (0, pid):
            assert time.monotonic() < end
            time.sleep(0.1)

    def test_a_stop_is_clean(self, running):
        # It must be running, also where this is the first test of its running.
        assert running.web.get("/api/healthcheck").text == "Ok"
        running.run("systemctl stop trailbase.socket trailbase.service")
        assert running.show("Result") == "success"
        assert running.show("ExecMainStatus") == "0"
        end = time.monotonic() + 10
        while "Shut down gracefully" not in running.journal():
            assert time.monotonic() < end
            time.sleep(0.1)
