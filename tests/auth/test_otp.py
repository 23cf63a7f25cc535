"""Logging in with a mailed code: who gets one, guesses, targets."""

import asyncio

import pytest

REQUEST, LOGIN = "/otp/request", "/otp/login"
NORA = {"email": "nora@auth.test"}


@pytest.fixture
def config(config):
    config.enable_otp_signin = True
    return config


async def code_for(server, mails, **body):
    assert (await server.post(REQUEST, body or NORA)).status == 200
    letter, to, values = mails.take()
    assert (letter, to) == ("otp", "nora@auth.test")
    return values["code"]


@pytest.mark.case("T-17")
async def test_a_code_logs_in_once(server, mails):
    code = await code_for(server, mails)
    answer = await server.post(LOGIN, NORA | {"code": f" {code} "})
    assert answer.status == 200
    assert await server.is_live(answer.json["refresh_token"])
    assert (await server.post(LOGIN, NORA | {"code": code})).status == 401


@pytest.mark.parametrize("asked", ["email_or_username", "username"])
async def test_a_name_does_as_well(server, mails, asked):
    code = await code_for(server, mails, **{asked: "nora", "redirect_uri": None})
    assert (await server.post(LOGIN, {"username": "NORA", "code": code})).status == 200


@pytest.mark.case("T-17")
async def test_of_several_at_once_one_succeeds(server, mails):
    code = await code_for(server, mails)
    answers = await asyncio.gather(*(server.post(LOGIN, NORA | {"code": code}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401]


@pytest.mark.case("T-17")
async def test_an_old_code_is_no_good(server, clock, mails):
    code = await code_for(server, mails)
    clock.advance(300)
    assert (await server.post(LOGIN, NORA | {"code": code})).status == 401


@pytest.mark.case("T-17")
async def test_three_attempts_by_one_name(server, clock, mails):
    code = await code_for(server, mails)
    statuses = [(await server.post(LOGIN, NORA | {"code": "AAAAA0"})).status for _ in range(3)]
    assert statuses == [401] * 3
    assert (await server.post(LOGIN, {"email": "NORA@auth.test", "code": code})).status == 429
    clock.advance(60)
    assert (await server.post(LOGIN, NORA | {"code": code})).status == 200


@pytest.mark.case("T-17")
async def test_six_guesses_by_all_names_of_an_account(server, clock, mails):
    code = await code_for(server, mails)
    for name in (NORA, {"username": "nora"}):
        for _ in range(3):
            assert (await server.post(LOGIN, name | {"code": "AAAAA0"})).status == 401
    clock.advance(61)
    assert (await server.post(LOGIN, NORA | {"code": code})).status == 401


@pytest.mark.case("T-15")
async def test_the_others_are_answered_alike_and_not_mailed(server, mails):
    known = await server.post(REQUEST, NORA)
    mails.sent = []
    for body in (
        {"email": "nobody@auth.test"},
        {"email_or_username": "nobody"},
        {"email": "pending@auth.test"},
        {"username": "solo"},
        {"email": "otto@auth.test"},
    ):
        answer = await server.post(REQUEST, body)
        assert (answer.status, answer.text) == (200, known.text)
    assert mails.sent == []


@pytest.mark.case("T-15")
async def test_one_mail_in_five_minutes_by_whatever_name(server, clock, mails):
    for body, status in (
        (NORA, 200),
        ({"email": "Nora@auth.test"}, 429),
        ({"username": "nora"}, 200),
        ({"email": "nobody@auth.test"}, 200),
        ({"email": "nobody@auth.test"}, 429),
    ):
        assert (await server.post(REQUEST, body)).status == status
    assert len(mails.sent) == 1
    clock.advance(300)
    assert (await server.post(REQUEST, NORA)).status == 200
    assert len(mails.sent) == 2


@pytest.mark.case("T-17")
async def test_a_second_factor_that_came_later_is_asked_for(server, state, mails):
    code = await code_for(server, mails)
    await state.database.write(run, f"UPDATE _user SET totp_secret = '{'A' * 32}'")
    answer = await server.post(LOGIN, NORA | {"code": code})
    assert (answer.status, list(answer.json)) == (403, ["mfa_token"])


async def test_an_address_that_changed_meanwhile(server, state, mails):
    code = await code_for(server, mails)
    await state.database.write(run, "UPDATE _user SET email = 'x@y' WHERE username = 'nora'")
    assert (await server.post(LOGIN, NORA | {"code": code})).status == 401


async def test_an_account_that_is_gone(server, state, mails):
    code = await code_for(server, mails)
    await state.database.write(run, "DELETE FROM _user")
    assert (await server.post(LOGIN, NORA | {"code": code})).status == 404


def run(tx, sql):
    tx.run(sql)


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nora@auth.test"},
        {"code": "AAAAAA"},
        {"email": "nora", "code": "AAAAAA"},
        {"username": "n", "code": "AAAAAA"},
        {**NORA, "code": "AAAAAA", "redirect_uri": "//evil.test"},
        {**NORA, "code": 123456},
    ],
)
async def test_log_ins_that_are_malformed(server, body):
    assert (await server.post(LOGIN, body)).status == 400


@pytest.mark.case("T-17")
async def test_log_ins_that_are_wrong(server):
    for body in (
        {"email": "nobody@auth.test", "code": "AAAAAA"},
        {"username": "nobody", "code": "AAAAAA"},
        {"username": "solo", "code": "AAAAAA"},
        {"email": "otto@auth.test", "code": ""},
    ):
        assert (await server.post(LOGIN, body)).status == 401


async def test_requests_that_are_malformed(server, mails):
    for body in ({}, {"email": "nora"}, {"username": "n"}, NORA | {"redirect_uri": "//evil"}):
        assert (await server.post(REQUEST, body)).status == 400
    assert (await server.post(REQUEST)).status == 400
    assert mails.sent == []


async def test_where_browsers_go(server, mails):
    form = {"email": "nora@auth.test", "redirect_uri": "/code"}
    answer = await server.post(REQUEST, form=form)
    assert answer.location.startswith("/code?email=nora%40auth.test&alert=")
    _, _, values = mails.take()
    assert values["redirect_uri"] == "/code"
    wrong = form | {"code": "AAAAAA", "err_redirect_uri": "/again"}
    answer = await server.post(LOGIN, form=wrong)
    assert answer.location == "/again?alert=Failed%3A+401+Unauthorized"
    query = {"email": "nora@auth.test", "code": values["code"]}
    answer = await server.post(LOGIN, form={"redirect_uri": "/in", "code": "other"}, query=query)
    assert (answer.location, sorted(answer.jar)) == ("/in", ["auth_token", "refresh_token"])
    answer = await server.post(REQUEST, form={"username": "solo", "redirect_uri": "/code"})
    assert answer.location.startswith("/code?username=solo&alert=")


async def test_it_is_off_unless_configured(server, state, config):
    config.enable_otp_signin = False
    state.configure(config, None)
    assert (await server.post(REQUEST, NORA)).status == 404
    assert (await server.post(LOGIN, NORA | {"code": "AAAAAA"})).status == 404


async def test_a_broken_mail_server_is_not_told(server, mails):
    mails.fails = True
    assert (await server.post(REQUEST, NORA)).status == 200
