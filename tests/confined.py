"""Ways to run a server with less than it usually has: read-only mounts, a small disk, no powers."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
# A namespace of its own: what is mounted there goes with the process.
UNSHARE = ("unshare", "-m") if IS_ROOT else ("unshare", "-Urm")


def _refusal():
    if shutil.which("unshare") is None:
        return "there is no unshare"
    script = "mount -t tmpfs none /mnt"
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", script], capture_output=True, text=True, check=False, timeout=20
    )
    return done.stderr.strip()


def need_mounts():
    """Skip where a process cannot mount anything for itself."""
    if reason := _refusal():
        pytest.skip(f"nothing can be mounted here: {reason}")


def read_only(*paths):
    """A prefix with which these paths are mounted read-only."""
    script = "".join(
        f'mount --bind "{path}" "{path}" && mount -o remount,bind,ro "{path}" && ' for path in paths
    )
    return [*UNSHARE, "sh", "-c", script + 'exec "$@"', "sh"]


def read_only_but(root, *writable):
    """A prefix with which a directory is mounted read-only, except for some in it."""
    script = f'mount --bind "{root}" "{root}" && '
    script += "".join(f'mount --bind "{root}/{name}" "{root}/{name}" && ' for name in writable)
    script += f'mount -o remount,bind,ro "{root}" && exec "$@"'
    return [*UNSHARE, "sh", "-c", script, "sh"]


def small_disk(path, size, *, is_full=False):
    """A prefix with which a directory is a disk of that size."""
    fill = f'cat /dev/zero > "{path}/filler" 2> /dev/null;' if is_full else ""
    script = f'mount -t tmpfs -o size={size} none "{path}" && {{ {fill} exec "$@"; }}'
    return [*UNSHARE, "sh", "-c", script, "sh"]


def seen_by(process, path):
    """A path as a process sees it."""
    return Path(f"/proc/{process.pid}/root{path}")


# Modes of files count for root, too, if it has none of its powers.
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if IS_ROOT else ()


@contextmanager
def open_directory():
    """A directory that everybody can reach; those of the tests are for their owner."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def give_to_nobody(root):
    """Make nobody the owner of a tree; skip where we may not."""
    if not IS_ROOT:
        pytest.skip("only root can give files away")
    for path in (root, *root.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
