"""Sets of recovery codes: made with a code, shown once, void when replaced."""

import pytest

from trailbase_server.auth.totp import code_at, decode_secret

SECRET = decode_secret("GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX")
OTTO = {"username": "otto", "password": "OTTO-pass-77"}
PATH = "/totp/recovery_codes"


@pytest.fixture
def code(clock):
    return lambda steps=0: code_at(SECRET, clock.now_s() // 30 + steps)


async def second_step(server, code):
    pending = (await server.post("/login", OTTO)).json["mfa_token"]
    return await server.post("/login_mfa", {"mfa_token": pending, "totp": code})


@pytest.fixture
async def otto(server, code):
    return (await second_step(server, code(-1))).json["auth_token"]


async def test_a_set_is_shown_once_and_each_code_is_good_once(server, otto, code):
    answer = await server.post(PATH, {"totp": code()}, bearer=otto)
    codes = answer.json["recovery_codes"]
    assert len(set(codes)) == 10
    assert (await second_step(server, codes[3])).status == 200
    assert (await second_step(server, codes[3])).status == 401
    assert (await server.get(PATH, bearer=otto)).json == {"remaining": 9}


async def test_a_new_set_voids_the_old_one(server, otto, code):
    old = (await server.post(PATH, {"totp": code()}, bearer=otto)).json["recovery_codes"]
    new = await server.post(PATH, {"totp": old[0]}, bearer=otto)
    assert (await second_step(server, old[1])).status == 401
    assert (await second_step(server, new.json["recovery_codes"][1])).status == 200


async def test_a_recovery_code_switches_the_factor_off_and_all_are_void(server, otto, code):
    codes = (await server.post(PATH, {"totp": code()}, bearer=otto)).json["recovery_codes"]
    answer = await server.post("/totp/unregister", {"totp": codes[0]}, bearer=otto)
    assert answer.status == 200
    assert (await server.get(PATH, bearer=otto)).json == {"remaining": 0}
    assert (await server.post("/login", OTTO)).status == 200


async def test_who_gets_none(server, state, otto, code):
    nora = (await server.login("nora"))["auth_token"]
    assert (await server.post(PATH, {"totp": code()})).status == 401
    assert (await server.post(PATH, {"totp": code()}, bearer=nora)).status == 400
    assert (await server.post(PATH, {"totp": code(-1)}, bearer=otto)).status == 401
    assert (await server.post(PATH, {}, bearer=otto)).status == 400
    assert (await server.get(PATH)).status == 401
    state.demo = True
    assert (await server.post(PATH, {"totp": code()}, bearer=otto)).status == 400
    state.demo = False
    await state.database.write(delete_all)
    assert (await server.post(PATH, {"totp": code()}, bearer=otto)).status == 404


def delete_all(tx):
    tx.run("DELETE FROM _user")
