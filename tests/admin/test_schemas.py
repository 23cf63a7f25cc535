"""JSON schemas through the admin API."""

import json

import pytest

SCHEMA = "/api/_admin/schema"


@pytest.fixture
async def admin(pier):
    pier.edit(
        'databases: [{ name: "tide" }]',
        'databases: [{ name: "tide" }] schemas: [{ name: "mast" schema: \'{"type": "string"}\' }]',
    )
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        yield web


async def test_all_named_schemas_are_listed(admin):
    found = (await admin.get(SCHEMA)).json()["schemas"]
    assert {one["name"]: one["builtin"] for one in found} == {
        "std.FileUpload": True,
        "std.FileUploads": True,
        "std.KeyValue": True,
        "mast": False,
    }
    assert json.loads(found[-1]["schema"]) == {"type": "string"}


@pytest.mark.parametrize(
    ("query", "required"),
    [("", ["name"]), ("?mode=Insert", ["name"]), ("?mode=select", ["id", "name"])],
)
async def test_the_schema_of_an_api_is_a_file(admin, query, required):
    answer = await admin.get(f"{SCHEMA}/boat/schema.json{query}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert sorted(answer.json()["required"]) == required


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("none/schema.json", 412),
        ("boat/schema.json?mode=Delete", 400),
        ("boat/schema.json?mode=Insert&mode=Insert", 400),
        ("boat/schema.json?mode=", 400),
    ],
)
async def test_what_names_no_schema_is_refused(admin, path, status):
    assert (await admin.get(f"{SCHEMA}/{path}")).status_code == status
