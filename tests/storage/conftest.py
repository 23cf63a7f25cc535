"""Both stores: a directory, and a bucket of an S3 server in a process of its own."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tests.serving import free_port
from trailbase_server.storage.local import LocalStorage
from trailbase_server.storage.s3 import S3Options, S3Storage

START_TIMEOUT_S = 30


class S3Server:
    """An S3 server in a process of its own."""

    def __init__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1"]
        # It has its own ideas about which warnings matter.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
        self.process = subprocess.Popen(
            [*command, "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def wait(self):
        end = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            assert self.process.poll() is None
            assert time.monotonic() < end, "the S3 server did not start"
            time.sleep(0.1)

    def _answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=2).close()
        except (OSError, urllib.error.URLError):
            return False
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait()


@contextmanager
def serve_s3():
    server = S3Server()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_server():
    """URL of a running S3 server."""
    with serve_s3() as server:
        yield server.url


def make_bucket(url, name):
    request = urllib.request.Request(f"{url}/{name}", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()


def bucket(url, name, directory):
    options = S3Options(name, url, "us-east-1", "key", "secret")
    return S3Storage(options, directory / ".incoming")


@pytest.fixture(params=["local", "s3"])
async def storage(request, tmp_path):
    if request.param == "local":
        store = LocalStorage(tmp_path)
    else:
        url = request.getfixturevalue("s3_server")
        name = "b" + str(time.monotonic_ns())
        make_bucket(url, name)
        store = bucket(url, name, tmp_path)
    yield store
    await store.close()
