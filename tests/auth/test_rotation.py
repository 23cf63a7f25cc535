"""Refresh tokens that change, and old ones that are shown again."""

import asyncio

import pytest

from trailbase_server.auth.upkeep import delete_expired


@pytest.fixture
async def nora(server):
    return await server.login("nora")


async def refresh(server, token, **more):
    return await server.post("/refresh", {"refresh_token": token, **more})


async def rotate(server, token):
    answer = await refresh(server, token, rotate=True)
    assert answer.status == 200
    return answer.json["refresh_token"]


async def test_nothing_changes_unless_asked_for(server, nora):
    for more in ({}, {"rotate": False}, {"rotate": None}):
        answer = await refresh(server, nora["refresh_token"], **more)
        assert sorted(answer.json) == ["auth_token", "csrf_token"]
    assert (await refresh(server, nora["refresh_token"], rotate="yes")).status == 422
    assert await server.is_live(nora["refresh_token"])


async def test_a_new_token_takes_the_place_of_the_old_one(server, state, nora):
    first = await state.session_database.query("SELECT id, user, created, expires FROM _session")
    new = await rotate(server, nora["refresh_token"])
    assert new != nora["refresh_token"]
    assert await server.is_live(new)
    same = await state.session_database.query("SELECT id, user, created, expires FROM _session")
    assert same == first
    [(token,)] = await state.session_database.query("SELECT token FROM accounts._rotated_token")
    assert nora["refresh_token"] not in token


async def test_requests_that_cross_are_forgiven(server, clock, nora):
    answers = await asyncio.gather(
        *(refresh(server, nora["refresh_token"], rotate=True) for _ in range(3))
    )
    assert [answer.status for answer in answers] == [200] * 3
    [new] = [answer.json["refresh_token"] for answer in answers if len(answer.json) == 3]
    clock.advance(10)
    assert await server.is_live(nora["refresh_token"])
    assert await server.is_live(new)


@pytest.mark.case("T-08")
async def test_a_token_from_before_ends_the_session_for_both(server, clock, caplog, nora):
    other = await server.login("nora")
    new = await rotate(server, await rotate(server, nora["refresh_token"]))
    clock.advance(11)
    assert (await refresh(server, nora["refresh_token"])).status == 401
    assert "after its exchange" in caplog.text
    assert nora["refresh_token"] not in caplog.text
    assert not await server.is_live(new)
    assert await server.is_live(other["refresh_token"])


async def test_a_later_session_with_the_same_number_is_another_one(server, clock, state, nora):
    new = await rotate(server, nora["refresh_token"])
    await server.post("/logout", {"refresh_token": new})
    clock.advance(11)
    later = await server.login("nora")
    assert len(await state.session_database.query("SELECT DISTINCT id FROM _session")) == 1
    assert (await refresh(server, nora["refresh_token"])).status == 401
    assert await server.is_live(later["refresh_token"])


async def test_a_paused_session_is_not_rotated(server, state, nora):
    await state.database.write(pause)
    assert (await refresh(server, nora["refresh_token"], rotate=True)).status == 401
    assert await state.session_database.query("SELECT * FROM accounts._rotated_token") == []


def pause(tx):
    tx.run("UPDATE _user SET unverified_email = email, email = NULL WHERE username = 'nora'")


async def test_what_was_exchanged_is_forgotten_with_the_session(server, state, clock, nora):
    await rotate(server, nora["refresh_token"])
    clock.advance(30 * 24 * 3600 + 61)
    assert (await refresh(server, nora["refresh_token"])).status == 401
    assert await delete_expired(state) == 2
    assert await state.session_database.query("SELECT * FROM accounts._rotated_token") == []


async def test_the_text_of_a_digest_is_no_token(server, state, nora):
    await rotate(server, nora["refresh_token"])
    [(token,)] = await state.session_database.query("SELECT token FROM accounts._rotated_token")
    assert (await refresh(server, token, rotate=True)).status == 401
