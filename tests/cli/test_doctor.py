import json

import pytest

from trailbase_server.cli.main import run_command


@pytest.fixture
def trail(tmp_path, monkeypatch, capsys):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG", "ADDRESS", "TLS_CERT", "TLS_KEY"):
        monkeypatch.delenv(name, raising=False)
    depot = tmp_path / "depot"
    depot.mkdir()
    (depot / "config.textproto").write_text('server { application_name: "Pond" }')

    def run(*words):
        words = ("doctor", "--offline", "--address", "127.0.0.1:0", *words)
        status = run_command(["--depot", str(depot), *words])
        assert [path.name for path in depot.iterdir()] == ["config.textproto"]
        return status, capsys.readouterr().out

    return run


def test_a_line_for_each_part(trail):
    status, out = trail()
    assert status == 0
    assert out.startswith("ok    versions   trail ")
    assert "warn  backups    there are none here\n" in out
    assert trail("--strict")[0] == 1


def test_for_programs(trail):
    status, out = trail("--json")
    assert status == 0
    assert {check["name"] for check in json.loads(out)["checks"]} >= {"disk", "port", "config"}


def test_failures_are_an_exit_status(trail, tmp_path):
    status, out = trail("--tls-cert", str(tmp_path / "none"), "--tls-key", str(tmp_path / "none"))
    assert status == 1
    assert "fail  tls " in out
