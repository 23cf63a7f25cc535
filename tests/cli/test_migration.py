import json
import re

import pytest

from trailbase_server.cli.main import run_command


@pytest.fixture
def trail(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: run_command(["--depot", str(tmp_path / "depot"), "migration", *words])


def files(tmp_path):
    return sorted(str(path.relative_to(tmp_path / "depot")) for path in tmp_path.rglob("*.sql"))


def test_an_empty_file_is_made_and_nothing_else(trail, tmp_path, capsys):
    assert trail("add_reeds") == 0
    (name,) = files(tmp_path)
    assert re.fullmatch(r"migrations/main/U[0-9]{10}__add_reeds\.sql", name)
    assert (tmp_path / "depot" / name).read_text() == "-- new database migration\n"
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f'Created empty migration file: "{tmp_path / "depot" / name}"\n'
    assert not (tmp_path / "depot" / "data").exists()


def test_suffix_and_database_have_defaults(trail, tmp_path):
    assert trail() == 0
    assert trail("tides", "the-tide_2") == 0
    assert [re.sub("[0-9]{10}", "N", name) for name in files(tmp_path)] == [
        "migrations/main/UN__update.sql",
        "migrations/the-tide_2/UN__tides.sql",
    ]


def test_two_calls_in_one_second_get_two_numbers(trail, tmp_path):
    for suffix in ("a", "b", "a"):
        assert trail(suffix) == 0
    numbers = [re.search(r"U([0-9]+)__", name)[1] for name in files(tmp_path)]
    assert len(set(numbers)) == 3


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["a-b"], 1),
        (["../x"], 1),
        (["x", "../up"], 2),
        (["x", "/tmp"], 2),
        (["x", ""], 2),
        (["x", "é"], 2),
        (["x", "main", "more"], 2),
    ],
)
def test_names_that_would_not_work_are_refused(trail, tmp_path, capsys, words, status):
    assert trail(*words) == status
    assert "Error: " in capsys.readouterr().err
    assert not (tmp_path / "depot").exists()


def test_where_the_file_is_as_json(trail, tmp_path, capsys):
    assert trail("reeds", "--json") == 0
    (name,) = files(tmp_path)
    assert json.loads(capsys.readouterr().out) == {"path": str(tmp_path / "depot" / name)}


def test_any_other_word_is_a_suffix_even_status_if_that_is_meant(trail, tmp_path):
    assert trail("new") == 0
    assert trail("new-file", "status") == 0
    assert [name.split("__")[1] for name in files(tmp_path)] == ["new.sql", "status.sql"]


@pytest.fixture
def pond(trail, tmp_path, capsys):
    """A depot with one migration applied, in a database of its own another one that waits."""
    depot = tmp_path / "depot"
    (depot / "migrations" / "main").mkdir(parents=True)
    (depot / "config.textproto").write_text(
        'server { application_name: "Pond" } databases: [{ name: "deep" }]'
    )
    first = depot / "migrations" / "main" / "U1790000000__fish.sql"
    first.write_text("CREATE TABLE fish (id INTEGER PRIMARY KEY) STRICT;")
    assert run_command(["--depot", str(depot), "admin", "list"]) == 0
    (depot / "migrations" / "deep").mkdir(exist_ok=True)
    (depot / "migrations" / "deep" / "U1790000001__eel.sql").write_text("SELECT 1")
    capsys.readouterr()
    return first


def test_what_is_applied_and_what_waits(trail, pond, capsys):
    assert trail("status") == 0
    assert capsys.readouterr().out == (
        "main\n  applied  1790000000__fish\ndeep\n  pending  1790000001__eel\n"
    )
    assert trail("status", "--own") == 0
    assert "  applied  1__initial\n" in capsys.readouterr().out
    pond.write_text("CREATE TABLE fish (id INTEGER PRIMARY KEY, name TEXT) STRICT;")
    assert trail("status") == 0
    assert "  changed  1790000000__fish\n" in capsys.readouterr().out


def test_a_missing_file_is_a_problem(trail, pond, capsys):
    pond.unlink()
    assert trail("status") == 1
    assert "  problem  migration V1790000000__fish is missing" in capsys.readouterr().out


def test_the_state_as_json(trail, pond, capsys):
    assert trail("status", "--json") == 0
    main, deep = json.loads(capsys.readouterr().out)["databases"]
    assert main["applied"][-1] == {"version": 1790000000, "name": "fish", "own": False}
    assert deep["pending"] == [{"version": 1790000001, "name": "eel", "own": False}]


def test_no_depot_no_state(trail, tmp_path):
    assert trail("status") == 1
    assert not (tmp_path / "depot").exists()
