"""Completion as shells ask for it: through the installed program, in a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trailbase_server.cli.main import run_command

TRAIL = Path(sys.executable).with_name("trail")


@pytest.mark.parametrize(
    ("shell", "words"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef trail"), ("fish", "complete --no-files")],
)
def test_what_the_shell_runs(capsys, shell, words):
    assert run_command(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert words in out
    assert f"_TRAIL_COMPLETE={shell}_complete" in out


def test_other_shells_are_wrong_usage(capsys):
    assert run_command(["completion", "csh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


def complete(*words):
    environment = {
        **os.environ,
        "_TRAIL_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["trail", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run([TRAIL], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.split(",")[1] for line in done.stdout.splitlines()]


@pytest.mark.skipif(not TRAIL.exists(), reason="trail is not installed beside this Python")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["complet"], ["completion"]),
        (["user", "inv"], ["invalidate-session"]),
        (["check", "access", "--js"], ["--json"]),
        (["schema", "--mode", "sel"], ["select"]),
        (["migration", "st"], ["status"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
)
def test_commands_options_and_values_are_completed(words, expected):
    assert complete(*words) == expected


@pytest.mark.skipif(not TRAIL.exists(), reason="trail is not installed beside this Python")
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_real_bash_takes_it(tmp_path):
    script = (
        'eval "$(trail completion bash)"; COMP_WORDS=(trail back); COMP_CWORD=1; '
        '_trail_completion trail; echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{TRAIL.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["backups"]
