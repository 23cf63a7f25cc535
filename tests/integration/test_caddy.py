"""The server behind a real Caddy, with the configuration that we ship."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.authority import store
from tests.integration.proxied import AUTHORITY, UnixServer, Visitor, until_open
from tests.serving import ROOT, Server, copy_depot, free_port

CADDY = shutil.which("caddy")
CONFIG = ROOT / "deploy" / "caddy" / "Caddyfile"
HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(CADDY is None, reason="caddy is missing: scripts/parts installs it")


class Caddy:
    """A running Caddy with our file, on another port and with a certificate of ours."""

    def __init__(self, folder, upstream):
        self.port = free_port()
        self.folder = folder
        folder.mkdir()
        cert, key = store(folder, *AUTHORITY.issue("localhost"))
        text = CONFIG.read_text()
        for pattern, value in {
            r"api\.example\.org \{": f"https://localhost:{self.port} {{\n\ttls {cert} {key}",
            r"127\.0\.0\.1:4000": upstream,
        }.items():
            text, count = re.subn(pattern, value, text)
            assert count == 1, pattern
        head = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        (folder / "Caddyfile").write_text(head + text)

    @contextlib.contextmanager
    def running(self):
        log = self.folder / "caddy.log"
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        command = [CADDY, "run", "--config", self.folder / "Caddyfile", "--adapter", "caddyfile"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            until_open(process, self.port, log)
            yield self
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def depot(tmp_path):
    return copy_depot(HERE / "depot", tmp_path / "depot")


def test_everything_goes_through(depot, tmp_path):
    with Server(depot) as server:
        caddy = Caddy(tmp_path / "caddy", f"127.0.0.1:{server.port}")
        with caddy.running():
            Visitor(server, caddy.port).do_everything()
        assert "Traceback" not in server.log.read_text()


def test_everything_goes_through_a_unix_socket(depot, tmp_path):
    path = tmp_path / "trail.sock"
    with UnixServer(depot, path) as server:
        caddy = Caddy(tmp_path / "caddy", f"unix/{path}")
        with caddy.running():
            Visitor(server, caddy.port).do_everything()


def test_the_file_is_formatted_as_caddy_likes_it():
    done = subprocess.run([CADDY, "fmt", CONFIG], capture_output=True, text=True, check=False)
    assert done.stdout == CONFIG.read_text()
