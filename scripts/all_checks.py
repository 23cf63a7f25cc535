"""
Run every check of the project and add up the outcome; called by ``scripts/test``.

A linter or type checker counts as one check. pytest and the conformance kit say on their last line
how many of theirs passed. Conformance scenarios named in ``tests/conformance_waiting.txt`` wait for
an issue and are left out.
"""

import os
import re
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
KIT = ROOT / "tests" / "conformance"
WAITING = ROOT / "tests" / "conformance_waiting.txt"

JOBS = 2  # one per core


def main() -> None:
    """Run all checks, print the sums, exit with 1 if anything failed."""
    outcomes = [
        check("ruff check", [str(BIN / "ruff"), "check"]),
        check("ruff format", [str(BIN / "ruff"), "format", "--check"]),
        check("mypy", [str(BIN / "mypy")]),
        check("import-linter", [str(BIN / "lint-imports")]),
        run_pytest(sys.argv[1:]),
    ]
    if not sys.argv[1:]:
        outcomes.append(run_kit())
    passed = sum(done for done, _ in outcomes)
    failed = sum(missed for _, missed in outcomes)
    print(f"\n{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


def check(name: str, command: list[str]) -> tuple[int, int]:
    """Run a command that is one check; its output is shown when it fails."""
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    good = done.returncode == 0
    print(f"{'ok  ' if good else 'FAIL'} {name} ({time.monotonic() - start:.1f} s)", flush=True)
    if not good:
        print(done.stdout, flush=True)
    return (1, 0) if good else (0, 1)


def run_pytest(options: list[str]) -> tuple[int, int]:
    """Run the tests on all cores, or those of the options."""
    command = [str(BIN / "pytest"), "-n", str(JOBS), "--dist", "loadgroup", "--durations=10", "-rs"]
    command += options
    code, output = run_loudly(command)
    summary = output.rstrip().rsplit("\n", 1)[-1]
    found = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?)", summary)}
    failed = found.get("failed", 0) + found.get("error", 0) + found.get("errors", 0)
    return found.get("passed", 0), failed or (0 if code == 0 else 1)


def run_kit() -> tuple[int, int]:
    """Run the conformance scenarios that do not wait for an issue."""
    trail = os.environ.get("TRAIL", str(BIN / "trail"))
    patterns = waiting()
    names = [n for n in scenario_names() if not any(fnmatchcase(n, p) for p in patterns)]
    if not names:
        print("FAIL conformance: no scenario found")
        return 0, 1
    command = [sys.executable, str(KIT / "kit.py"), "run", "--trail", trail, "--jobs", str(JOBS)]
    for name in names:
        command += ["--only", name]
    code, output = run_loudly(command)
    summary = re.search(r"(\d+) passed, (\d+) failed\s*$", output)
    if summary is None:
        return 0, 1
    return int(summary[1]), int(summary[2]) or (0 if code == 0 else 1)


def scenario_names() -> list[str]:
    """List the names of all scenarios."""
    done = subprocess.run(
        [sys.executable, str(KIT / "kit.py"), "list"], capture_output=True, text=True, check=True
    )
    words = (line.split(" ", 1)[0] for line in done.stdout.splitlines())
    return [word for word in words if "/" in word]


def waiting() -> list[str]:
    """
    Read the patterns of scenarios that wait.

    Raises:
        SystemExit: A line is not a pattern and an issue's number.
    """
    patterns = []
    for line in WAITING.read_text().splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) != 2 or not words[1].isdigit():  # pattern, number
            sys.exit(f"{WAITING.name}: a pattern and an issue's number, not: {line}")
        patterns.append(words[0])
    return patterns


def run_loudly(command: list[str]) -> tuple[int, str]:
    """Run a command and show its output while it comes; returns exit status and output."""
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


if __name__ == "__main__":
    main()
