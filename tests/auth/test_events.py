"""Counts of what happens to accounts."""

import pytest

from trailbase_server.auth import totp
from trailbase_server.auth.lockout import MAX_FAILURES

RIGHT = {"username": "nora", "password": "NORA-pass-77"}
SECRET = "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX"  # of the one person with a second factor


@pytest.fixture
def happened(state):
    def look():
        return {event: count for event, count in state.events.counts.items() if count}

    return look


async def test_nothing_has_happened_at_first(happened):
    assert happened() == {}


async def test_a_log_in_opens_a_session_that_can_be_refreshed(server, happened):
    answer = await server.post("/login", RIGHT)
    assert happened() == {"session": 1}
    await server.post("/refresh", {"refresh_token": answer.json["refresh_token"]})
    await server.post("/refresh", {"refresh_token": "unknown"})
    assert happened() == {"session": 1, "refresh": 1, "refresh_refused": 1}


@pytest.mark.parametrize("who", ["nora", "nobody"])
async def test_wrong_passwords_are_counted_until_there_is_a_lock(server, happened, who):
    for _ in range(MAX_FAILURES):
        await server.post("/login", {"username": who, "password": "wrong"})
    assert happened() == {"password_wrong": MAX_FAILURES}
    answer = await server.post("/login", {"username": who, "password": "wrong"})
    assert answer.status == 429
    assert happened() == {"password_wrong": MAX_FAILURES, "password_locked": 1}


async def test_the_second_factor_is_counted_apart(server, state, happened):
    password = {"username": "otto", "password": "OTTO-pass-77"}
    token = (await server.post("/login", password)).json["mfa_token"]
    assert happened() == {}
    answer = await server.post("/login_mfa", {"mfa_token": token, "totp": "000000"})
    assert answer.status == 401
    assert happened() == {"second_factor_wrong": 1}
    step = int(state.clock.now()) // totp.STEP_S
    code = totp.code_at(totp.decode_secret(SECRET), step)
    await server.post("/login_mfa", {"mfa_token": token, "totp": code})
    assert happened() == {"second_factor_wrong": 1, "session": 1}


async def test_only_new_accounts_are_registrations(server, mails, happened):
    for email in ("new@auth.test", "nora@auth.test", "other@auth.test"):
        given = {"email": email, "password": "long-enough-1", "password_repeat": "long-enough-1"}
        assert (await server.post("/register", given)).status == 200
    assert happened() == {"registration": 2}
