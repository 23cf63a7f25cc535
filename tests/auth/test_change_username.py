"""Changing the name: what each policy allows."""

import pytest

from trailbase_server.auth.users import find_by_username

PATH = "/change_username"


async def change(server, who="nora", *, form=False, **fields):
    tokens = await server.login(who)
    how = {"form" if form else "json_body": fields}
    return await server.ask("POST", PATH, bearer=tokens["auth_token"], **how)


async def name_of(state, who):
    rows = await state.database.query("SELECT username FROM _user WHERE id = ?1", (who,))
    return rows[0][0]


NORA, LENA, SOLO = (bytes(15) + bytes([n]) for n in (2, 3, 4))
NOTHING, BLANK, NAME, BAD = {}, {"new_username": ""}, {"new_username": " Norah "}, "n_o"


@pytest.mark.parametrize(
    ("policy", "fields", "status", "name"),
    [
        (0, NAME, 400, "nora"),
        (1, BLANK, 400, "nora"),
        (0, NOTHING, 200, None),
        (1, NOTHING, 200, None),
        (2, NAME, 200, "Norah"),
        (2, NOTHING, 400, "nora"),
        (2, BLANK, 400, "nora"),
        (3, NAME, 200, "Norah"),
        (3, NOTHING, 200, None),
        (3, BLANK, 200, None),
        (3, {"new_username": BAD}, 400, "nora"),
        (4, NAME, 200, "Norah"),
        (4, NOTHING, 400, "nora"),
        (5, NAME, 200, "Norah"),
        (5, BLANK, 400, "nora"),
    ],
)
async def test_what_the_policies_allow(server, state, config, policy, fields, status, name):
    config.user_identifier = policy
    state.configure(config, None)
    assert (await change(server, **fields)).status == status
    assert await name_of(state, NORA) == name


async def test_who_has_no_address_keeps_the_name(server, state):
    assert (await change(server, "solo")).status == 400
    assert await name_of(state, SOLO) == "solo"


async def test_a_token_that_is_out_of_date_does_not_help(server, state):
    tokens = await server.login("nora")
    await state.database.write(run, "UPDATE _user SET email = NULL")
    answer = await server.post(PATH, {}, bearer=tokens["auth_token"])
    assert answer.status == 400


@pytest.mark.case("T-21")
async def test_a_taken_name(server):
    assert (await change(server, new_username="SOLO")).status == 409
    answer = await change(server, form=True, new_username="SOLO", redirect_uri="/done")
    assert answer.location == "/done?alert=Failed%3A+409+Conflict"


@pytest.mark.case("T-21")
async def test_a_name_that_looks_like_somebody_elses(server, state):
    answer = await change(server, new_username="s\u043el\u043e")
    assert (answer.status, answer.text) == (400, "username mixes alphabets")
    assert await name_of(state, NORA) == "nora"


async def test_where_browsers_go(server):
    answer = await change(server, form=True, new_username="norah", redirect_uri="/done")
    assert answer.location == "/done"
    answer = await change(
        server, "nora@auth.test", form=True, new_username="n", err_redirect_uri="/again"
    )
    assert answer.location == "/again?alert=Bad+request%3A+username+too+short"
    assert (await change(server, "solo", new_username="nora", redirect_uri="//evil")).status == 400


async def test_who_may_not(server, state):
    assert (await server.post(PATH, NAME)).status == 401
    jar = await server.login_browser("nora")
    assert (await server.post(PATH, form=NAME, jar=jar)).status == 400
    tokens = await server.login("nora")
    state.demo = True
    answer = await server.post(PATH, NAME, bearer=tokens["auth_token"])
    assert answer.text == "Disallowed in demo"
    state.demo = False
    await state.database.write(run, "DELETE FROM _user")
    assert (await server.post(PATH, NAME, bearer=tokens["auth_token"])).status == 404


async def test_the_session_goes_on(server, state):
    tokens = await server.login("nora")
    await server.post(PATH, NAME, bearer=tokens["auth_token"])
    assert await server.is_live(tokens["refresh_token"])
    assert (await find_by_username(state.database, "norah")).username == "Norah"


def run(tx, sql):
    tx.run(sql)
