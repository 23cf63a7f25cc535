"""What is said about bodies and queries is what the handlers want."""

import pytest

from trailbase_server.server.openapi import administration_routes, public_routes
from trailbase_server.server.operations import BODIES, QUERIES, RESPONSES, UPSTREAM, members

ROUTES = {route.operation: route for route in public_routes() + administration_routes()}


@pytest.mark.parametrize("table", [BODIES, QUERIES, RESPONSES, dict.fromkeys(UPSTREAM)])
def test_every_name_is_an_operation(table):
    assert set(table) - set(ROUTES) == set()


def test_only_operations_with_a_body_have_one():
    for name in BODIES:
        assert ROUTES[name].method in ("POST", "PATCH", "PUT", "DELETE"), name


def test_members_that_may_be_absent_are_marked():
    assert members("a", "b?") == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "required": ["a"],
    }


def sample(schema):
    kind = schema["type"]
    if kind == "array":
        return [sample(schema["items"])] if "type" in schema["items"] else []
    return {"string": "x", "integer": 1, "boolean": True, "object": {}}[kind]


@pytest.mark.parametrize("name", sorted(name for name in BODIES if "required" in BODIES[name]))
async def test_what_has_to_be_there_is_missed(pier, name):
    """Without a required member a request is refused as malformed: 400 or 422."""
    schema, route = BODIES[name], ROUTES[name]
    required = schema["required"]
    pier.edit(
        "record_apis:",
        "auth { enable_otp_signin: true enable_anonymous_signin: true } record_apis:",
    )
    async with pier.opened() as (depot, web):
        headers = await pier.boss(depot)
        for missing in required:
            body = {
                key: sample(value)
                for key, value in schema["properties"].items()
                if key in required and key != missing
            }
            answer = await web.request(route.method, route.path, json=body, headers=headers)
            assert answer.status_code in (400, 422), (missing, answer.status_code, answer.text)
