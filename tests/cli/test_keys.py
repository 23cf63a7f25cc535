"""``trail keys …`` on a real depot."""

import json
import re

import pytest

from trailbase_server.cli.main import run_command


@pytest.fixture
def trail(tmp_path, monkeypatch, capsys):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        status = run_command(["--depot", str(tmp_path / "depot"), *words])
        return status, *capsys.readouterr()

    return run


def test_rotating_keeps_the_old_key_for_a_while(trail):
    trail("user", "add", "nora@cli.test", "tulip")
    [old] = trail("keys", "list")[1].split()
    status, out, err = trail("keys", "rotate")
    assert status == 0
    new = re.fullmatch(r"New key: (\S{43})\n", out)[1]
    assert re.fullmatch(r"The old key verifies until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", err)
    assert trail("keys", "list")[1].split() == [new, old]
    assert trail("user", "mint", "nora@cli.test")[0] == 0
    assert "done  keys.rotate" in trail("audit", "list")[1]


def test_after_a_leak_the_old_key_counts_no_more(trail):
    trail("user", "add", "nora@cli.test", "tulip")
    trail("keys", "rotate")
    status, out, err = trail("keys", "rotate", "--compromised")
    assert status == 0
    assert "restart the server" in err
    assert trail("keys", "list")[1].split() == [out.split()[-1]]


def test_without_a_depot_nothing_is_made(trail, tmp_path):
    status, _, err = trail("keys", "rotate")
    assert status == 1
    assert "there is no depot" in err
    assert not (tmp_path / "depot").exists()


def test_keys_as_json(trail):
    trail("user", "add", "nora@cli.test", "tulip")
    trail("keys", "rotate")
    new, old = trail("keys", "list")[1].split()
    assert json.loads(trail("keys", "list", "--json")[1]) == {
        "signing": new,
        "verifying": [new, old],
    }
