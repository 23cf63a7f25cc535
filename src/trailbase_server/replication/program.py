"""
The program ``litestream``: where it is, what it may know of us, and how it is started.

It gets the variables that it needs and no others: the server's environment may hold passwords. A
server that is killed takes its child along: the kernel tells it to end, it ships what is left, and
a lock that it inherits keeps the next server's child from starting before it has gone.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from trailbase_server.errors import OperatorError
from trailbase_server.replication.target import Bucket, Target

NAME = "litestream"
HINT = "litestream is not installed: pip install 'trailbase-server[litestream]'"
SHORTEST_SECRET = 8  # characters; what is shorter stands in every other word
_PASSED = ("PATH", "HOME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PASSED_BEGINNINGS = ("AWS_", "LITESTREAM_")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
# Runs before the program, in its process: tells the kernel to send SIGTERM when the server dies.
_LEASH = """
import os, signal, sys
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
except Exception:  # another system, or a sandbox: it runs without a leash
    pass
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def find_program(environ: Mapping[str, str] | None = None) -> Path:
    """
    Find the program: beside the interpreter, where ``pip`` puts it, or on the path.

    Raises:
        OperatorError: It is not installed.
    """
    beside = Path(sys.executable).parent / NAME
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which(NAME, path=(os.environ if environ is None else environ).get("PATH", ""))
    if found is None:
        raise OperatorError(HINT)
    return Path(found).absolute()


def leashed(program: Path, arguments: Sequence[str]) -> list[str]:
    """Command that runs the program for as long as this process lives."""
    return [sys.executable, "-I", "-c", _LEASH, str(os.getpid()), str(program), *arguments]


def build_environment(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """
    What the program finds in its environment.

    Args:
        target: Whose keys it needs.
        environ: Ours.
    """
    built = {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_BEGINNINGS) or name.lower() in _PROXIES
    }
    # It cannot read this variable, and fails; the other one means the same to it.
    authorities = built.pop("AWS_CA_BUNDLE", None)
    if authorities:
        built.setdefault("SSL_CERT_FILE", authorities)
    if isinstance(target, Bucket) and target.access_key and target.secret_access_key:
        # An own pair comes whole: nothing of another one may be mixed in.
        for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
            built.pop(name, None)
        for start in ("AWS", "LITESTREAM"):
            built[f"{start}_ACCESS_KEY_ID"] = target.access_key
            built[f"{start}_SECRET_ACCESS_KEY"] = target.secret_access_key
    return built


def find_secrets(environment: Mapping[str, str]) -> list[str]:
    """Values that must not get into a log."""
    words = ("SECRET", "ACCESS_KEY", "TOKEN", "PASSWORD")
    return [
        value
        for name, value in environment.items()
        if len(value) >= SHORTEST_SECRET
        and any(word in name for word in words)
        and not name.endswith("_FILE")
    ]
