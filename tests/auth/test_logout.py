"""Logging out of one session, and of all."""

import pytest


async def sessions(server, count=2):
    return [await server.login("nora") for _ in range(count)]


@pytest.mark.case("T-08")
async def test_post_ends_one_session(server):
    first, second = await sessions(server)
    answer = await server.post("/logout", {"refresh_token": first["refresh_token"]})
    assert (answer.status, answer.content) == (200, b"")
    assert not await server.is_live(first["refresh_token"])
    assert await server.is_live(second["refresh_token"])
    assert (await server.get("/status", bearer=first["auth_token"])).json["auth_token"]


async def test_post_does_not_tell_which_sessions_there_are(server):
    for token in ("x" * 86, "", "sha256:x"):
        answer = await server.post("/logout", {"refresh_token": token})
        assert (answer.status, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("options", "status"), [({}, 415), ({"json_body": {}}, 422), ({"form": {"a": "b"}}, 415)]
)
async def test_post_with_other_bodies(server, options, status):
    assert (await server.ask("POST", "/logout", **options)).status == status


@pytest.mark.parametrize("how", ["bearer", "auth_token", "refresh_token"])
async def test_get_ends_all_sessions_of_the_caller(server, how):
    first, second = await sessions(server)
    other = await server.login("solo")
    if how == "bearer":
        answer = await server.get("/logout", bearer=first["auth_token"])
        assert answer.cookies == []
    else:
        answer = await server.get("/logout", jar={how: first[how]})
        assert answer.cookies == [f"{how}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=1"]
    assert answer.status == 200
    for tokens in (first, second):
        assert not await server.is_live(tokens["refresh_token"])
    assert await server.is_live(other["refresh_token"])


async def test_get_works_for_nobody(server):
    for options in ({}, {"bearer": "broken"}, {"jar": {"refresh_token": "x"}}):
        assert (await server.get("/logout", **options)).status == 200


async def test_targets(server, state):
    assert (await server.get("/logout", query={"redirect_uri": "/bye"})).location == "/bye"
    answer = await server.get("/logout", query={"redirect_uri": "authapp://bye"})
    assert answer.location == "authapp://bye"
    state.has_public_dir = True
    assert (await server.get("/logout")).location == "/"


@pytest.mark.parametrize(
    "query",
    [
        "redirect_uri=https://evil.test/",
        "redirect_uri=//evil.test/",
        "redirect_uri=",
        "redirect_uri",
        "redirect_uri=/a&redirect_uri=/b",
        "redirect_uri=/a%0d%0aSet-Cookie:%20planted=1",
        "redirect_uri=/a%00b",
    ],
)
async def test_a_refused_target_changes_nothing(server, query):
    tokens = await server.login("nora")
    answer = await server.get("/logout", query=query, bearer=tokens["auth_token"])
    assert answer.status == 400
    assert await server.is_live(tokens["refresh_token"])


async def test_a_location_is_ascii(server):
    answer = await server.get("/logout", query={"redirect_uri": "/schön"})
    assert answer.location == "/sch%C3%B6n"


async def test_head_changes_nothing(server):
    tokens = await server.login("nora")
    await server.ask("HEAD", "/logout", bearer=tokens["auth_token"])
    assert await server.is_live(tokens["refresh_token"])
