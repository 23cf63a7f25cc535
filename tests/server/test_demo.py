"""Visitors of a demo are administrators, and can spoil nothing."""

import pytest

from trailbase_server.server.app import all_routes
from trailbase_server.server.demo import HARMLESS, PRIVATE, fence_demo

ADMIN = "/api/_admin"
REFUSED = (412, "precondition failed: Disallowed in demo")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/config"),
        ("POST", "/user"),
        ("PATCH", "/user"),
        ("DELETE", "/user"),
        ("POST", "/reload"),
        ("POST", "/email/test"),
        ("GET", "/audit"),
    ],
)
async def test_what_would_spoil_it_is_refused(pier, method, path):
    async with pier.opened(demo=True) as (depot, web):
        boss = await pier.boss(depot)
        answer = await web.request(method, ADMIN + path, headers=boss, json={})
        assert (answer.status_code, answer.text) == REFUSED
        anybody = await web.request(method, ADMIN + path, json={})
        assert anybody.status_code == 401, "who is no administrator hears that first"


async def test_looking_around_is_what_it_is_for(pier):
    async with pier.opened(demo=True) as (depot, web):
        boss = await pier.boss(depot)
        for path in ("/info", "/config", "/tables", "/user", "/jobs", "/logs/list"):
            assert (await web.get(ADMIN + path, headers=boss)).status_code == 200, path
        assert (await web.get(ADMIN + "/nothing", headers=boss)).status_code == 404


async def test_visitors_do_not_see_the_addresses_of_others(pier):
    async with pier.opened(demo=True) as (depot, web):
        boss = await pier.boss(depot)
        await web.get("/api/records/v1/boat", headers={"user-agent": "curious/1"})
        entries = (await web.get(f"{ADMIN}/logs/list", headers=boss)).json()["entries"]
        assert {entry["user_agent"] for entry in entries} == {"<demo>"}
        filtered = await web.get(f"{ADMIN}/logs/list?filter[user_agent]=curious/1", headers=boss)
        assert filtered.status_code == 400


async def test_accounts_stay_usable_for_others(pier):
    async with pier.opened(demo=True) as (depot, web):
        boss = await pier.boss(depot)
        login = {"email": "boss@pier.test", "password": "wrong-password"}
        for _ in range(4):
            assert (await web.post("/api/auth/v1/login", json=login)).status_code == 401
        login["password"] = "rope-and-anchor"
        assert (await web.post("/api/auth/v1/login", json=login)).status_code == 200
        for method, path in (("DELETE", "delete"), ("GET", "totp/register")):
            answer = await web.request(method, f"/api/auth/v1/{path}", headers=boss)
            assert (answer.status_code, answer.text) == (400, "Disallowed in demo")


async def test_every_change_by_administrators_is_listed_or_refused(pier):
    async with pier.opened() as (depot, _):
        routes = all_routes(depot)
        fenced = fence_demo(routes)
        refused = {
            new.route.operation
            for old, new in zip(routes, fenced, strict=True)
            if new.route.handler is not old.route.handler
        }
        admin = [bound.route for bound in routes if bound.route.audience == "admin"]
        assert refused >= PRIVATE
        changing = {route.operation for route in admin if route.method != "GET"}
        assert refused == (changing - HARMLESS) | PRIVATE
        assert {bound.route.audience for bound in fenced} == {b.route.audience for b in routes}


async def test_without_demo_nothing_is_refused(pier):
    async with pier.opened() as (depot, web):
        boss = await pier.boss(depot)
        assert (await web.get(f"{ADMIN}/audit", headers=boss)).status_code == 200
