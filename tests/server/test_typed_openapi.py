"""The document of a depot, checked by a validator and used against its server."""

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator

from trailbase_server.server.typed_openapi import build_typed_document

CARGO = (
    "CREATE TABLE cargo ("
    " id INTEGER PRIMARY KEY,"
    " boat INTEGER NOT NULL REFERENCES boat(id),"
    " papers TEXT CHECK(jsonschema('std.FileUpload', papers)),"
    " label TEXT NOT NULL) STRICT;"
)


async def document_of(pier):
    pier.write("migrations/main/U1790000003__cargo.sql", CARGO)
    pier.edit(
        "record_apis: [",
        'record_apis: [ { name: "cargo" table_name: "cargo" acl_world: [READ]'
        ' acl_authenticated: [CREATE, UPDATE] expand: ["boat"] },',
    )
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        await web.post("/api/records/v1/boat", json={"name": "Anna"})
        made = await web.post("/api/records/v1/cargo", json={"boat": 1, "label": "salt"})
        assert made.status_code == 200
        record = (await web.get("/api/records/v1/cargo/1?expand=boat")).json()
        page = (await web.get("/api/records/v1/cargo?count=true")).json()
        return build_typed_document(depot.records, "http://pier.test"), record, page


def validator(document, schema):
    return jsonschema_rs.validator_for({**document, **schema})


async def test_it_is_valid_and_has_what_may_be_done(pier):
    document, _, _ = await document_of(pier)
    OpenAPIV31SpecValidator(document).validate()
    methods = {path: sorted(found) for path, found in document["paths"].items()}
    assert methods["/api/records/v1/cargo"] == ["get", "post"]
    assert methods["/api/records/v1/cargo/{record}"] == ["get", "patch"]
    assert methods["/api/records/v1/gauge"] == ["get"]
    assert "/api/records/v1/cargo/schema" not in methods
    listing = document["paths"]["/api/records/v1/cargo"]["get"]
    assert listing["security"] == [{}, {"bearer": []}]
    assert document["paths"]["/api/records/v1/cargo"]["post"]["security"] == [{"bearer": []}]
    assert document["servers"] == [{"url": "http://pier.test"}]


async def test_answers_fit_it(pier):
    document, record, page = await document_of(pier)
    operations = document["paths"]
    for path, value in (("/{record}", record), ("", page)):
        answer = operations[f"/api/records/v1/cargo{path}"]["get"]["responses"]["200"]
        schema = answer["content"]["application/json"]["schema"]
        check = validator(document, schema)
        check.validate(value)
    assert not check.is_valid({"records": [{"id": "x"}]})
