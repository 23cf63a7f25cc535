import json

import pytest

from trailbase_server.cli.main import run_command

CONFIG = """
email {}
server { application_name: "Pond" }
auth {}
jobs {}
record_apis: [{ name: "fishes" table_name: "fish" acl_world: [READ] }]
"""


@pytest.fixture
def trail(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "MODE", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    depot = tmp_path / "depot"
    (depot / "migrations" / "main").mkdir(parents=True)
    (depot / "config.textproto").write_text(CONFIG)
    (depot / "migrations" / "main" / "U1790000000__fish.sql").write_text(
        "CREATE TABLE fish (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    )
    return lambda *words: run_command(["--depot", str(depot), "schema", *words])


@pytest.mark.parametrize(
    ("words", "required"),
    [([], ["name"]), (["--mode", "update"], []), (["--mode", "SELECT"], ["id", "name"])],
)
def test_the_schema_of_an_api_is_printed(trail, capsys, words, required):
    assert trail("fishes", *words) == 0
    out, err = capsys.readouterr()
    schema = json.loads(out)
    assert sorted(schema["properties"]) == ["id", "name"]
    assert schema.get("required", []) == required
    assert out.startswith("{\n  ")
    assert "Created new admin user" in err


def test_the_mode_may_come_from_the_environment(trail, capsys, monkeypatch):
    monkeypatch.setenv("MODE", "update")
    assert trail("fishes") == 0
    assert json.loads(capsys.readouterr().out).get("required", []) == []


def test_it_is_asked_for_by_the_name_of_the_api(trail, capsys):
    assert trail("fish") == 1
    assert capsys.readouterr().err.endswith("Error: Could not find api: 'fish'\n")


def test_an_unknown_mode_is_wrong_usage(trail):
    assert trail("fishes", "--mode", "delete") == 2
