import json

import pytest

from trailbase_server.cli.main import run_command

CONFIG = """
server { application_name: "Pond" }
record_apis: [{ name: "fishes" table_name: "fish" acl_world: [READ] }]
"""


def printed(capsys, *words):
    assert run_command(["openapi", *words]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "has_admin", "has_ours"),
    [
        ([], False, False),
        (["print"], False, False),
        (["--admin"], True, False),
        (["--all", "print"], False, True),
        (["--admin", "--all"], True, True),
    ],
)
def test_the_document_is_printed(capsys, tmp_path, monkeypatch, words, has_admin, has_ours):
    monkeypatch.chdir(tmp_path)
    paths = printed(capsys, *words)["paths"]
    assert "/api/records/v1/{api}" in paths
    assert ("/api/_admin/info" in paths) == has_admin
    assert ("/api/auth/v1/passkeys" in paths) == has_ours
    assert list(tmp_path.iterdir()) == []


def test_the_columns_of_a_depot(capsys, tmp_path):
    depot = tmp_path / "depot"
    (depot / "migrations" / "main").mkdir(parents=True)
    (depot / "config.textproto").write_text(CONFIG)
    (depot / "migrations" / "main" / "U1790000000__fish.sql").write_text(
        "CREATE TABLE fish (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    )
    words = ["--depot", str(depot), "--public-url", "https://pond.test", "openapi", "--typed"]
    assert run_command(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["servers"] == [{"url": "https://pond.test"}]
    fish = document["components"]["schemas"]["fishes.Select"]
    assert sorted(fish["properties"]) == ["id", "name"]


def test_typed_is_about_records_alone(capsys):
    assert run_command(["openapi", "--typed", "--admin"]) == 2
    assert "record APIs alone" in capsys.readouterr().err
