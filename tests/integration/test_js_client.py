"""The published JavaScript client against a running server; scenarios are in js/scenarios.mjs."""

import re
import shutil
from pathlib import Path

import pytest

from tests.integration.clients import install_js_client, run_scenarios

SCRIPT = Path(__file__).with_name("js") / "scenarios.mjs"
NAMES = re.findall(r"^  async (\w+)\(\) \{$", SCRIPT.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def outcome(server):
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the JavaScript client needs node and npm, which are not on this machine")
    folder = install_js_client()
    return run_scenarios(["node", folder / "scenarios.mjs", server.url])


@pytest.mark.xdist_group("js client")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_js_client(outcome, name):
    assert outcome[name] == ""


def test_every_scenario_is_run():
    assert len(NAMES) == SCRIPT.read_text().count("  async ")
