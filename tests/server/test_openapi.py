"""The document, checked by a validator of the standard and against the server."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from trailbase_server.server.app import all_routes
from trailbase_server.server.openapi import (
    administration_routes,
    build_document,
    public_routes,
    render_document,
)
from trailbase_server.server.operations import UPSTREAM
from trailbase_server.web.router import ANY_METHOD


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def everything():
    return build_document(public_routes() + administration_routes())


def test_it_is_valid():
    OpenAPIV31SpecValidator(everything()).validate()


def test_every_operation_has_an_id_of_its_own_and_its_parameters():
    ids = []
    for path, _, operation in operations(everything()):
        ids.append(operation["operationId"])
        given = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert given == set(re.findall(r"{(\w+)}", path))
    assert len(ids) == len(set(ids))


def test_the_one_of_the_protocol_has_its_operations():
    ids = {
        one["operationId"] for _, _, one in operations(build_document(public_routes(ours=False)))
    }
    assert ids == UPSTREAM


async def test_no_operation_of_the_server_is_forgotten(pier):
    documented = {route.operation for route in public_routes() + administration_routes()}
    async with pier.opened() as (depot, _):
        for route in (bound.route for bound in all_routes(depot)):
            if route.tag in ("auth", "records", "admin"):
                assert route.operation in documented, route.path


def test_fences_and_pages_are_not_shown():
    document = everything()
    assert {route.method for route in administration_routes()} >= {ANY_METHOD}
    assert "/api/_admin" not in document["paths"]
    assert all(path.startswith(("/api/", "/.well-known/")) for path in document["paths"])


def test_who_may_call_is_said():
    document = everything()["paths"]
    assert document["/api/auth/v1/login"]["post"]["security"] == []
    admin = document["/api/_admin/info"]["get"]
    assert admin["security"] == [{"bearer": [], "csrf": []}]
    assert {"401", "403"} <= set(admin["responses"])
    config = document["/api/_admin/config"]["post"]
    assert list(config["requestBody"]["content"]) == ["application/octet-stream"]


@pytest.mark.parametrize("has_batches", [True, False])
async def test_an_administrator_reads_what_is_offered(pier, has_batches):
    if not has_batches:
        pier.edit("enable_record_transactions: true", "")
    async with pier.opened() as (depot, web):
        answer = await web.get("/api/_admin/openapi.json", headers=await pier.boss(depot))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    document = answer.json()
    assert ("/api/transaction/v1/execute" in document["paths"]) == has_batches
    assert [tag["name"] for tag in document["tags"]] == ["admin", "auth", "records"]
    assert answer.content == render_document(document)
