"""
All that the published clients have for accounts, against a running server with a mail server.

Scenarios are in python_accounts.py and js/flows.mjs. The README's table says which method of a
client is proved by which scenario; that no method is missing there is a test, too.
"""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration import test_js_client, test_python_client
from tests.integration.clients import (
    find_python,
    install_js_client,
    install_python_client,
    node,
    run_scenarios,
)
from tests.mail_server import MailServer
from tests.serving import Server, copy_depot

HERE = Path(__file__).resolve().parent
CONFIG = """
server { application_name: "Harbour" site_url: "http://127.0.0.1" }
email {
  smtp_host: "127.0.0.1" smtp_port: %d smtp_encryption: SMTP_ENCRYPTION_NONE
  sender_name: "Harbour" sender_address: "master@harbour.test"
}
auth {
  user_identifier: REQUIRE_EMAIL
  enable_otp_signin: true
  enable_anonymous_signin: true
  auth_token_ttl_sec: 62  # two seconds more than the clients' margin
}
"""
API = """
record_apis: [{
  name: "%(name)s" table_name: "%(name)s"
  acl_world: [READ] acl_authenticated: [CREATE, UPDATE, DELETE]
  update_access_rule: "_ROW_.%(owner)s = _USER_.id"
}]
"""
TABLES = {"boats": "owner", "log_entries": "writer", "debts": "debtor"}


def python_names():
    """The scenarios' names, without importing a client that is not installed here."""
    tree = ast.parse((HERE / "python_accounts.py").read_text())
    [scenarios] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    [helpers] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "HELPERS"
    ]
    methods = [node.name for node in scenarios.body if isinstance(node, ast.FunctionDef)]
    return [name for name in methods if "_" in name and name[0] != "_" and name not in helpers]


def js_names():
    flows = (HERE / "js" / "flows.mjs").read_text().partition("const flows")[2]
    return re.findall(r"^  async (\w+)\(\) \{$", flows, re.MULTILINE)


@pytest.fixture(scope="module")
def harbour(tmp_path_factory):
    """URL of a server, and the directory of the mails it sends."""
    directory = tmp_path_factory.mktemp("harbour")
    mails = directory / "mails"
    mails.mkdir()
    mail_server = MailServer(mails)
    depot = copy_depot(HERE / "harbour", directory / "depot")
    apis = [API % {"name": name, "owner": owner} for name, owner in TABLES.items()]
    (depot / "config.textproto").write_text(CONFIG % mail_server.port + "".join(apis))
    try:
        with Server(depot) as server:
            yield server.url, mails
            assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()
    finally:
        mail_server.stop()


@pytest.fixture(scope="module")
def python():
    found = find_python()
    if found is None:
        pytest.skip("the Python client asks for Python 3.13, which is not on this machine")
    return install_python_client(found)


@pytest.fixture(scope="module")
def js():
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the JavaScript client needs node and npm, which are not on this machine")
    return install_js_client()


@pytest.fixture(scope="module")
def python_outcome(python, harbour):
    return run_scenarios([python, HERE / "python_accounts.py", *harbour])


@pytest.fixture(scope="module")
def js_outcome(js, harbour):
    return run_scenarios([*node(), js / "flows.mjs", *harbour])


@pytest.mark.xdist_group("account clients")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", python_names())
def test_python(python_outcome, name):
    assert python_outcome[name] == ""


@pytest.mark.xdist_group("account clients")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", js_names())
def test_js(js_outcome, name):
    assert js_outcome[name] == ""


@pytest.mark.xdist_group("account clients")
@pytest.mark.timeout(300)
def test_every_scenario_is_run(python_outcome, js_outcome):
    assert set(python_outcome) == set(python_names())
    assert set(js_outcome) == set(js_names())


# Which method is proved by what.

ROW = re.compile(r"^\| `(\w+)` \|(.*)\|(.*)\|$", re.MULTILINE)
NOT_ACCOUNTS = {"records", "execute", "stream", "constructor", "setTokenState"}
JS_SURFACE = """
import * as trailbase from "trailbase";
const client = trailbase.initClient("http://localhost");
const own = Object.keys(client);
const shared = Object.getOwnPropertyNames(Object.getPrototypeOf(client));
const makers = Object.keys(trailbase).filter((name) => name.startsWith("init"));
console.log(JSON.stringify([...own, ...shared, ...makers]));
"""
PYTHON_SURFACE = "import json, trailbase; print(json.dumps(list(vars(trailbase.Client))))"


def table_of(column):
    """Of one client: method -> names of scenarios, from the README."""
    text = (HERE / "README.md").read_text().partition("## Accounts, method by method")[2]
    cells = {name: cells[column] for name, *cells in ROW.findall(text)}
    return {name: re.findall(r"`(\w+)`", cell) for name, cell in cells.items() if cell.strip()}


def surface_of(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=True, **more)
    return {name for name in json.loads(done.stdout) if name[0] != "_"} - NOT_ACCOUNTS


@pytest.mark.timeout(300)
def test_every_method_of_the_python_client_is_in_the_table(python):
    assert surface_of([python, "-c", PYTHON_SURFACE]) == set(table_of(0))


@pytest.mark.timeout(300)
def test_every_method_of_the_js_client_is_in_the_table(js):
    command = ["node", "--input-type=module", "--eval", JS_SURFACE]
    assert surface_of(command, cwd=js) == set(table_of(1))


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (0, {*python_names(), *test_python_client.names()}),
        (1, {*js_names(), *test_js_client.NAMES}),
    ],
    ids=["Python", "JavaScript"],
)
def test_the_table_names_scenarios(column, names):
    for method, proofs in table_of(column).items():
        assert proofs, method
        assert set(proofs) <= names, method
