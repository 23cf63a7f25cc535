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
