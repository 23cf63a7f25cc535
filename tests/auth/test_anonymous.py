"""Anonymous accounts, and what they become."""

import asyncio
import re

import jwt
import pytest

LOGIN, PROMOTE = "/login_anonymous", "/promote_anonymous"
SECRET = "tulip-and-rope-9"


@pytest.fixture
def config(config):
    config.enable_anonymous_signin = True
    return config


@pytest.fixture
async def anon(server):
    return (await server.post(LOGIN, {})).json


def claims(token):
    options = {"verify_signature": False, "verify_exp": False, "verify_iat": False}
    return jwt.decode(token, options=options)


async def promote(server, tokens, email="ivy@auth.test", secret=SECRET, **more):
    body = {"new_email": email, "new_password": secret, **more}
    body = {name: value for name, value in body.items() if value is not ...}
    return await server.post(PROMOTE, body, bearer=tokens["auth_token"])


async def confirm(server, mails):
    _, _, values = mails.take()
    assert (await server.get(f"/verify_email/confirm/{values['token']}")).status == 200


async def test_an_account_with_nothing_but_a_name(server, state, anon):
    found = claims(anon["auth_token"])
    assert re.fullmatch("anon[a-z0-9]{6}", found["username"])
    assert (found["email"], found["provider"]) == (None, 0)
    assert await state.session_database.query("SELECT expires - created FROM _session") == [
        (90 * 24 * 3600,)
    ]
    assert await server.is_live(anon["refresh_token"])
    body = {"username": found["username"], "password": ""}
    assert (await server.post("/login", body)).status == 401


async def test_a_browser_gets_cookies(server):
    answer = await server.post(LOGIN, form={"redirect_uri": "/in"})
    assert (answer.location, sorted(answer.jar)) == ("/in", ["auth_token", "refresh_token"])
    assert (await server.post(LOGIN, {"redirect_uri": "//evil.test"})).status == 400


async def test_names_that_are_taken(server, monkeypatch):
    from trailbase_server.auth import anonymous

    names = iter(["aaaaaa", "aaaaaa", "bbbbbb", *["aaaaaa"] * 5])
    monkeypatch.setattr(anonymous, "random_text", lambda *_: next(names))
    assert [(await server.post(LOGIN, {})).status for _ in range(3)] == [200, 200, 409]


async def test_promotion_pauses_the_session_until_the_address_is_confirmed(server, mails, anon):
    assert (await promote(server, anon, new_username=None)).status == 200
    assert not await server.is_live(anon["refresh_token"])
    body = {"email": "ivy@auth.test", "password": SECRET}
    assert (await server.post("/login", body)).status == 401
    await confirm(server, mails)
    assert await server.is_live(anon["refresh_token"])
    answer = await server.post("/login", body)
    assert claims(answer.json["auth_token"])["username"] is None


@pytest.mark.case("T-20")
async def test_only_anonymous_accounts_are_promoted(server, mails, anon):
    assert (await promote(server, anon)).status == 200
    assert (await promote(server, anon, "hugo@auth.test")).status == 424
    for who in ("nora", "solo"):
        assert (await promote(server, await server.login(who))).status == 424
    assert len(mails.sent) == 1


@pytest.mark.case("T-20")
async def test_of_several_at_once_one_succeeds(server, mails, anon):
    answers = await asyncio.gather(
        *(promote(server, anon, f"p{number}@auth.test") for number in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 424, 424, 424]
    assert len(mails.sent) == 1


async def test_without_an_address_the_session_goes_on(server, state, config, mails, anon):
    config.user_identifier = 2
    state.configure(config, None)
    assert (await promote(server, anon)).status == 400
    assert (await promote(server, anon, ..., new_username="ivy")).status == 200
    assert await server.is_live(anon["refresh_token"])
    body = {"username": "ivy", "password": SECRET}
    assert (await server.post("/login", body)).status == 200
    assert mails.sent == []


@pytest.mark.case("T-20")
async def test_an_address_of_somebody_else_is_not_mailed_and_not_told(server, mails, anon):
    taken = await promote(server, anon, "NORA@auth.test")
    other = (await server.post(LOGIN, {})).json
    free = await promote(server, other)
    assert (taken.status, taken.text) == (free.status, free.text)
    assert [mail[1] for mail in mails.sent] == ["ivy@auth.test"]
    assert not await server.is_live(anon["refresh_token"])


@pytest.mark.parametrize(
    "fields",
    [
        {"email": ...},
        {"email": "ivy"},
        {"secret": "short"},
        {"secret": ...},
        {"new_password_repeat": "other-one-1"},
        {"new_username": "nora"},
        {"new_username": "n"},
        {"redirect_uri": "//evil.test"},
    ],
)
async def test_what_is_refused(server, mails, anon, fields):
    assert (await promote(server, anon, **fields)).status == 400
    assert mails.sent == []
    assert await server.is_live(anon["refresh_token"])


@pytest.mark.case("T-20")
async def test_who_may_not(server, state, config, anon):
    assert (await server.post(PROMOTE, {"new_password": SECRET})).status == 401
    state.demo = True
    assert (await promote(server, anon)).text == "Disallowed in demo"
    state.demo = False
    await state.database.write(delete_all)
    assert (await promote(server, anon)).status == 404
    config.enable_anonymous_signin = False
    state.configure(config, None)
    assert (await promote(server, anon)).status == 404
    assert (await server.post(LOGIN, {})).status == 404


def delete_all(tx):
    tx.run("DELETE FROM _user")


async def test_where_browsers_go(server, mails):
    jar = (await server.post(LOGIN, form={"redirect_uri": "/"})).jar
    form = {"new_email": "ivy@auth.test", "new_password": "short", "redirect_uri": "/done"}
    assert (await server.post(PROMOTE, form=form, jar=jar)).status == 400
    form["csrf_token"] = claims(jar["auth_token"])["csrf_token"]
    answer = await server.post(PROMOTE, form=form, jar=jar)
    assert answer.location == "/done?alert=Bad+request%3A+Password+too+short"
    answer = await server.post(PROMOTE, form=form | {"new_password": SECRET}, jar=jar)
    assert answer.location == "/done?alert=promoted"
    assert mails.take()[2]["redirect_uri"] == "/done"


async def test_who_loses_an_address_is_anonymous_again(server, mails, anon):
    await promote(server, anon)
    first = mails.take()
    body = {"email": "ivy@auth.test", "password": SECRET, "password_repeat": SECRET}
    await server.post("/register", body)
    await confirm(server, mails)
    assert (await server.get(f"/verify_email/confirm/{first[2]['token']}")).status == 401
    assert await server.is_live(anon["refresh_token"])
    assert (await promote(server, anon, "hugo@auth.test")).status == 200
