"""Status: tokens as they are, refreshed, or none."""

import pytest

NOBODY = {"auth_token": None, "refresh_token": None, "csrf_token": None}


@pytest.fixture
async def tokens(server):
    return await server.login("nora")


async def test_nobody(server, tokens):
    for options in (
        {},
        {"headers": {"refresh-token": tokens["refresh_token"]}},
        {"bearer": "broken", "headers": {"refresh-token": tokens["refresh_token"]}},
        {"bearer": "broken", "jar": tokens},
        {"jar": {"auth_token": "broken"}},
        {"jar": {"auth_token": "broken", "refresh_token": "x" * 86}},
    ):
        answer = await server.get("/status", **options)
        assert (answer.status, answer.json, answer.cookies) == (200, NOBODY, [])


async def test_a_bearer_token_comes_back_as_it_is(server, tokens):
    answer = await server.get(
        "/status", bearer=tokens["auth_token"], headers={"content-type": "application/json"}
    )
    assert answer.json == {**tokens, "refresh_token": None}


async def test_with_a_refresh_token_it_is_refreshed(server, tokens):
    answer = await server.get(
        "/status",
        bearer=tokens["auth_token"],
        headers={"refresh-token": tokens["refresh_token"]},
    )
    assert answer.json["refresh_token"] == tokens["refresh_token"]
    assert answer.json["csrf_token"] != tokens["csrf_token"]
    assert answer.cookies == []


@pytest.mark.parametrize("refresh", ["x" * 86, ""])
async def test_a_bad_refresh_token_is_401(server, tokens, refresh):
    answer = await server.get(
        "/status", bearer=tokens["auth_token"], headers={"refresh-token": refresh}
    )
    assert (answer.status, answer.content) == (401, b"")


async def test_cookies_are_refreshed_and_stored(server, tokens):
    both = {name: tokens[name] for name in ("auth_token", "refresh_token")}
    for jar in (
        both,
        {"refresh_token": tokens["refresh_token"]},
        {**both, "auth_token": "broken"},
    ):
        answer = await server.get("/status", jar=jar)
        assert answer.json["refresh_token"] == tokens["refresh_token"]
        assert answer.json["auth_token"] != tokens["auth_token"]
        assert answer.jar == {"auth_token": answer.json["auth_token"]}


async def test_an_auth_cookie_alone_stays_as_it_is(server, tokens):
    answer = await server.get("/status", jar={"auth_token": tokens["auth_token"]})
    assert answer.json == {**tokens, "refresh_token": None}
    assert answer.cookies == []


async def test_a_bearer_beside_a_cookie_updates_the_cookie(server, tokens):
    answer = await server.get(
        "/status",
        bearer=tokens["auth_token"],
        headers={"refresh-token": tokens["refresh_token"]},
        jar={"auth_token": "x"},
    )
    assert answer.jar == {"auth_token": answer.json["auth_token"]}
