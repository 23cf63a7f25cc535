import jsonschema_rs
import pytest

from trailbase_server.mcp.tools import build_tools
from trailbase_server.server.openapi import (
    administration_routes,
    build_document,
    public_routes,
)

DOCUMENT = build_document(public_routes() + administration_routes())


def test_every_operation_is_a_tool_but_streams_and_binary_ones():
    ids = {one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()}
    assert ids - set(build_tools(DOCUMENT)) == {
        "add_subscription_sse_and_ws_handler",
        "get_config_handler",
        "update_config_handler",
    }


def test_arguments_are_those_of_the_request():
    tool = build_tools(DOCUMENT)["update_record_handler"]
    assert (tool.method, tool.path) == ("PATCH", "/api/records/v1/{api}/{record}")
    assert sorted(tool.input_schema["properties"]) == ["api", "body", "record"]
    assert sorted(tool.input_schema["required"]) == ["api", "body", "record"]
    listing = build_tools(DOCUMENT)["list_records_handler"]
    assert listing.input_schema["required"] == ["api"]
    assert {"filter", "limit", "order"} <= set(listing.input_schema["properties"])


@pytest.mark.parametrize("tool", build_tools(DOCUMENT).values(), ids=lambda tool: tool.name)
def test_every_schema_is_one(tool):
    jsonschema_rs.validator_for(tool.input_schema)
    assert tool.render()["description"]


def test_read_only_tools_change_nothing():
    tools = build_tools(DOCUMENT, read_only=True)
    assert {"list_records_handler", "info_handler", "list_jobs_handler"} <= set(tools)
    assert {tool.method for tool in tools.values()} == {"GET"}
    assert not {"logout_handler", "verify_email_handler", "query_handler"} & set(tools)
    assert all(tool.render()["annotations"]["readOnlyHint"] for tool in tools.values())


def test_only_named_tools_are_offered():
    tools = build_tools(DOCUMENT, patterns=["list_*", "info_handler"])
    assert "info_handler" in tools
    assert all(name.startswith("list_") for name in set(tools) - {"info_handler"})
    assert build_tools(DOCUMENT, patterns=["nothing"]) == {}
    assert "delete_record_handler" not in build_tools(
        DOCUMENT, read_only=True, patterns=["*_record_handler"]
    )
