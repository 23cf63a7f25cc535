"""Run the curl lines of a README against a server, exactly as written but for the address."""

import json
import re
import subprocess

MARK = "=== next ==="
ADDRESS = "http://localhost:4000"


STREAM = "curl -N "  # does not end by itself


def lines_of(readme):
    """Lines of its sh blocks that call curl, in order, but for streams."""
    return [line for line in _all_lines_of(readme) if not line.startswith(STREAM)]


def streams_of(readme):
    """Those that go on until Ctrl-C."""
    return [line for line in _all_lines_of(readme) if line.startswith(STREAM)]


def _all_lines_of(readme):
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if "curl " in line]


def run_lines(readme, server):
    """
    Run the lines in one shell, so that variables last.

    Returns:
        The parsed answer of each line that prints one.
    """
    script = ["set -eu", 'curl() { command curl --silent --show-error --fail-with-body "$@"; }']
    for line in lines_of(readme):
        assert ADDRESS in line, f"a line for another server: {line}"
        script += [line.replace(ADDRESS, server.url), f"echo; echo '{MARK}'"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    answers = [answer.strip() for answer in done.stdout.split(MARK)]
    return [json.loads(answer) for answer in answers if answer]
