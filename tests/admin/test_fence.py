"""Whoever is no administrator does not learn which operations there are."""

import pytest

PLACES = [("GET", "/nothing"), ("PUT", "/config"), ("POST", "/job/run/deeper"), ("GET", "/")]


@pytest.mark.parametrize(("method", "path"), PLACES)
async def test_an_administrator_is_asked_for_first(pier, method, path):
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        url = f"/api/_admin{path}"
        assert (await web.request(method, url)).status_code == 401
        answer = await web.request(method, url, headers={"authorization": boss["authorization"]})
        assert (answer.status_code, answer.text) == (400, "admin APIs require csrf header")
        answer = await web.request(method, url, headers={**boss, "csrf-token": "x"})
        assert (answer.status_code, answer.text) == (400, "invalid CSRF token")


async def test_an_administrator_is_told(pier):
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        assert (await web.get("/api/_admin/nothing")).status_code == 404
        answer = await web.put("/api/_admin/config")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET,HEAD,POST")
        assert (await web.get("/api/_administration")).status_code == 404


async def test_a_browser_may_ask_what_is_allowed(pier):
    async with pier.opened() as (_, web):
        answer = await web.options("/api/_admin/config")
        assert (answer.status_code, answer.headers["allow"]) == (200, "GET,HEAD,POST")


async def test_without_administration_there_is_no_fence(pier):
    async with pier.opened(no_admin=True) as (_, web):
        assert (await web.get("/api/_admin/nothing")).status_code == 404
