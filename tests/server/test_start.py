import pytest

from trailbase_server.errors import OperatorError


async def test_a_depot_serves_its_apis_of_all_databases(pier):
    async with pier.opened() as (_, web):
        made = await web.post("/api/records/v1/boat", json={"name": "Egret"})
        assert made.json() == {"ids": ["1"]}
        assert (await web.get("/api/records/v1/boat/1")).json()["name"] == "Egret"
        assert (await web.get("/api/records/v1/gauge/1")).json() == {"id": 1, "level": 2.5}


async def test_what_was_written_is_there_at_the_next_start(pier):
    async with pier.opened() as (_, web):
        await web.post("/api/records/v1/boat", json={"name": "Egret"})
    async with pier.opened() as (_, web):
        assert (await web.get("/api/records/v1/boat/1")).status_code == 200


async def test_a_config_that_is_wrong_in_itself_changes_nothing(pier):
    pier.edit('name: "boat" table_name', 'name: "bo-at" table_name')
    pier.edit('"Pier"', '""')
    before = sorted(path.name for path in pier.root.iterdir())
    with pytest.raises(OperatorError) as caught:
        async with pier.opened():
            pass
    lines = str(caught.value).splitlines()

    assert [line.split(": ")[0] for line in lines] == ["config.textproto:2", "config.textproto:5"]
    assert sorted(path.name for path in pier.root.iterdir()) == before


async def test_a_config_is_checked_against_the_schema(pier):
    pier.edit('table_name: "boat"', 'table_name: "submarine"')
    with pytest.raises(OperatorError, match="submarine"):
        async with pier.opened():
            pass


async def test_a_schema_that_is_none_is_told_before_anything_is_made(pier):
    pier.edit("databases: [{", 'schemas: [{ name: "x" schema: "{\\"type\\": 5}" }]\ndatabases: [{')
    with pytest.raises(OperatorError, match=r"schemas\[0\]"):
        async with pier.opened():
            pass
    assert not (pier.root / "data").exists()


async def test_a_path_that_is_not_there_is_told(pier, tmp_path):
    with pytest.raises(OperatorError, match="Path not found"):
        async with pier.opened(public_dir=tmp_path / "nowhere"):
            pass


async def test_no_file_stays_open_after_many_starts(pier):
    import os

    async with pier.opened():
        pass
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        async with pier.opened():
            pass
    assert len(os.listdir("/proc/self/fd")) <= before
