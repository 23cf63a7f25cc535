"""``trail logs …``: the access log of a depot, chosen and followed."""

import json
import subprocess
import time

import apsw
import pytest

from tests.serving import TRAIL
from trailbase_server.cli.main import run_command

USER = bytes(range(16))


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "depot"


@pytest.fixture
def add(depot):
    def add(url, created=1_700_000_000.5, **values):
        row = {"created": created, "status": 200, "method": "GET", "url": url, **values}
        connection = apsw.Connection(str(depot / "data" / "logs.db"))
        connection.execute(
            f"INSERT INTO _logs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )
        connection.close()

    return add


@pytest.fixture
def trail(depot, capsys, add):
    """Run a command; returns its status, standard output and standard error."""

    def run(*words):
        status = run_command(["--depot", str(depot), *words])
        out, err = capsys.readouterr()
        return status, out, err

    assert run("logs", "list")[:2] == (0, "")
    add("/a", latency=0.42, client_ip="192.0.2.7")
    add("/b?x=1", status=404, method="POST", data='{"request_id":"abc"}')
    add("/c", status=500, created=1_800_000_000.0, user_id=USER)
    return run


def urls(trail, *words):
    status, out, _ = trail("logs", *words, "--json")
    assert status == 0
    return [json.loads(line)["url"] for line in out.splitlines()]


def test_the_newest_entry_is_first_in_a_list_and_last_in_a_tail(trail):
    assert urls(trail, "list") == ["/c", "/b?x=1", "/a"]
    assert urls(trail, "list", "-n", "1") == ["/c"]
    assert urls(trail, "tail", "-n", "2") == ["/b?x=1", "/c"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--status", "404"], ["/b?x=1"]),
        (["--status", "-400"], ["/c", "/b?x=1"]),
        (["--method", "post"], ["/b?x=1"]),
        (["--url", "/b%"], ["/b?x=1"]),
        (["--user", "00010203-0405-0607-0809-0a0b0c0d0e0f"], ["/c"]),
        (["--request-id", "abc"], ["/b?x=1"]),
        (["--request-id", "ab"], []),
        (["--since", "2026-01-01"], ["/c"]),
    ],
)
def test_entries_are_chosen(trail, words, expected):
    assert urls(trail, "list", *words) == expected


def test_a_line_is_for_reading(trail, add):
    add("/x\x1b[2J")
    status, out, _ = trail("logs", "tail")
    assert status == 0
    first, *_, last = out.splitlines()
    assert first.split() == [
        *("2023-11-14", "22:13:20.500", "200", "0.42", "ms", "192.0.2.7", "GET", "/a")
    ]
    assert "\x1b" not in last


def test_a_mistake_is_told(trail):
    status, _, err = trail("logs", "list", "--user", "nobody")
    assert status == 1
    assert "Invalid filter params" in err


def test_following_shows_what_comes(trail, add, depot):
    command = [TRAIL, "--depot", depot, "logs", "tail", "-f", "-n", "1", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["url"] == "/c"
        time.sleep(0.1)
        add("/new")
        assert json.loads(process.stdout.readline())["url"] == "/new"
        process.terminate()
