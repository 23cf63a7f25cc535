"""The caller's sessions: seen, ended, and nobody else's."""

import pytest

PATH = "/sessions"


@pytest.fixture
async def nora(server):
    return await server.login("nora")


def current(tokens):
    return {"refresh-token": tokens["refresh_token"]}


async def listed(server, tokens, **options):
    answer = await server.get(PATH, bearer=tokens["auth_token"], **options)
    assert answer.status == 200
    return answer.json["sessions"]


async def test_live_ones_are_listed_the_newest_first(server, clock, config, state, nora):
    clock.advance(10)
    config.refresh_token_ttl_sec = -1
    state.configure(config, None)
    await server.login("nora")
    await server.login("solo")
    newest, oldest = await listed(server, nora, headers=current(nora))
    assert newest == {
        "id": newest["id"],
        "created": clock.now_s(),
        "expires": None,
        "current": False,
    }
    assert oldest["current"]
    assert oldest["expires"] - oldest["created"] == 30 * 24 * 3600
    assert "refresh_token" not in str(newest)
    clock.advance(31 * 24 * 3600)
    assert len(await listed(server, await server.login("nora"))) == 2


async def test_the_others_are_ended(server, nora):
    other, foreign = await server.login("nora"), await server.login("solo")
    answer = await server.ask("DELETE", PATH, bearer=nora["auth_token"], headers=current(nora))
    assert answer.status == 200
    live = [await server.is_live(one["refresh_token"]) for one in (nora, other, foreign)]
    assert live == [True, False, True]


async def test_one_is_ended_if_it_is_the_callers(server, nora):
    solo = await server.login("solo")
    [own] = await listed(server, nora)
    path = f"{PATH}/{own['id']}"
    assert (await server.ask("DELETE", path, bearer=solo["auth_token"])).status == 404
    assert await server.is_live(nora["refresh_token"])
    statuses = [
        (await server.ask("DELETE", path, bearer=nora["auth_token"])).status for _ in range(2)
    ]
    assert statuses == [200, 404]
    assert not await server.is_live(nora["refresh_token"])


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 30, "%D9%A3"])
async def test_numbers_that_are_none(server, nora, number):
    answer = await server.ask("DELETE", f"{PATH}/{number}", bearer=nora["auth_token"])
    assert answer.status == 404


async def test_who_may_not(server):
    jar = await server.login_browser("nora")
    for method, path in (("GET", PATH), ("DELETE", PATH), ("DELETE", f"{PATH}/1")):
        assert (await server.ask(method, path)).status == 401
    for path in (PATH, f"{PATH}/1"):
        assert (await server.ask("DELETE", path, jar=jar)).status == 400
    assert (await server.get(PATH, jar=jar)).json["sessions"][0]["current"]
