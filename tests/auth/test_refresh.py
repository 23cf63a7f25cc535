"""Refreshing: what is new, what stays, what is refused."""

import pytest

from trailbase_server.auth.sessions import ETERNITY

PENDING = "UPDATE _user SET unverified_email = email, email = NULL WHERE username = 'nora'"
GONE = "DELETE FROM _user WHERE username = 'nora'"


def run(tx, sql):
    tx.run(sql)


async def test_the_auth_token_is_new_and_the_refresh_token_stays(server):
    tokens = await server.login("nora")
    body = {"refresh_token": tokens["refresh_token"]}
    first, second = await server.post("/refresh", body), await server.post("/refresh", body)
    assert list(first.json) == ["auth_token", "csrf_token"]
    assert len({tokens["csrf_token"], first.json["csrf_token"], second.json["csrf_token"]}) == 3
    assert first.cookies == []


async def test_other_credentials_do_not_matter(server):
    tokens = await server.login("nora")
    answer = await server.post(
        "/refresh",
        {"refresh_token": tokens["refresh_token"]},
        bearer="stale",
        jar={"auth_token": "stale", "refresh_token": tokens["refresh_token"]},
    )
    assert (answer.status, answer.cookies) == (200, [])


async def test_a_vendor_type_of_json(server):
    tokens = await server.login("nora")
    answer = await server.post(
        "/refresh",
        body=f'{{"refresh_token":"{tokens["refresh_token"]}"}}'.encode(),
        headers={"content-type": "application/vnd.auth+json"},
    )
    assert answer.status == 200


@pytest.mark.case("T-08")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"refresh_token": "x" * 86}, 401),
        ({"refresh_token": ""}, 401),
        ({"refresh_token": "%"}, 401),
        ({"refresh_token": "a\0b"}, 401),
        ({"refresh_token": None}, 422),
        ({"refresh_token": 1}, 422),
        ({}, 422),
        ("refresh_token", 422),
    ],
)
async def test_what_is_refused(server, body, status):
    answer = await server.post("/refresh", body)
    assert answer.status == status
    assert bool(answer.content) is (status != 401)


async def test_the_auth_token_is_no_refresh_token(server):
    tokens = await server.login("nora")
    assert not await server.is_live(tokens["auth_token"])
    assert not await server.is_live(tokens["refresh_token"].swapcase())


async def test_a_session_does_not_get_longer(server, clock):
    tokens = await server.login("nora")
    clock.advance(2592000 - 1)
    assert await server.is_live(tokens["refresh_token"])
    clock.advance(1)
    assert not await server.is_live(tokens["refresh_token"])


@pytest.mark.case("T-06")
@pytest.mark.parametrize("change", [PENDING, GONE])
async def test_no_token_for_users_who_are_gone_or_pending(server, state, change):
    tokens = await server.login("nora")
    await state.database.write(run, change)
    assert not await server.is_live(tokens["refresh_token"])


@pytest.mark.case("T-08")
async def test_a_life_of_zero_switches_refreshing_off(server, state, config):
    config.refresh_token_ttl_sec = 0
    state.configure(config, None)
    tokens = await server.login("nora")
    assert not await server.is_live(tokens["refresh_token"])


@pytest.mark.case("T-08")
async def test_a_negative_life_never_ends(server, state, config, clock):
    config.refresh_token_ttl_sec = -1
    state.configure(config, None)
    tokens = await server.login("nora")
    clock.advance(10**9)
    assert await server.is_live(tokens["refresh_token"])
    rows = await state.session_database.query("SELECT expires FROM _session")
    assert rows == [(ETERNITY,)]
