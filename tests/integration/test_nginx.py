"""The server behind a real nginx, with the configuration that we ship."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.authority import store
from tests.integration.proxied import AUTHORITY, TRUST, UnixServer, Visitor, until_open
from tests.serving import ROOT, Server, copy_depot, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIG = ROOT / "deploy" / "nginx" / "trail.conf"
HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is missing: scripts/parts installs it")


class Nginx:
    """A running nginx with our file, on other ports and with other certificates."""

    def __init__(self, folder, upstream):
        self.port, self.plain_port = free_port(), free_port()
        self.folder = folder
        text = CONFIG.read_text()
        cert, key = store(folder, *AUTHORITY.issue("localhost"))
        for pattern, value in {
            r"server 127\.0\.0\.1:4000": f"server {upstream}",
            r"listen \[::\][^\n]*\n": "",
            r"listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            r"listen 443 ": f"listen 127.0.0.1:{self.port} ",
            r"/etc/letsencrypt\S*fullchain.pem": str(cert),
            r"/etc/letsencrypt\S*privkey.pem": str(key),
            r"api\.example\.org": "localhost",
            r"/var/www/acme": str(folder),
        }.items():
            text, count = re.subn(pattern, value, text)
            assert count, pattern
        (folder / "trail.conf").write_text(text)
        folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in folders)
        # Its workers would be somebody who may not look into our folders.
        user = "user root;" if os.getuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"daemon off; {user} pid {folder}/pid; error_log {folder}/error.log info;\n"
            "events {}\n"
            f"http {{ access_log off; {paths} include {folder}/trail.conf; }}\n"
        )

    @contextlib.contextmanager
    def running(self):
        command = [NGINX, "-e", self.folder / "error.log", "-p", self.folder]
        command += ["-c", self.folder / "nginx.conf"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            until_open(process, self.port, self.folder / "error.log")
            yield self
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "nginx"
    folder.mkdir()
    return folder


@pytest.fixture
def depot(tmp_path):
    return copy_depot(HERE / "depot", tmp_path / "depot")


def test_everything_goes_through(depot, folder):
    with Server(depot) as server:
        nginx = Nginx(folder, f"127.0.0.1:{server.port}")
        with nginx.running():
            Visitor(server, nginx.port).do_everything()
        assert "Traceback" not in server.log.read_text()


def test_everything_goes_through_a_unix_socket(depot, folder):
    path = folder / "trail.sock"
    with UnixServer(depot, path) as server:
        nginx = Nginx(folder, f"unix:{path}")
        with nginx.running():
            Visitor(server, nginx.port).do_everything()


def test_plain_http_is_sent_to_https_and_certbot_is_answered(folder):
    nginx = Nginx(folder, "127.0.0.1:1")
    answers = folder / ".well-known" / "acme-challenge"
    answers.mkdir(parents=True)
    (answers / "abc").write_text("abc.thumb")
    with nginx.running():
        plain = f"http://127.0.0.1:{nginx.plain_port}"
        sent_on = httpx.post(f"{plain}/a%20b?c=1", headers={"host": "localhost"})
        assert sent_on.status_code == 308
        assert sent_on.headers["location"] == "https://localhost/a%20b?c=1"
        assert httpx.get(f"{plain}/.well-known/acme-challenge/abc").text == "abc.thumb"
        assert httpx.get(f"https://localhost:{nginx.port}/", verify=TRUST).status_code == 502
