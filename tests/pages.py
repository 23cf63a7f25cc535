"""
Pages of documentation, run as a reader would.

Blocks marked ``sh`` are run in order in one shell, in an empty directory. A ``json`` or ``text``
block right behind one is what it prints; ``…`` stands for anything. Blocks marked ``sql`` and
``textproto`` are one depot, which is served from the start. ``trail run`` goes on in the
background, and localhost:4000 is wherever the server of the test listens.
"""

import json
import os
import re
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.serving import ROOT, Server, free_port

ADDRESS = "localhost:4000"
ANYTHING = "…"
REFUSAL = "Error: "  # a block that prints this may end with another status than 0
END = "=== end of block ==="
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RESULTS = ("json", "text")

# What a reader has two terminals and eyes for.
PRELUDE = r"""
set -eu
curl() { command curl --silent --show-error $FAIL "$@"; }
trail() {
  case " $* " in
    *" jobs run "*) command trail "$@" ;;
    *" run "*)
      if [ -n "${SERVER:-}" ]; then
        command kill "$SERVER" 2> /dev/null || true
        wait "$SERVER" || true
      fi
      : > server.log
      command trail "$@" >> server.log 2>&1 &
      SERVER=$!
      for _ in $(seq 400); do
        if grep -q 'Listening on' server.log; then return 0; fi
        sleep 0.05
      done
      cat server.log; return 1 ;;
    *) command trail "$@" ;;
  esac
}
kill() {
  before=$(grep -c 'eload' server.log || true)
  command kill "$@"
  for _ in $(seq 400); do
    if [ "$(grep -c 'eload' server.log)" != "$before" ]; then return 0; fi
    sleep 0.05
  done
  cat server.log; return 1
}
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its mark, its text and the line on which it begins."""

    language: str
    text: str
    line: int


def blocks_of(page):
    """All fenced blocks of a page, in order."""
    text = page.read_text()
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(text)
    ]


def write_depot(blocks, depot):
    """Make the depot that the blocks describe; False if they describe none."""
    sql = "\n".join(block.text for block in blocks if block.language == "sql")
    config = "\n".join(block.text for block in blocks if block.language == "textproto")
    if not config:
        return False
    migrations = depot / "migrations" / "main"
    migrations.mkdir(parents=True)
    (migrations / "U1790000001__page.sql").write_text(sql)
    if "application_name" not in config:
        config = f'server {{ application_name: "Page" }}\n{config}'
    (depot / "config.textproto").write_text(config)
    return True


def run_page(page, directory):
    """
    Run a page.

    Returns:
        The number of blocks that were run.
    """
    blocks = blocks_of(page)
    if not any(block.language == "sh" for block in blocks):
        return 0
    depot = directory / "traildepot"
    if write_depot(blocks, depot):
        with Server(depot) as server:
            return _run(page, blocks, directory, server.url.removeprefix("http://"))
    return _run(page, blocks, directory, f"127.0.0.1:{free_port()}")


def _run(page, blocks, directory, address):
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "ADDRESS": address}
    count = 0
    with subprocess.Popen(
        ["bash"],
        cwd=directory,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            shell.stdin.write(PRELUDE)
            for block, following in zip(blocks, [*blocks[1:], None], strict=False):
                if block.language != "sh":
                    continue
                expected = following if following and following.language in _RESULTS else None
                printed = _type(shell, block.text.replace(ADDRESS, address), expected)
                where = f"{page.name}, line {block.line}"
                assert printed is not None, f"{where}: a command failed\n{_rest(shell)}"
                if expected:
                    check(expected, printed, where)
                count += 1
        finally:
            with suppress(BrokenPipeError):  # the shell has ended by itself
                shell.stdin.close()
            os.killpg(shell.pid, signal.SIGTERM)
    return count


def _type(shell, text, expected):
    """Type one block; None if a command of it fails."""
    # Without a result to compare, an answer must at least be a good one.
    fail = "" if expected else "--fail-with-body"
    if expected and expected.text.startswith(REFUSAL):
        text = f"set +e\n{text}\nset -e"
    shell.stdin.write(f"FAIL={fail}\n{text}\necho; echo '{END}'\n")
    shell.stdin.flush()
    lines = []
    for line in shell.stdout:
        if line.strip() == END:
            return "".join(lines)
        lines.append(line)
    shell.printed = lines
    return None


def _rest(shell):
    return "".join(shell.printed)


def check(expected, printed, where):
    """Compare what was printed with the block that says so."""
    if expected.language == "json":
        got = json.loads(printed)
        assert is_like(json.loads(expected.text), got), f"{where}: {json.dumps(got, indent=2)}"
    else:
        pattern = re.escape(expected.text.strip()).replace(re.escape(ANYTHING), ".*")
        assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{where}:\n{printed}"


def is_like(pattern, value):
    """Is a JSON value the expected one, where ``…`` stands for anything?"""
    if isinstance(pattern, dict) and isinstance(value, dict):
        return pattern.keys() == value.keys() and all(is_like(pattern[k], value[k]) for k in value)
    if isinstance(pattern, list) and isinstance(value, list):
        return len(pattern) == len(value) and all(map(is_like, pattern, value))
    return pattern in (ANYTHING, value) and (pattern == ANYTHING or type(pattern) is type(value))


def links_of(page: Path):
    """Relative targets of a page's links, without their anchors."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            yield target
