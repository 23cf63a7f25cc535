"""``trail check …`` on good and on deliberately bad depots, which it must not touch."""

import json
import shutil

import pytest

from tests.serving import ROOT
from trailbase_server.cli.main import run_command

CONFIG = """server { application_name: "Pond" }
record_apis: [{
  name: "fishes" table_name: "fish"
  acl_world: [READ] acl_authenticated: [CREATE]
}]
"""
SQL = """
CREATE TABLE fish (
  id      INTEGER PRIMARY KEY NOT NULL,
  keeper  BLOB NOT NULL REFERENCES _user (id)
) STRICT;
"""


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    depot = tmp_path / "depot"
    (depot / "migrations" / "main").mkdir(parents=True)
    (depot / "migrations" / "main" / "U1790000000__fish.sql").write_text(SQL)
    (depot / "config.textproto").write_text(CONFIG)
    return depot


@pytest.fixture
def trail(depot, capsys):
    """Run a command; returns its status, standard output and standard error."""

    def run(*words):
        before = sorted(depot.rglob("*"))
        status = run_command(["--depot", str(depot), "check", *words])
        assert sorted(depot.rglob("*")) == before, "nothing is written"
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.mark.parametrize("name", ["chat", "flights"])
def test_the_examples_are_clean(name, tmp_path, capsys):
    source = ROOT / "examples" / name / "depot"
    for part in ("migrations", "config.textproto"):
        copy = shutil.copytree if (source / part).is_dir() else shutil.copy
        copy(source / part, tmp_path / part)
    assert run_command(["--depot", str(tmp_path), "check", "access", "--strict"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("\nNothing to remark.\n")
    assert err == ""


def test_access_is_a_table_with_remarks(trail):
    status, out, _ = trail("access")
    assert status == 0
    head, row = out.splitlines()[:2]
    assert head.split() == [
        "api",
        "create",
        "read",
        "list",
        "subscribe",
        "update",
        "delete",
        "schema",
    ]
    assert row.split() == ["fishes", "users", "everybody", "everybody", "-", "-", "-", "-"]
    assert "config.textproto:4: warning: fishes: users can create records in the name" in out
    assert out.endswith("\n0 errors, 1 warning.\n")


def test_warnings_fail_where_that_is_wanted(trail):
    assert trail("access", "--strict")[0] == 1
    assert trail("access", "--strict", "--ignore", "unowned-create:fishes")[0] == 0


def test_errors_always_fail(trail, depot):
    rule = 'read_access_rule: "_ROW_.keeper = NULL"'
    (depot / "config.textproto").write_text(CONFIG.replace("acl_world", rule + " acl_world"))
    status, out, _ = trail("access")
    assert status == 1
    assert ": error: fishes: the read rule never holds: nobody can read records" in out


def test_access_as_json(trail):
    status, out, _ = trail("access", "--json")
    document = json.loads(out)
    assert status == 0
    assert document["apis"][0]["access"]["read"] == {"who": "everybody", "rule": None}
    assert [finding["code"] for finding in document["findings"]] == ["unowned-create"]


def test_a_depot_without_apis(trail, depot):
    (depot / "config.textproto").write_text('server { application_name: "Pond" }')
    assert trail("access")[1].startswith("There are no record APIs")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("config.textproto", "sever {}", "config.textproto:1:1: unknown field 'sever'"),
        ("config.textproto", "server {}", "config.textproto:1: server.application_name: Missing"),
        ("migrations/main/U1790000001__more.sql", "CREATE TABEL x", "U1790000001__more"),
    ],
)
def test_what_cannot_be_looked_at_is_told(trail, depot, file, text, message):
    (depot / file).write_text(text)
    status, _, err = trail("access")
    assert status == 1
    assert message in err


def test_there_must_be_a_depot(tmp_path, capsys):
    assert run_command(["--depot", str(tmp_path / "none"), "check", "access"]) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_everything_at_once(trail):
    status, out, _ = trail()
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines() if line[:4].strip()][:5] == [
        ["ok", "config"],
        ["ok", "migrations"],
        ["warn", "access"],
        ["skip", "secrets"],
        ["skip", "tls"],
    ]
    assert trail("--strict")[0] == 1
    assert trail("--strict", "--ignore", "unowned-create")[0] == 0


def test_everything_as_json(trail, depot):
    (depot / "config.textproto").write_text("sever {}")
    status, out, _ = trail("--json")
    assert status == 1
    (mistake, *_) = json.loads(out)["checks"]
    assert (mistake["name"], mistake["facts"]["line"]) == ("config", 1)


def test_the_certificate_that_the_server_is_told_to_use(trail, tmp_path, monkeypatch):
    monkeypatch.setenv("TLS_CERT", str(tmp_path / "none.pem"))
    monkeypatch.setenv("TLS_KEY", str(tmp_path / "none.key"))
    status, out, _ = trail()
    assert status == 1
    assert "none.pem" in out
