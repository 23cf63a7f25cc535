"""A depot of which only the data can be written: it runs, and what cannot be changed is told."""

import signal
import subprocess
import time
from contextlib import contextmanager

import httpx
import pytest

from tests.confined import (
    POWERLESS,
    give_to_nobody,
    need_mounts,
    open_directory,
    read_only,
    read_only_but,
)
from tests.pier import Pier
from tests.serving import TRAIL, Server, free_port
from trailbase_server.config.proto.config_pb2 import GetConfigResponse, UpdateConfigRequest

PATIENCE_S = 30
DATA = ("data", "uploads", "backups")


@pytest.fixture
def pier():
    with open_directory() as directory:
        yield Pier(directory / "depot")


@pytest.fixture
def used(pier):
    """A depot that has run once, so that nothing is missing."""
    with Server(pier.root):
        pass
    return pier


def make_read_only(path):
    for one in (*path.rglob("*"), path):
        one.chmod(0o555 if one.is_dir() else 0o444)


@contextmanager
def by_mounts(pier):
    need_mounts()
    parts = [pier.root / name for name in ("config.textproto", "secrets", "migrations")]
    with Server(pier.root, prefix=read_only(*parts)) as server:
        yield server


@contextmanager
def by_a_mount_of_all(pier):
    need_mounts()
    with Server(pier.root, prefix=read_only_but(pier.root, *DATA)) as server:
        yield server


@contextmanager
def by_modes(pier):
    for name in ("config.textproto", "secrets", "migrations"):
        make_read_only(pier.root / name)
    with Server(pier.root, prefix=POWERLESS) as server:
        yield server


@contextmanager
def by_option(pier):
    with Server(pier.root, "--config-readonly") as server:
        yield server


def written_files(root):
    """Everything but the data, byte for byte."""
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in DATA
    }


def sign_in(web):
    given = {"email": "boss@pier.test", "password": "rope-and-anchor"}
    tokens = web.post("/api/auth/v1/login", json=given).json()
    web.headers["authorization"] = f"Bearer {tokens['auth_token']}"
    web.headers["csrf-token"] = tokens["csrf_token"]


def read_config(web):
    answer = web.get("/api/_admin/config")
    assert answer.status_code == 200
    return GetConfigResponse.FromString(answer.content)


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.case("T-94")
@pytest.mark.parametrize("confined", [by_mounts, by_a_mount_of_all, by_modes, by_option])
def test_it_serves_and_refuses_changes_as_a_whole(used, confined):
    before = written_files(used.root)
    with confined(used) as server, httpx.Client(base_url=server.url) as web:
        assert web.get("/api/readyz").json()["status"] == "ready"
        answer = web.post("/api/records/v1/boat", json={"name": "Ada"})
        assert answer.status_code == 200, answer.text
        sign_in(web)
        running = read_config(web)
        changed = UpdateConfigRequest(config=running.config, hash=running.hash)
        changed.config.server.application_name = "Quay"
        smtp = {"host": "localhost", "port": 25, "username": "pier", "password": "secret"}
        for name, value in smtp.items():
            setattr(changed.config.email, f"smtp_{name}", value)
        answer = web.post("/api/_admin/config", content=changed.SerializeToString())
        assert answer.status_code == 412, answer.text
        assert "precondition failed: " in answer.text
        assert read_config(web) == running
        assert written_files(used.root) == before

        # Whoever may write the file edits it, and has it read again.
        path = used.root / "config.textproto"
        path.write_text("# by hand\n" + path.read_text().replace('"Pier"', '"Jetty"'))
        before = written_files(used.root)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: read_config(web).config.server.application_name == "Jetty")
        assert written_files(used.root) == before
        assert web.get("/api/readyz").json()["status"] == "ready"
    assert written_files(used.root) == before
    assert "Traceback" not in server.log.read_text()


def start(pier, prefix):
    command = [*prefix, TRAIL, "--data-dir", pier.root, "run", "-a", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


def test_a_first_start_without_keys_needs_to_write_secrets(pier):
    need_mounts()
    (pier.root / "secrets" / "keys").mkdir(parents=True)
    status, message = start(pier, read_only(pier.root / "secrets"))
    assert status == 1
    assert "secrets/keys" in message.splitlines()[-1]
    assert "Read-only file system" in message.splitlines()[-1]
    assert list((pier.root / "secrets" / "keys").iterdir()) == []


@pytest.mark.parametrize("name", ["data", "uploads"])
def test_data_that_cannot_be_written_are_told_at_the_start(used, name):
    need_mounts()
    status, message = start(used, read_only(used.root / name))
    assert status == 1
    assert f"{used.root / name}" in message.splitlines()[-1]


def test_a_first_start_with_a_depot_of_another_owner_is_told(pier):
    give_to_nobody(pier.root)
    status, message = start(pier, POWERLESS)
    assert status == 1
    assert "Permission denied" in message.splitlines()[-1]
