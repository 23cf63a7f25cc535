"""
Tools, one for each operation of the OpenAPI document that a call and an answer can carry.

Left out are streams, which do not end, and operations whose bodies are binary.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Document = Mapping[str, Any]
BODY = "body"  # argument that becomes the request's body
JSON = "application/json"
_STREAMS = frozenset({"add_subscription_sse_and_ws_handler"})
# GET by the protocol, and yet they change something.
_CHANGING = frozenset(
    {
        "logout_handler",
        "verify_email_handler",
        "request_email_verification_handler",
        "change_email_confirm_handler",
        "login_with_external_auth_provider",
        "callback_from_external_auth_provider",
        "register_totp_request_handler",
    }
)


@dataclass(frozen=True, slots=True)
class Tool:
    """
    One operation as a tool.

    Attributes:
        name: Operation id.
        description: Its summary.
        method, path: Of the request.
        path_names, query_names: Arguments that go there.
        takes_body: There is an argument ``body``.
        input_schema: Of the arguments.
        is_read_only: It changes nothing.
    """

    name: str
    description: str
    method: str
    path: str
    path_names: frozenset[str]
    query_names: frozenset[str]
    takes_body: bool
    input_schema: dict[str, Any]
    is_read_only: bool

    def render(self) -> dict[str, Any]:
        """Write it as ``tools/list`` answers."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
            "annotations": {
                "readOnlyHint": self.is_read_only,
                "destructiveHint": self.method == "DELETE",
                "openWorldHint": False,
            },
        }


def build_tools(
    document: Document, *, read_only: bool = False, patterns: Iterable[str] = ()
) -> dict[str, Tool]:
    """
    Make the tools that are allowed.

    Args:
        document: OpenAPI.
        read_only: Only those that change nothing.
        patterns: Names, ``*`` and ``?`` stand for anything; none allow all.

    Spec:
        server/mcp
    """
    wanted = tuple(patterns)
    tools = (
        _build(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if _is_callable(operation)
    )
    return {
        tool.name: tool
        for tool in tools
        if (tool.is_read_only or not read_only)
        and (not wanted or any(fnmatchcase(tool.name, pattern) for pattern in wanted))
    }


def _is_callable(operation: Mapping[str, Any]) -> bool:
    contents = [operation.get("requestBody", {}), *operation["responses"].values()]
    kinds = [kind for one in contents for kind in one.get("content", ())]
    return operation["operationId"] not in _STREAMS and all(kind == JSON for kind in kinds)


def _build(method: str, path: str, operation: Mapping[str, Any]) -> Tool:
    parameters = operation.get("parameters", ())
    properties = {
        one["name"]: one["schema"]
        | ({"description": one["description"]} if "description" in one else {})
        for one in parameters
    }
    required = [one["name"] for one in parameters if one.get("required")]
    body = operation.get("requestBody")
    if body is not None:
        properties[BODY] = body["content"][JSON]["schema"]
        required.append(BODY)
    name = operation["operationId"]
    return Tool(
        name,
        operation["summary"],
        method,
        path,
        frozenset(one["name"] for one in parameters if one["in"] == "path"),
        frozenset(one["name"] for one in parameters if one["in"] == "query"),
        body is not None,
        {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            "additionalProperties": False,
        },
        method == "GET" and name not in _CHANGING,
    )
