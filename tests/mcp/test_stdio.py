import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import OperatorError
from trailbase_server.mcp import stdio
from trailbase_server.mcp.stdio import VERSIONS, ToolServer, serve_tools
from trailbase_server.mcp.tools import build_tools
from trailbase_server.server.openapi import build_document, public_routes


class Calls:
    """A proxy that remembers."""

    def __init__(self):
        self.made = []
        self.failure = None

    def keep_fresh(self):
        if self.failure is not None:
            raise self.failure

    def call(self, tool, arguments):
        self.made.append((tool.name, arguments))
        return "done", False


@pytest.fixture
def calls():
    return Calls()


def server(calls):
    return ToolServer(build_tools(build_document(public_routes())), calls)


def ask(calls, method, **params):
    line = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
    answer = json.loads(server(calls).answer(line))
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
    return answer.get("result", answer.get("error"))


@pytest.mark.parametrize(
    ("wanted", "got"), [(VERSIONS[-1], VERSIONS[-1]), ("1999-01-01", VERSIONS[0]), (5, VERSIONS[0])]
)
def test_a_version_is_agreed_on(calls, wanted, got):
    result = ask(calls, "initialize", protocolVersion=wanted)
    assert result["protocolVersion"] == got
    assert result["capabilities"] == {"tools": {}}


def test_tools_are_listed_and_called(calls):
    names = [tool["name"] for tool in ask(calls, "tools/list")["tools"]]
    assert "list_records_handler" in names
    result = ask(calls, "tools/call", name="list_records_handler", arguments={"api": "boat"})
    assert result == {"content": [{"type": "text", "text": "done"}], "isError": False}
    assert calls.made == [("list_records_handler", {"api": "boat"})]
    assert ask(calls, "ping") == {}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tools/call", {"name": "nothing"}, -32602),
        ("tools/call", {}, -32602),
        ("tools/call", {"name": "list_records_handler", "arguments": [1]}, -32602),
        ("resources/list", {}, -32601),
    ],
)
def test_what_cannot_be_answered_is_an_error(calls, method, params, code):
    assert ask(calls, method, **params)["code"] == code
    assert calls.made == []


def test_tokens_that_are_over_are_an_error(calls):
    calls.failure = OperatorError("the server does not take the tokens")
    assert ask(calls, "tools/list")["code"] == -32603


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[]", -32600),
        (b'{"id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": {}}', -32601),
    ],
)
def test_what_is_no_message_is_an_error(calls, line, code):
    assert json.loads(server(calls).answer(line))["error"]["code"] == code


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        b'{"jsonrpc": "2.0", "id": 1, "result": {}}',
    ],
)
def test_notifications_and_answers_are_not_answered(calls, line):
    assert server(calls).answer(line) is None


@given(st.binary(max_size=80))
def test_no_line_is_an_accident(line):
    server(Calls()).answer(line)


def test_lines_are_answered_until_the_end(calls):
    source = io.BytesIO(
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n\n'
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
        b'{"jsonrpc":"2.0","id":"b","method":"ping"}'
    )
    target = io.BytesIO()
    serve_tools(server(calls), source, target)
    ids = [json.loads(line)["id"] for line in target.getvalue().splitlines()]
    assert ids == [1, "b"]


def test_a_message_has_an_end(calls, monkeypatch):
    monkeypatch.setattr(stdio, "MAX_LINE_BYTES", 100)
    with pytest.raises(OperatorError, match="longer than 100 bytes"):
        serve_tools(server(calls), io.BytesIO(b"x" * 101), io.BytesIO())
