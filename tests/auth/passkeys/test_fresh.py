"""Who may add and remove passkeys: a fresh log-in, or the password once more."""

import pytest

from tests.auth.conftest import NORA
from tests.auth.passkeys.conftest import PATH
from trailbase_server.auth.passkeys.fresh import FRESH_S
from trailbase_server.auth.totp import code_at, decode_secret
from trailbase_server.auth.users import set_totp_secret

SECRET = "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX"
RIGHT = "NORA-pass-77"


@pytest.fixture
def code(clock):
    return lambda: code_at(decode_secret(SECRET), clock.now_s() // 30)


async def test_nobody_in_particular_may_not(server):
    assert (await server.post(f"{PATH}/register/begin", {})).status == 401


async def test_a_token_alone_does_not_tell_how_old_the_log_in_is(server, nora):
    path, bearer = f"{PATH}/register/begin", nora.tokens["auth_token"]
    for token in (None, "", "x", "a" * 86):
        headers = {} if token is None else {"refresh-token": token}
        answer = await server.post(path, {}, bearer=bearer, headers=headers)
        assert (answer.status, answer.content) == (403, b"")


async def test_nor_does_the_session_of_somebody_else(server, enter, nora):
    solo = await enter("solo")
    headers = {"refresh-token": solo.tokens["refresh_token"]}
    path, bearer = f"{PATH}/register/begin", nora.tokens["auth_token"]
    assert (await server.post(path, {}, bearer=bearer, headers=headers)).status == 403


async def test_a_log_in_is_fresh_for_a_while(nora, clock):
    clock.advance(FRESH_S - 1)
    assert (await nora.begin()).status == 200
    clock.advance(1)
    assert (await nora.begin()).status == 403


async def test_later_the_password_comes_along(nora, clock):
    clock.advance(FRESH_S)
    wrong = await nora.begin(password="not hers")
    assert (wrong.status, wrong.text) == (400, "wrong password or code")
    assert (await nora.begin(password=RIGHT)).status == 200
    for _ in range(3):
        await nora.begin(password="not hers")
    assert (await nora.begin(password=RIGHT)).status == 429


async def test_and_the_code_of_a_second_factor(nora, clock, code, databases):
    await databases[0].write(set_totp_secret, NORA, SECRET, None)
    clock.advance(FRESH_S)
    missing = await nora.begin(password=RIGHT)
    assert (missing.status, missing.text) == (400, "TOTP missing")
    assert (await nora.begin(password=RIGHT, totp="000000")).status == 400
    assert (await nora.begin(password="not hers", totp=code())).status == 400
    assert (await nora.begin(password=RIGHT, totp=code())).status == 200


async def test_whoever_has_no_password_logs_in_again(nora, clock, databases):
    await databases[0].write(_drop_password, NORA)
    clock.advance(FRESH_S)
    assert (await nora.begin(password=RIGHT)).status == 400
    assert (await nora.begin()).status == 403


def _drop_password(tx, user_id):
    tx.run("UPDATE _user SET password_hash = NULL WHERE id = ?1", (user_id,))
