"""The published JavaScript client against a running server; scenarios are in js/*.mjs."""

import re
import shutil
from pathlib import Path

import pytest

from tests.integration.clients import install_js_client, node, run_scenarios

SCRIPTS = sorted(Path(__file__).with_name("js").glob("*.mjs"))
SCENARIOS = "".join(script.read_text().partition("export const scenarios")[2] for script in SCRIPTS)
NAMES = re.findall(r"^  async (\w+)\(\) \{$", SCENARIOS, re.MULTILINE)


@pytest.fixture(scope="module")
def outcome(server):
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the JavaScript client needs node and npm, which are not on this machine")
    folder = install_js_client()
    return run_scenarios([*node(), folder / "run.mjs", server.url])


@pytest.mark.xdist_group("js client")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_js_client(outcome, name):
    assert outcome[name] == ""


def test_every_scenario_is_run(outcome):
    assert set(outcome) == set(NAMES)
