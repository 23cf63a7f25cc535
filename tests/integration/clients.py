"""
The published clients, each in a place of its own, installed once.

Versions are pinned here and in ``js/package.json``. A lock keeps parallel test processes apart.
"""

import fcntl
import glob
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "clients"
PYTHON_CLIENT = "trailbase==0.7.4"  # asks for Python 3.13
NEWEST_FIRST = ("3.14", "3.13")


def find_python():
    """An interpreter that is new enough for the Python client, or None."""
    versions = os.path.expanduser("~/.pyenv/versions")
    names = [f"python{v}" for v in NEWEST_FIRST]
    found = [path for name in names if (path := shutil.which(name))]
    for version in NEWEST_FIRST:
        found += sorted(glob.glob(f"{versions}/{version}*/bin/python3"), reverse=True)
    # A shim may stand for an interpreter that is not there: ask it.
    return next((path for path in found if _runs([path, "-c", "import venv, ensurepip"])), None)


def install_python_client(python):
    """Make an environment with the client; returns its interpreter."""
    place = CACHE / PYTHON_CLIENT
    done = place / "bin" / "python"
    with _alone(place):
        if not (place / "installed").exists():
            _run([python, "-m", "venv", "--clear", place])
            pip = [done, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            _run([*pip, PYTHON_CLIENT])
            (place / "installed").touch()
    return done


def install_js_client():
    """Run npm in a copy of ``js/``; returns the folder."""
    place = CACHE / "js"
    package = (HERE / "js" / "package.json").read_text()
    with _alone(place):
        installed = place / "package.json"
        if not (place / "node_modules").exists() or installed.read_text() != package:
            place.mkdir(exist_ok=True)
            installed.write_text(package)
            _run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"], cwd=place)
        for script in (HERE / "js").glob("*.mjs"):
            shutil.copy(script, place)
    return place


def node():
    """The command of Node.js, which keeps its WebSocket behind a switch before version 22."""
    switched = ["node", "--experimental-websocket"]
    return switched if _runs([*switched, "-e", ""]) else ["node"]


def run_scenarios(command):
    """Run a client's scenarios: name -> error, empty if it went well."""
    return json.loads(_run(command).splitlines()[-1])


def _run(command, **options):
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=300, check=False, **options
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _runs(command):
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def _alone(place):
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
