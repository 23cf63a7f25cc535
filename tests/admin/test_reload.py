from tests.pier import CONFIG


async def test_administrators_reload_and_see_how_it_went(pier):
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        url = "/api/_admin/reload"
        assert (await web.get(url, headers=boss)).json()["last"] is None
        pier.edit('application_name: "Pier"', 'application_name: "Quay"')
        answer = await web.post(url, headers=boss)
        assert answer.status_code == 200
        assert answer.json()["last"]["ok"]
        assert answer.json()["config_hash"] == depot.config.hash
        assert depot.config.config.server.application_name == "Quay"
        assert (await web.get(url, headers=boss)).json() == answer.json()
        pier.write("config.textproto", CONFIG + "\nnonsense")
        answer = await web.post(url, headers=boss)
        assert answer.status_code == 400
        assert "nonsense" in answer.text
        last = (await web.get(url, headers=boss)).json()["last"]
        assert not last["ok"]
        assert [step["name"] for step in last["steps"]] == ["check"]
        assert "nonsense" in last["steps"][0]["error"]
        assert depot.config.config.server.application_name == "Quay"


async def test_a_reload_is_for_administrators_and_written_down(pier):
    async with pier.opened() as (depot, web):
        assert (await web.post("/api/_admin/reload")).status_code == 401
        assert (await web.get("/api/_admin/reload")).status_code == 401
        pier.edit('application_name: "Pier"', 'application_name: "Quay"')
        boss = await pier.boss(depot)
        await web.post("/api/_admin/reload", headers=boss)
        entries = (await web.get("/api/_admin/audit", headers=boss)).json()["entries"]
        deeds = [entry for entry in entries if entry["action"] == "config.reload"]
        assert len(deeds) == 1
        assert "Quay" in str(deeds[0]["after"])
