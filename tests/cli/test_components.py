import zipfile

import pytest

from tests.wasm.binary import component
from trailbase_server.cli.main import run_command

CONTENT = component(["wasi:http/types@0.2.3", "trail:base/init@0.1.0"], ["trail:base/run@0.1.0"])


@pytest.fixture
def depot(tmp_path, monkeypatch):
    monkeypatch.delenv("DEPOT", raising=False)
    return tmp_path / "depot"


@pytest.fixture
def trail(depot):
    return lambda *words: run_command(["--depot", str(depot), "components", *words])


def test_the_ids_are_listed(trail, capsys, depot):
    assert trail("list") == 0
    assert capsys.readouterr().out == "Components:\n\ntrailbase/auth_ui\ntrailbase/tetris\n"
    assert not depot.exists()


def test_files_come_and_go(trail, capsys, depot, tmp_path):
    with zipfile.ZipFile(tmp_path / "boats.zip", "w") as archive:
        archive.writestr("../../boat.wasm", CONTENT)
    assert trail("add", str(tmp_path / "boats.zip")) == 0
    place = depot / "wasm" / "boat.wasm"
    assert capsys.readouterr().err.endswith(f"Added: [{place}]\n")
    assert trail("installed") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{place} - interfaces: [\n")
    assert '"namespace": "trail"' in out
    assert '"interfaces": [\n      "init",\n      "run"\n    ]' in out
    assert "wasi" not in out
    assert trail("remove", "boat.wasm") == 0
    assert not place.exists()
    assert run_command(["--depot", str(depot), "audit", "list"]) == 0
    assert "component.remove" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_told(trail, capsys, depot):
    (depot / "wasm").mkdir(parents=True)
    (depot / "wasm" / "bad.wasm").write_bytes(b"\0asm?")
    assert trail("installed") == 0
    assert capsys.readouterr().out.endswith("bad.wasm - no WebAssembly component\n")
    assert trail("update") == 0
    assert "Skipping" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "trailbase/auth_ui"], "made for the reference server"),
        (["add", "https://evil.test/x.wasm"], "nothing is fetched"),
        (["add", "nothing.wasm"], "cannot add 'nothing.wasm'"),
        (["remove", "trailbase/tetris"], "component not found"),
        (["remove", "../config.textproto"], "not a file of 'wasm/'"),
        (["remove", "https://evil.test/x.wasm"], "no installed component"),
    ],
)
def test_what_cannot_be_is_one_line(trail, capsys, words, message):
    assert trail(*words) == 1
    assert message in capsys.readouterr().err
