"""A forgotten password: who is mailed, what the token is good for."""

import pytest

from trailbase_server.auth.tokens import TokenKind, mint_flow_token

REQUEST, UPDATE = "/reset_password/request", "/reset_password/update"
SECRET = "tulip-and-rope-9"


async def ask(server, mails, **body):
    answer = await server.post(REQUEST, body or {"email": "nora@auth.test"})
    assert answer.status == 200
    letter, _, values = mails.take()
    assert letter == "reset_password"
    return values["token"]


def update(token, secret=SECRET, **more):
    body = {"password": secret, "password_repeat": secret, "password_reset_token": token, **more}
    return {name: value for name, value in body.items() if value is not ...}


async def log_in(server, secret, who="nora"):
    return (await server.post("/login", {"username": who, "password": secret})).status


@pytest.mark.case("T-16")
async def test_a_token_sets_a_new_password_once_and_ends_the_sessions(server, mails):
    session = await server.login("nora")
    token = await ask(server, mails)
    assert (await server.post(UPDATE, update(token))).status == 200
    assert [await log_in(server, secret) for secret in ("NORA-pass-77", SECRET)] == [401, 200]
    assert not await server.is_live(session["refresh_token"])
    assert (await server.post(UPDATE, update(token, "third-one-3"))).status == 401
    assert await log_in(server, SECRET) == 200


@pytest.mark.case("T-16")
async def test_a_changed_password_voids_the_token(server, mails):
    token = await ask(server, mails, username="nora")
    tokens = await server.login("nora")
    body = {"old_password": "NORA-pass-77", "new_password": "changed-one-1"}
    await server.post("/change_password", body, bearer=tokens["auth_token"])
    assert (await server.post(UPDATE, update(token))).status == 401


@pytest.mark.case("T-16")
async def test_of_two_at_once_one_wins(server, mails):
    import asyncio

    token = await ask(server, mails)
    answers = await asyncio.gather(
        *(server.post(UPDATE, update(token, f"parallel-{n}")) for n in range(3))
    )
    assert sorted(answer.status for answer in answers) == [200, 401, 401]


@pytest.mark.case("T-11")
async def test_a_lock_is_lifted(server, mails):
    token = await ask(server, mails)
    for _ in range(3):
        await log_in(server, "wrong")
    assert await log_in(server, "NORA-pass-77") == 429
    await server.post(UPDATE, update(token))
    assert await log_in(server, SECRET) == 200


async def test_a_second_factor_stays(server, mails):
    token = await ask(server, mails, email="otto@auth.test")
    await server.post(UPDATE, update(token))
    assert await log_in(server, SECRET, "otto") == 403


async def test_who_has_no_password_can_get_one(server, mails):
    token = await ask(server, mails, email="linked@auth.test")
    assert (await server.post(UPDATE, update(token))).status == 200
    assert await log_in(server, SECRET, "linked") == 200


@pytest.mark.case("T-15")
async def test_the_others_are_answered_alike_and_not_mailed(server, mails):
    known = await server.post(REQUEST, {"email": "nora@auth.test"})
    mails.sent = []
    for body in (
        {"email": "nobody@auth.test"},
        {"username": "nobody"},
        {"email": "pending@auth.test"},
        {"username": "solo"},
    ):
        answer = await server.post(REQUEST, body)
        assert (answer.status, answer.text) == (200, known.text)
    assert mails.sent == []


@pytest.mark.case("T-15")
async def test_one_mail_an_hour_by_whatever_name(server, clock, mails):
    for body, status in (
        ({"email": "nora@auth.test"}, 200),
        ({"email": "NORA@auth.test "}, 429),
        ({"username": "nora"}, 200),
        ({"username": "Nora"}, 429),
        ({"email": "nobody@auth.test"}, 200),
        ({"email": "nobody@auth.test"}, 429),
    ):
        assert (await server.post(REQUEST, body)).status == status
    assert len(mails.sent) == 1
    clock.advance(3600)
    assert (await server.post(REQUEST, {"username": "nora"})).status == 200
    assert len(mails.sent) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "nora"},
        {"username": "n"},
        {"email_or_username": "nora"},
        {"email": "nora@auth.test", "redirect_uri": "https://evil.test/"},
    ],
)
async def test_requests_that_are_refused(server, mails, body):
    assert (await server.post(REQUEST, body)).status == 400
    assert mails.sent == []


async def test_updates_that_are_refused(server, mails):
    token = await ask(server, mails)
    auth_token = (await server.login("nora"))["auth_token"]
    for body in (
        update(token, "short"),
        update(token, password_repeat="other-one-1"),
        update(token, password=...),
        update(...),
        update("garbage"),
        update(auth_token),
        update(token, redirect_uri="//evil.test"),
    ):
        assert (await server.post(UPDATE, body)).status == 400
    body = {"password": SECRET, "password_repeat": SECRET, "password_reset_code": token}
    assert (await server.post(UPDATE, body)).status == 200


async def test_a_token_of_the_reference_is_not_enough(server, state, clock):
    claims = {"sub": "nora@auth.test"}
    token = mint_flow_token(state.keys, TokenKind.RESET_PASSWORD, claims, clock.now_s() + 60)
    assert (await server.post(UPDATE, update(token))).status == 400


async def test_an_account_that_is_gone(server, state, mails):
    token = await ask(server, mails)
    await state.database.write(delete_all)
    assert (await server.post(UPDATE, update(token))).status == 401


def delete_all(tx):
    tx.run("DELETE FROM _user")


async def test_where_browsers_go(server, mails):
    form = {"email": "nora@auth.test", "redirect_uri": "/sent"}
    assert (await server.post(REQUEST, form=form)).location.startswith("/sent?alert=")
    token = mails.take()[2]["token"]
    short = update(token, "short", redirect_uri="/in")
    assert (await server.post(UPDATE, form=short)).status == 400
    answer = await server.post(UPDATE, form=short | {"err_redirect_uri": "/again"})
    assert answer.location == "/again?alert=Bad+request%3A+Password+too+short"
    answer = await server.post(UPDATE, form=update(token, redirect_uri="/in"))
    assert answer.location == "/in?alert=password+updated"


async def test_a_broken_mail_server_is_not_told(server, mails):
    mails.fails = True
    assert (await server.post(REQUEST, {"email": "nora@auth.test"})).status == 200
