"""Changing the password: checks, targets, and what becomes of sessions."""

import pytest

OLD, NEW = "NORA-pass-77", "tulip-and-rope-9"
PATH = "/change_password"


@pytest.fixture
async def nora(server):
    return await server.login("nora")


def body(old=OLD, new=NEW, **more):
    return {"old_password": old, "new_password": new, **more}


async def change(server, tokens, fields, *, as_form=False, **options):
    how = {"form" if as_form else "json_body": fields}
    return await server.ask("POST", PATH, bearer=tokens["auth_token"], **how, **options)


async def test_it_needs_a_log_in(server):
    assert (await server.post(PATH, body())).status == 401


async def test_the_new_password_counts_and_the_old_one_does_not(server, nora):
    assert (await change(server, nora, body())).status == 200
    old = await server.post("/login", {"username": "nora", "password": OLD})
    new = await server.post("/login", {"username": "nora", "password": NEW})
    assert (old.status, new.status) == (401, 200)


async def test_the_other_sessions_end(server, nora):
    other = await server.login("nora")
    headers = {"refresh-token": nora["refresh_token"]}
    await change(server, nora, body(), headers=headers)
    assert await server.is_live(nora["refresh_token"])
    assert not await server.is_live(other["refresh_token"])


async def test_the_session_of_the_cookie_goes_on(server):
    jar = await server.login_browser("nora")
    answer = await server.post(PATH, form=body(redirect_uri="/done"), jar=jar)
    assert answer.location.startswith("/done?alert=")
    assert await server.is_live(jar["refresh_token"])


@pytest.mark.parametrize(
    "fields",
    [
        body(new="short"),
        body(new_password_repeat="something-else"),
        {"new_password": NEW},
        {"old_password": OLD},
        body(old="wrong"),
        body(redirect_uri="https://evil.test/"),
        body(err_redirect_uri="https://evil.test/"),
    ],
)
async def test_what_is_refused(server, nora, fields):
    answer = await change(server, nora, fields)
    assert answer.status == 400
    assert answer.content
    assert await server.is_live(nora["refresh_token"])


async def test_where_browsers_go(server, nora):
    for fields, where in (
        (body(old="wrong", redirect_uri="/done"), "/done?alert=Bad+request"),
        (body(old="wrong", redirect_uri="/done", err_redirect_uri="/again"), "/again?alert="),
        (body(new="short", err_redirect_uri="/again"), "/again?alert=Bad+request%3A+Password"),
        (body(redirect_uri="/done", err_redirect_uri="/again"), "/done?alert=password+changed"),
    ):
        answer = await change(server, nora, fields, as_form=True)
        assert answer.status == 303
        assert answer.location.startswith(where)


async def test_json_goes_on_after_success_only(server, nora):
    assert (await change(server, nora, body(old="wrong", redirect_uri="/done"))).status == 400
    answer = await change(server, nora, body(), query={"redirect_uri": "/done"})
    assert answer.location.startswith("/done?alert=")


async def test_guesses_share_the_lock_of_logging_in(server, nora):
    for _ in range(3):
        await change(server, nora, body(old="wrong"))
    answer = await change(server, nora, body())
    assert (answer.status, answer.text) == (400, "too many attempts, try again later")
    assert (await server.post("/login", {"username": "nora", "password": OLD})).status == 429


def forget_password(tx):
    tx.run("UPDATE _user SET password_hash = NULL")


def delete_all(tx):
    tx.run("DELETE FROM _user")


async def test_who_has_no_password_cannot_change_it(server, nora, state):
    await state.database.write(forget_password)
    assert (await change(server, nora, body(old=""))).status == 400


async def test_who_is_gone_cannot_change_it(server, nora, state):
    await state.database.write(delete_all)
    assert (await change(server, nora, body())).status == 404


async def test_demo_accounts_keep_theirs(server, nora, state):
    state.demo = True
    answer = await change(server, nora, body())
    assert (answer.status, answer.text) == (400, "Disallowed in demo")
