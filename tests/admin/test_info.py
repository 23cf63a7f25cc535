async def test_an_administrator_learns_about_the_server(pier):
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        facts = (await web.get("/api/_admin/info", headers=boss)).json()
        assert facts["git_version"] == {"tag": "v0.33.2", "offset": 0}
        assert facts["threads"] >= 1
        assert facts["postgres"] is False


async def test_the_public_key_is_that_of_the_depot(pier):
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        text = (await web.get("/api/_admin/public_key", headers=boss)).text
        assert text == (pier.root / "secrets/keys/public_key.pem").read_text()
