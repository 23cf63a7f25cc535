"""Changing the address: who may ask, what is mailed, what the link does."""

import pytest

PATH = "/change_email/request"
NEW = "norah@auth.test"


@pytest.fixture
async def nora(server):
    return await server.login("nora")


async def ask(server, tokens, *, path=PATH, form=False, headers=None, **fields):
    body = {"csrf_token": tokens["csrf_token"], "old_email": "nora@auth.test", "new_email": NEW}
    body = {name: value for name, value in (body | fields).items() if value is not ...}
    how = {"form" if form else "json_body": body}
    return await server.ask("POST", path, bearer=tokens["auth_token"], headers=headers or {}, **how)


def link(mails):
    letter, to, values = mails.take()
    assert (letter, to) == ("change_email", NEW)
    return f"/change_email/confirm/{values['token']}"


async def log_in(server, email):
    body = {"email": email, "password": "NORA-pass-77"}
    return (await server.post("/login", body)).status


async def test_it_is_changed_when_the_link_is_followed(server, mails, nora):
    other = await server.login("nora")
    assert (await ask(server, nora)).status == 200
    assert await log_in(server, "nora@auth.test") == 200
    path = link(mails)
    answer = await server.get(path, headers={"refresh-token": nora["refresh_token"]})
    assert answer.status == 200
    assert [await log_in(server, email) for email in ("nora@auth.test", NEW)] == [401, 200]
    assert await server.is_live(nora["refresh_token"])
    assert not await server.is_live(other["refresh_token"])
    assert mails.take() == ("email_changed", "nora@auth.test", {"new_email": NEW})
    assert (await server.get(path)).status == 200
    assert mails.sent == []


async def test_looking_at_the_link_changes_nothing(server, mails, nora):
    await ask(server, nora)
    assert (await server.ask("HEAD", link(mails))).status == 200
    assert await log_in(server, "nora@auth.test") == 200


async def test_a_link_for_an_address_that_is_not_theirs_any_more(server, state, mails, nora):
    await ask(server, nora)
    path = link(mails)
    await state.database.write(run, "UPDATE _user SET email = 'x@y' WHERE username = 'nora'")
    assert (await server.get(path)).status == 409
    await state.database.write(run, "DELETE FROM _user")
    assert (await server.get(path)).status == 409


@pytest.mark.case("T-21")
async def test_an_address_that_was_taken_meanwhile(server, state, mails, nora):
    await ask(server, nora)
    await state.database.write(
        run, "UPDATE _user SET email = 'norah@auth.test' WHERE username = 'otto'"
    )
    assert (await server.get(link(mails))).status == 400


async def test_links_that_do_not_count(server, mails, nora):
    await ask(server, nora)
    path = link(mails)
    assert (await server.get("/change_email/confirm/garbage")).status == 400
    assert (await server.get(path, query={"redirect_uri": "//evil.test"})).status == 400
    assert await log_in(server, "nora@auth.test") == 200


async def test_where_browsers_go(server, state, mails, nora):
    answer = await ask(server, nora, form=True, redirect_uri="/done")
    assert answer.location.startswith("/done?alert=")
    assert mails.sent[0][2]["redirect_uri"] == "/done"
    path = link(mails)
    assert (await server.get(path, query={"redirect_uri": "/done"})).location == "/done"
    state.has_public_dir = True
    assert (await server.get(path)).location == "/"


async def test_a_form_names_the_old_address(server, mails, nora):
    assert (await ask(server, nora, form=True, old_email=...)).status == 400
    answer = await ask(
        server, nora, form=True, old_email="NORA@auth.test", err_redirect_uri="/e", redirect_uri="/"
    )
    assert answer.location.startswith("/e?alert=Bad+request")
    assert mails.sent == []
    assert (await ask(server, nora, old_email="whatever")).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"csrf_token": ...},
        {"csrf_token": "A" * 20},
        {"new_email": "norah"},
        {"new_email": ""},
        {"new_email": ...},
        {"redirect_uri": "https://evil.test/"},
        {"err_redirect_uri": "https://evil.test/"},
    ],
)
async def test_what_is_refused(server, mails, nora, fields):
    assert (await ask(server, nora, **fields)).status == 400
    assert mails.sent == []


async def test_who_may_not_ask(server, state, nora):
    assert (await server.post(PATH, {"new_email": NEW})).status == 401
    state.demo = True
    assert (await ask(server, nora)).text == "Disallowed in demo"
    assert (await server.get("/change_email/confirm/x")).text == "Disallowed in demo"
    state.demo = False
    await state.database.write(run, "DELETE FROM _user")
    assert (await ask(server, nora)).status == 403


async def test_a_taken_address_is_not_mailed_and_not_told(server, mails, nora):
    free = await ask(server, nora)
    mails.sent = []
    taken = await ask(server, nora, new_email="LENA@auth.test")
    assert (taken.status, taken.text) == (free.status, free.text)
    assert mails.sent == []


async def test_mails_of_one_account_are_limited(server, mails, nora):
    statuses = [(await ask(server, nora, new_email=f"n{n}@auth.test")).status for n in range(6)]
    assert statuses == [200] * 5 + [429]


async def test_the_short_path_needs_no_csrf_token_beside_a_bearer_token(server, mails, nora):
    short = "/change_email"
    assert (await ask(server, nora, path=short, csrf_token=...)).status == 200
    link(mails)
    jar = await server.login_browser("nora")
    assert (await server.post(short, {"new_email": NEW}, jar=jar)).status == 400


async def test_giving_the_address_up(server, state, config, mails, nora):
    config.user_identifier = 4
    state.configure(config, None)
    lena = await server.login("lena@auth.test")
    assert (await ask(server, lena, new_email=...)).status == 400
    headers = {"refresh-token": nora["refresh_token"]}
    answer = await ask(
        server, nora, new_email=..., redirect_uri="/done", form=True, headers=headers
    )
    assert answer.location == "/done"
    assert await log_in(server, "nora@auth.test") == 401
    assert mails.take() == ("email_changed", "nora@auth.test", {"new_email": None})
    assert await server.is_live(nora["refresh_token"])
    await state.database.write(run, "DELETE FROM _user")
    assert (await ask(server, nora, new_email=...)).status == 409


async def test_who_has_none_can_get_one(server, mails):
    solo = await server.login("solo")
    assert (await ask(server, solo)).status == 200
    assert (await server.get(link(mails))).status == 200
    body = {"email": NEW, "password": "SOLO-pass-77"}
    assert (await server.post("/login", body)).status == 200
    assert mails.sent == []


def run(tx, sql):
    tx.run(sql)
