"""The published Python client against a running server; scenarios are in python_client.py."""

import ast
from pathlib import Path

import pytest

from tests.integration.clients import find_python, install_python_client, run_scenarios

SCRIPT = Path(__file__).with_name("python_client.py")


def names():
    """The scenarios' names, without importing a client that is not installed here."""
    for node in ast.parse(SCRIPT.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "NAMES":
            return ast.literal_eval(node.value)
    raise AssertionError("python_client.py has no NAMES")


@pytest.fixture(scope="module")
def outcome(server):
    python = find_python()
    if python is None:
        pytest.skip("the Python client asks for Python 3.13, which is not on this machine")
    return run_scenarios([install_python_client(python), SCRIPT, server.url])


@pytest.mark.xdist_group("python client")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", names())
def test_python_client(outcome, name):
    assert outcome[name] == ""


def test_every_scenario_is_run():
    classes = [n for n in ast.parse(SCRIPT.read_text()).body if isinstance(n, ast.ClassDef)]
    methods = {f.name for f in classes[0].body if isinstance(f, ast.FunctionDef)}
    assert methods - {"__init__", "login", "table", "status_of", "download"} == set(names())
