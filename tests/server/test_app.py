import pytest

from trailbase_server.server.app import all_routes


async def test_every_operation_has_one_place_and_one_name(pier):
    async with pier.opened() as (depot, _):
        routes = [bound.route for bound in all_routes(depot)]
        places = [(route.method, route.path) for route in routes]
        assert len(set(places)) == len(places)
        assert all(route.operation and route.summary for route in routes)


async def test_batches_are_offered_only_where_they_are_switched_on(pier):
    async with pier.opened() as (_, web):
        answer = await web.post("/api/transaction/v1/execute", json={"operations": []})
        assert answer.json() == {"results": []}
    pier.edit("enable_record_transactions: true", "")
    async with pier.opened() as (_, web):
        answer = await web.post("/api/transaction/v1/execute", json={"operations": []})
        assert answer.status_code == 404


@pytest.mark.case("T-36")
async def test_the_admin_api_is_for_administrators(pier):
    async with pier.opened() as (_, web):
        assert (await web.get("/api/_admin/info")).status_code == 401


async def test_unknown_paths_go_to_the_public_directory(pier, tmp_path):
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_text("ahoy")
    async with pier.opened(public_dir=public) as (_, web):
        assert (await web.get("/")).text == "ahoy"
        assert (await web.get("/api/nothing")).status_code == 404


async def test_the_account_pages_can_be_switched_off(pier):
    async with pier.opened() as (_, web):
        assert (await web.get("/_/auth/login")).status_code == 200
    async with pier.opened(disable_auth_ui=True) as (depot, web):
        assert (await web.get("/_/auth/login")).status_code == 404
        url = "/api/auth/v1/verify_email/confirm/void"
        assert (await web.get(url, headers={"accept": "text/html"})).status_code == 400
        assert not depot.auth.pages.is_enabled
