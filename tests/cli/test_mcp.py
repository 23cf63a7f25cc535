"""The real process before a real server."""

import json
import subprocess

import pytest

from tests.serving import TRAIL, Server

CONFIG = """
server { application_name: "Pond" }
record_apis: [{ name: "fish" table_name: "fish" acl_authenticated: [CREATE, READ, DELETE] }]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    depot = tmp_path_factory.mktemp("mcp") / "depot"
    (depot / "migrations" / "main").mkdir(parents=True)
    (depot / "config.textproto").write_text(CONFIG)
    (depot / "migrations" / "main" / "U1790000000__fish.sql").write_text(
        "CREATE TABLE fish (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    )
    with Server(depot) as server:
        yield server


class Talk:
    """A program that uses tools."""

    def __init__(self, server, *words):
        command = [TRAIL, "--depot", server.depot, "mcp", server.url, *words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.count = 0

    def ask(self, method, **params):
        self.count += 1
        message = {"jsonrpc": "2.0", "id": self.count, "method": method, "params": params}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["result"]

    def call(self, name, **arguments):
        result = self.ask("tools/call", name=name, arguments=arguments)
        return result["content"][0]["text"], result["isError"]

    def end(self):
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err.decode()


def test_records_and_administration_are_tools(server):
    talk = Talk(server, "--user", "admin@localhost")
    assert talk.ask("initialize", protocolVersion="2025-06-18")["serverInfo"]["name"] == "trail"
    names = {tool["name"] for tool in talk.ask("tools/list")["tools"]}
    assert {"create_record_handler", "run_job_handler"} <= names
    text, failed = talk.call("create_record_handler", api="fish", body={"name": "Käpt'n"})
    assert (json.loads(text), failed) == ({"ids": ["1"]}, False)
    text, _ = talk.call("list_records_handler", api="fish", filter={"name": {"$like": "K%"}})
    assert [one["name"] for one in json.loads(text)["records"]] == ["Käpt'n"]
    text, _ = talk.call("list_jobs_handler")
    assert len(json.loads(text)["jobs"]) >= 6
    text, failed = talk.call("read_record_handler", api="fish", record="99")
    assert (text, failed) == ("HTTP 404 Not Found", True)
    status, err = talk.end()
    assert status == 0
    assert "tokens refreshed: true" in err


def test_tokens_of_a_log_in_and_only_some_tools(server):
    minted = subprocess.run(
        [TRAIL, "--depot", server.depot, "user", "mint", "admin@localhost"],
        capture_output=True,
        text=True,
        check=True,
    )
    talk = Talk(server, "--tokens", minted.stdout, "--read-only", "--tools", "*_record*_handler")
    names = [tool["name"] for tool in talk.ask("tools/list")["tools"]]
    assert "read_record_handler" in names
    assert not {"create_record_handler", "delete_record_handler", "info_handler"} & set(names)
    talk.end()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ([], 2, "one of --tokens and --user is needed"),
        (["--tokens", "x", "--user", "y"], 2, "one of --tokens and --user is needed"),
        (["--tokens", "nonsense"], 1, "neither JSON nor Base64"),
        (["--tokens", '{"auth_token": "x", "refresh_token": "y"}'], 1, "does not take the tokens"),
        (["--user", "nobody@pond.test"], 1, "nobody@pond.test"),
        (["--user", "x", "--tools", "nothing"], 2, "no tool has such a name"),
    ],
)
def test_a_start_that_cannot_work_ends_with_a_sentence(server, words, status, message):
    found, err = Talk(server, *words).end()
    assert found == status
    assert message in err
