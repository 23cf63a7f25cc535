"""SQL over HTTP, on a depot."""

from base64 import urlsafe_b64encode

import pytest

QUERY = "/api/_admin/query"
PARSE = "/api/_admin/parse"


@pytest.fixture
async def admin(pier):
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        web.depot = depot
        yield web


async def query(admin, sql, **more):
    return await admin.post(QUERY, json={"query": sql, **more})


async def parse(admin, text, **more):
    encoded = urlsafe_b64encode(text.encode()).decode()
    answer = await admin.post(PARSE, json={"query": encoded, **more})
    assert answer.status_code == 200
    return answer.json()["ok"]


async def test_rows_come_with_their_columns(admin):
    answer = await query(admin, "SELECT 1 AS one, NULL AS none")
    assert answer.status_code == 200, answer.text
    kind = {"type_name": "", "data_type": "Any", "affinity_type": "Numeric", "options": []}
    assert answer.json() == {
        "columns": [{"name": "one", **kind}, {"name": "none", **kind}],
        "rows": [[{"Integer": 1}, "Null"]],
    }


async def test_declared_types_are_told(admin):
    await query(admin, "CREATE TABLE kinds(a TEXT, b REAL); INSERT INTO kinds VALUES ('x', 1)")
    columns = (await query(admin, "SELECT a, b FROM kinds")).json()["columns"]
    assert [column["data_type"] for column in columns] == ["Text", "Real"]


async def test_a_new_table_is_known_at_once(admin):
    await query(admin, "CREATE TABLE buoy(id INTEGER PRIMARY KEY) STRICT")
    tables = (await admin.get("/api/_admin/tables")).json()["tables"]
    assert "buoy" in [table["name"]["name"] for table, _ in tables]


async def test_a_new_table_is_known_also_when_the_script_fails_later(admin):
    assert (await query(admin, "CREATE TABLE buoy(a); SELECT * FROM missing")).status_code == 400
    tables = (await admin.get("/api/_admin/tables")).json()["tables"]
    assert "buoy" in [table["name"]["name"] for table, _ in tables]


@pytest.mark.parametrize("name", ["unknown", "../x", "session", "logs"])
async def test_only_configured_databases_are_attached(admin, name):
    databases = set(admin.depot.options.depot.parent.rglob("*.db"))
    answer = await query(admin, "SELECT 1", attached_databases=[name])
    assert answer.status_code == 412
    assert set(admin.depot.options.depot.parent.rglob("*.db")) == databases


@pytest.mark.parametrize(
    "body",
    [[], {}, {"query": 1}, {"query": "SELECT 1", "attached_databases": [1]}, {"query": None}],
)
async def test_a_body_of_another_shape_is_refused(admin, body):
    assert (await admin.post(QUERY, json=body)).status_code == 422


async def test_a_reading_script_cannot_write(admin):
    answer = await query(admin, "DELETE FROM _user", read_only=True)
    assert (answer.status_code, answer.text) == (
        412,
        "precondition failed: Demo disallows mutation queries",
    )


async def test_what_was_run_is_audited(admin):
    await query(admin, "SELECT 4711")
    entries = (await admin.get("/api/_admin/audit")).text
    assert "sql.run" in entries
    assert "SELECT 4711" in entries


async def test_parsing_looks_no_names_up(admin):
    assert await parse(admin, "_USER_.id = _ROW_.owner AND 'a' IN _REQ_FIELDS_")
    assert await parse(admin, "SELECT * FROM nowhere", mode="Statement")
    assert not await parse(admin, "1 +")
    assert not await parse(admin, "SELECT 1")
    assert not await parse(admin, "SELEKT 1", mode="Statement")
    assert not await parse(admin, "1\0")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": "*"}, 400),
        ({"query": "MQ==", "mode": "Other"}, 422),
        ({"query": "MQ==", "mode": []}, 422),
        ({"query": 5}, 422),
        ({"query": "_w=="}, 400),
    ],
)
async def test_what_cannot_be_parsed_at_all_is_the_clients_mistake(admin, body, status):
    assert (await admin.post(PARSE, json=body)).status_code == status
