"""Containers as an operator runs them: with podman, strictly, their ports asked from outside."""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request

from tests.serving import ROOT, free_port

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IMAGE = "localhost/trailbase-server:test"
WHEELS = ROOT / ".cache" / "wheels"
LIMIT = 4096  # of files and processes: plenty for one server
RUNC = shutil.which("runc") or shutil.which("runc", path="/usr/sbin")
CONFIG = ROOT / ".cache" / "containers.conf"


def default_of(argument):
    """What the Dockerfile says where nothing else is said."""
    lines = DOCKERFILE.read_text().splitlines()
    return next(x for x in lines if x.startswith(f"ARG {argument}=")).partition("=")[2]


def base_image():
    """The name that the Dockerfile builds upon."""
    return default_of("BASE")


def why_not():
    """The reason why containers cannot be built and run here; None if they can."""
    for program in ("podman", "buildah"):
        if shutil.which(program) is None:
            return f"{program} is missing: scripts/container-parts installs it"
    if podman("image", "exists", base_image(), check=False).returncode:
        return f"{base_image()} is missing: scripts/container-parts makes it, as root on Debian"
    tried = podman("run", "--rm", base_image(), "python3", "--version", check=False)
    if tried.returncode:
        return f"containers do not run here: {tried.stderr.strip().splitlines()[-1]}"
    ours = ".".join(map(str, sys.version_info[:2]))
    if not tried.stdout.startswith(f"Python {ours}."):
        return f"the base image has {tried.stdout.strip()}, and wheels of Python {ours} are at hand"
    return None


@functools.cache
def environment():
    """What podman needs to know about a machine of which we are not quite the master."""
    # Nobody can give containers more than the own limits, which are less than podman's.
    limits = [f"nofile={LIMIT}:{LIMIT}", f"nproc={LIMIT}:{LIMIT}"]
    # Not the default, which cannot do with control groups of both versions.
    runtime = '[engine]\nruntime = "runc"\n' if RUNC else ""
    CONFIG.parent.mkdir(exist_ok=True)
    # In one step: another podman may be reading it, and would take half of it for the whole.
    made = CONFIG.with_suffix(f".{os.getpid()}")
    made.write_text(f"[containers]\ndefault_ulimits = {limits}\n{runtime}")
    made.replace(CONFIG)
    return {**os.environ, "CONTAINERS_CONF": str(CONFIG)}


def podman(*words, check=True, timeout=60):
    """Run podman; its complaints about the missing systemd do not matter."""
    done = subprocess.run(
        ["podman", *map(str, words)],
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


def collect_wheels():
    """Have the pinned libraries at hand, so that the build needs no network."""
    pins = (ROOT / "constraints.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    extras = default_of("EXTRAS")
    pins += extras.encode()
    folder = WHEELS / hashlib.sha256(pins).hexdigest()[:16]
    if not folder.exists():
        shutil.rmtree(WHEELS, ignore_errors=True)
        making = folder.with_suffix(".part")
        making.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", making]
        command += ["--constraint", ROOT / "constraints.txt", f"{ROOT}[{extras}]", "hatchling"]
        subprocess.run(command, check=True, timeout=240)
        making.rename(folder)
    return folder


@functools.cache
def build_image():
    """Build deploy/Dockerfile as it is; who wants it meanwhile waits and finds it built."""
    CONFIG.parent.mkdir(exist_ok=True)
    with (CONFIG.parent / "containers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build_image()


def _build_image():
    command = ["buildah", "bud", "--format", "docker", "--isolation", "chroot", "--layers"]
    command += ["--pull-never", "--file", DOCKERFILE, "--tag", IMAGE]
    command += ["--build-arg", "PIP_NO_INDEX=1", "--build-arg", "PIP_FIND_LINKS=/wheels"]
    # The default, said once more: a change of it alone would not build anew what is there already.
    command += ["--build-arg", f"EXTRAS={default_of('EXTRAS')}"]
    command += ["--volume", f"{collect_wheels()}:/wheels:ro", ROOT]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return IMAGE


class Container:
    """
    A running server in a container that may do next to nothing.

    Args:
        name: Of the container.
        options: For ``podman run``.
        command: Instead of the image's own.
        depot_of: The container whose depot it serves; None: it has its own.
    """

    STRICT = (
        *("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
        # There is no systemd here that could run the checks; we ask for them one by one.
        *("--health-interval", "disable"),
    )

    def __init__(self, name, *options, command=(), depot_of=None):
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        publish = ("--publish", f"127.0.0.1:{self.port}:4000")
        volume = ("--volume", f"{depot_of or name}-depot:/app/traildepot")
        words = ("--detach", "--name", name, *self.STRICT, *publish, *volume, *options)
        podman("run", *words, IMAGE, *command)

    def until_healthy(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                return self.get("/api/healthcheck")
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the container did not start:\n{self.log()}")

    def until(self, words):
        end = time.monotonic() + 20
        while words not in self.log():
            assert time.monotonic() < end, self.log()
            time.sleep(0.1)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read()

    def log(self):
        done = podman("logs", self.name, check=False)
        return done.stdout + done.stderr

    def run(self, *command):
        """Run a command inside."""
        return podman("exec", self.name, *command).stdout

    def stop(self, grace_s=20):
        """Stop it, and tell its exit status and how long that took."""
        begun = time.monotonic()
        podman("stop", "--time", grace_s, self.name)
        took_s = time.monotonic() - begun
        status = podman("inspect", "--format", "{{.State.ExitCode}}", self.name).stdout
        return int(status), took_s

    def remove(self):
        podman("rm", "--force", "--time", "0", self.name, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()
