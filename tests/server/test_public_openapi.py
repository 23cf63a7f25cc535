"""The document for everybody, over HTTP."""

URL = "/api/openapi.json"


async def test_it_is_there_only_if_wanted(pier):
    async with pier.opened() as (_, web):
        assert (await web.get(URL)).status_code == 404


async def test_it_follows_the_record_apis(pier):
    pier.edit("enable_record_transactions: true", "public_openapi: true")
    async with pier.opened() as (depot, web):
        first = await web.get(URL)
        assert first.headers["content-type"] == "application/json"
        paths = first.json()["paths"]
        assert sorted(paths) == [
            "/api/records/v1/boat",
            "/api/records/v1/boat/{record}",
            "/api/records/v1/gauge",
            "/api/records/v1/gauge/{record}",
        ]
        assert first.json()["servers"] == [{"url": "http://pier.test"}]
        again = await web.get(URL, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        pier.edit('{ name: "gauge"', '{ name: "level"')
        await depot.reload()
        after = await web.get(URL, headers={"if-none-match": first.headers["etag"]})
        assert after.status_code == 200
        assert "/api/records/v1/level" in after.json()["paths"]
        pier.edit("public_openapi: true", "public_openapi: false")
        await depot.reload()
        assert (await web.get(URL)).status_code == 404
