import json
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from trailbase_server.cli import main as module
from trailbase_server.cli.main import COMMANDS, run_command, trail
from trailbase_server.errors import NotFoundError, OperatorError
from trailbase_server.server.options import ServerOptions


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def probe(monkeypatch):
    """A command that shows which options it got, and fails as it is told."""
    seen = []

    @click.command()
    @click.pass_obj
    def probe(options):
        seen.append(options)
        if seen[0] is not options:
            raise seen[0]

    monkeypatch.setattr(
        module.LazyGroup,
        "get_command",
        lambda _self, _context, name: probe if name == "probe" else None,
    )
    return seen


def test_without_a_command_there_is_help(capsys):
    assert run_command([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: trail [OPTIONS] [COMMAND]")
    assert err == ""
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert "data-dir" not in out


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_in_all_its_forms(capsys, words):
    assert run_command(words) == 0
    assert capsys.readouterr().out.startswith("Usage: trail ")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "help"])
def test_every_command_has_help_in_two_forms(capsys, name):
    assert run_command(["help", name]) == 0
    first = capsys.readouterr().out
    assert first.startswith(f"Usage: trail {name} ")
    assert run_command([name, "--help"]) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("group", ["user", "admin"])
def test_a_group_without_a_command_shows_its_help(capsys, group):
    assert run_command([group]) == 0
    assert "Commands:" in capsys.readouterr().out


def test_version_has_two_lines_and_no_short_form(capsys):
    assert run_command(["--version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("trail v")
    assert second.startswith("sqlite: 3.")
    assert run_command(["-V"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["sail"],
        ["--sail"],
        ["help", "sail"],
        ["help", "run", "sail"],
        ["run", "--depot", "elsewhere"],
        ["run", "extra"],
        ["--depot", "a", "--data-dir", "b", "migration"],
        ["--public-url", "nowhere", "migration"],
        ["--public-url", "ftp://a.test", "migration"],
        ["--public-url", "http://a.test:port", "migration"],
        ["--public-url", "http://[::1", "migration"],
    ],
)
def test_wrong_usage_ends_with_2_and_touches_nothing(capsys, tmp_path, words):
    assert run_command(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error: " in err
    assert list(tmp_path.iterdir()) == []


def test_the_depot_comes_from_flag_or_environment_or_default(probe, monkeypatch, capsys):
    def depot(*words):
        probe.clear()
        assert run_command([*words, "probe"]) == 0
        return str(probe[0].depot)

    assert depot() == "traildepot"
    assert depot("--depot", "a") == "a"
    assert capsys.readouterr().err == ""
    assert depot("--data-dir=b") == "b"
    assert "deprecated" in capsys.readouterr().err
    monkeypatch.setenv("DATA_DIR", "c")
    assert depot() == "c"
    assert run_command(["--depot", "a", "probe"]) == 2
    monkeypatch.delenv("DATA_DIR")
    monkeypatch.setenv("DEPOT", "d")
    assert depot() == "d"
    assert depot("--depot", "e") == "e"


def test_the_public_url_comes_from_flag_or_environment(probe, monkeypatch):
    assert run_command(["--public-url=http://127.0.0.1:4000", "probe"]) == 0
    monkeypatch.setenv("PUBLIC_URL", "https://a.test")
    probe.clear()
    assert run_command(["probe"]) == 0
    assert probe == [ServerOptions(depot=Path("traildepot"), public_url="https://a.test")]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (OperatorError("no\nand no"), "Error: no\nError: and no\n"),
        (NotFoundError(detail="no such user"), "Error: no such user\n"),
        (NotFoundError(), "Error: NotFoundError\n"),
    ],
)
def test_what_the_operator_has_to_mend_is_one_line_each(probe, capsys, failure, expected):
    probe.append(failure)
    assert run_command(["probe"]) == 1
    assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupted_command_says_so_in_its_status(probe, failure):
    probe.append(failure)
    assert run_command(["probe"]) == 130


def test_a_reader_that_goes_away_is_no_drama():
    code = (
        "import sys; from trailbase_server.cli.main import main; sys.argv[1:] = ['--help']; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    _, err = process.communicate(timeout=20)
    assert err == b""


def test_importing_the_command_line_is_quick():
    heavy = {"apsw", "uvicorn", "asyncio", "google.protobuf", "orjson", "starlette", "logging"}
    code = f"import sys, trailbase_server.cli.main; print(sorted({heavy!r} & set(sys.modules)))"
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert time.perf_counter() - begun < 5  # hangs only: the machine may be busy


def test_the_list_of_commands_is_what_can_be_used():
    context = click.Context(trail)
    assert [trail.get_command(context, name).name for name in COMMANDS] == list(COMMANDS)
    assert trail.get_command(context, "sail") is None


# The kernel does not end the first process of a container: a default there is to ignore.
BUSY = """
import os, signal, sys, time
os.getpid = lambda: int(sys.argv[1])
if os.getpid() == 1:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
from trailbase_server.cli import main
def wait(_):
    print("busy", flush=True)
    time.sleep(20)
main.run_command = wait
main.main()
"""


@pytest.mark.parametrize(("pid", "status"), [(1, 143), (2, -15)])
def test_the_first_process_of_a_container_can_be_stopped_at_any_time(pid, status):
    command = [sys.executable, "-c", BUSY, str(pid)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"busy\n"
        process.terminate()
        assert process.wait(5) == status


def test_versions_for_programs(capsys):
    assert run_command(["version"]) == 0
    text = capsys.readouterr().out
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == text
    assert run_command(["version", "--json"]) == 0
    versions = json.loads(capsys.readouterr().out)
    assert f"sqlite: {versions['sqlite']}" in text
    assert text.startswith(f"trail v{versions['trail']} ")
