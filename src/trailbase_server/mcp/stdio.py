"""
The Model Context Protocol over standard input and output: JSON-RPC, one message a line.

.. code-block:: text

    initialize ──> (notifications/initialized) ──> tools/list, tools/call, ping … ──> end of input

Messages are answered one after the other. What is no request gets an error; notifications get
nothing. Standard output carries the protocol alone.
"""

from collections.abc import Callable, Mapping
from typing import IO, Any

import orjson

from trailbase_server import __version__
from trailbase_server.errors import AppError, OperatorError
from trailbase_server.mcp.proxy import InvalidArgumentsError, Proxy
from trailbase_server.mcp.tools import Tool

VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Of the protocol, newest first; tools work the same way in all of them."""
MAX_LINE_BYTES = 16 * 1024 * 1024  # of a message: a body that a server takes is smaller
PARSE_ERROR, INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR = -32603

Message = dict[str, Any]


class ProtocolError(AppError):
    """
    A request that cannot be answered.

    Args:
        code: Of JSON-RPC.
        message: Why.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class ToolServer:
    """
    Answers messages.

    Args:
        tools: By name.
        proxy: Calls them.
    """

    def __init__(self, tools: Mapping[str, Tool], proxy: Proxy) -> None:
        self._tools = tools
        self._proxy = proxy
        self._methods: dict[str, Callable[[Message], Message]] = {
            "initialize": self._initialize,
            "ping": lambda _: {},
            "tools/list": self._list,
            "tools/call": self._call,
        }

    def answer(self, line: bytes) -> bytes | None:
        """
        Answer a message.

        Args:
            line: As received.

        Returns:
            What to send, without the end of the line; None for a notification or an answer.
        """
        message_id = None
        try:
            message = _parse(line)
            message_id = message.get("id")
            if message_id is None or "method" not in message:
                return None
            result = self._result_of(message)
        except ProtocolError as exc:
            error = {"code": exc.code, "message": exc.public}
            return orjson.dumps({"jsonrpc": "2.0", "id": message_id, "error": error})
        return orjson.dumps({"jsonrpc": "2.0", "id": message_id, "result": result})

    def _result_of(self, message: Message) -> Message:
        method = self._methods.get(str(message["method"]))
        params = message.get("params", {})
        if method is None:
            raise ProtocolError(UNKNOWN_METHOD, f"unknown method: {message['method']}")
        if not isinstance(params, dict):
            raise ProtocolError(INVALID_PARAMS, "params must be an object")
        try:
            return method(params)
        except OperatorError as exc:
            raise ProtocolError(INTERNAL_ERROR, str(exc)) from exc

    def _initialize(self, params: Message) -> Message:
        self._proxy.keep_fresh()
        wanted = params.get("protocolVersion")
        return {
            "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "trail", "version": __version__},
        }

    def _list(self, _params: Message) -> Message:
        self._proxy.keep_fresh()
        return {"tools": [tool.render() for tool in self._tools.values()]}

    def _call(self, params: Message) -> Message:
        tool = self._tools.get(str(params.get("name")))
        if tool is None:
            raise ProtocolError(INVALID_PARAMS, f"unknown tool: {params.get('name')}")
        arguments = params.get("arguments") or {}
        if not isinstance(arguments, dict):
            raise ProtocolError(INVALID_PARAMS, "arguments must be an object")
        self._proxy.keep_fresh()
        try:
            text, is_failure = self._proxy.call(tool, arguments)
        except InvalidArgumentsError as exc:
            # Told as a result: whoever wrote the call can mend it.
            text, is_failure = exc.public, True
        return {"content": [{"type": "text", "text": text}], "isError": is_failure}


def _parse(line: bytes) -> Message:
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise ProtocolError(PARSE_ERROR, f"no JSON: {exc}") from exc
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError(INVALID_REQUEST, "no message of JSON-RPC 2.0")
    if not isinstance(message.get("id"), str | int | None):
        raise ProtocolError(INVALID_REQUEST, "an id is a text or a number")
    return message


def serve_tools(server: ToolServer, source: IO[bytes], target: IO[bytes]) -> None:
    """
    Answer until the input ends.

    Raises:
        OperatorError: A message is longer than any should be.

    Spec:
        server/mcp
    """
    while line := source.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise OperatorError(f"a message is longer than {MAX_LINE_BYTES} bytes")
        if not line.strip():
            continue
        answer = server.answer(line)
        if answer is not None:
            target.write(answer + b"\n")
            target.flush()
