"""``trail replicate …`` beside a server that replicates, and without one."""

import json
import tempfile
import time
from pathlib import Path

import pytest

from tests.pier import Pier
from tests.serving import Server
from trailbase_server.cli.main import run_command


@pytest.fixture
def pier(monkeypatch):
    """A depot whose path is short enough for a socket in it."""
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="pier-") as root:
        yield Pier(Path(root) / "depot")


@pytest.fixture
def trail(pier, capsys):
    def run(*words):
        status = run_command(["--depot", str(pier.root), "replicate", *words])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_the_configuration_of_a_sidecar(pier, trail, tmp_path):
    status, _, err = trail("config")
    assert (status, "replication.directory" in err) == (1, True)
    pier.edit("server {", f'replication {{ directory: "{tmp_path}/replica" }}\nserver {{')
    with Server(pier.root):
        pass
    status, out, _ = trail("config")
    assert status == 0
    assert f'  - path: "{pier.root}/data/main.db"\n' in out
    assert f'      path: "{tmp_path}/replica/own/jobs"\n' in out
    assert f'  path: "{pier.root}/data/own/litestream/control.sock"\n' in out
    status, out, _ = trail("config", "s3://pier/x?region=eu-1")
    assert (status, '      bucket: "pier"\n' in out) == (0, True)
    assert trail("config", "s3://k:s@pier/x")[0] == 1


@pytest.mark.timeout(90)
def test_the_state_of_the_replica(pier, trail, tmp_path):
    with Server(pier.root, "--replicate", f"file://{tmp_path}/replica") as server:
        end = time.monotonic() + 30
        while trail("status")[0] != 0 and time.monotonic() < end:
            time.sleep(0.1)
        status, out, _ = trail("status", "--json")
        found = json.loads(out)
        assert (status, found["late"]) == (0, False)
        assert set(found["lag_s"]) > {"main.db", "tide.db", "session.db", "own/audit.db"}
        status, out, _ = trail("status")
        assert out.splitlines()[0].startswith("main.db: ")
        server.stop()
    status, _, err = trail("status")
    assert (status, "is this depot replicated?" in err) == (1, True)
