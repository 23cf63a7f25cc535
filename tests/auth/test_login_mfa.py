"""The second half of a log-in: codes, guesses, replays, targets."""

import asyncio

import pytest

from trailbase_server.auth.factors import replace_recovery_codes, stored_recovery_code
from trailbase_server.auth.totp import code_at, decode_secret
from trailbase_server.auth.users import find_by_username

SECRET = "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX"
OTTO = {"username": "otto", "password": "OTTO-pass-77"}
PATH = "/login_mfa"


@pytest.fixture
def code(clock):
    return lambda steps=0: code_at(decode_secret(SECRET), clock.now_s() // 30 + steps)


@pytest.fixture
async def token(server):
    return await pending(server)


async def pending(server):
    answer = await server.post("/login", OTTO)
    assert answer.status == 403
    return answer.json["mfa_token"]


def wrong(code):
    return f"{(int(code()) + 500_000) % 1_000_000:06}"


async def submit(server, token, code, **more):
    return await server.post(PATH, {"mfa_token": token, "totp": code, **more})


async def test_a_code_ends_the_log_in(server, token, code):
    answer = await submit(server, token, code())
    assert answer.status == 200
    assert sorted(answer.json) == ["auth_token", "csrf_token", "refresh_token"]


@pytest.mark.case("T-18")
@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_the_window(server, token, code, steps):
    assert (await submit(server, token, code(-2))).status == 401
    assert (await submit(server, token, code(2))).status == 401
    assert (await submit(server, token, code(steps))).status == 200


@pytest.mark.case("T-18")
async def test_a_code_is_good_once_even_when_sent_at_once(server, code):
    tokens = [await pending(server) for _ in range(4)]
    answers = await asyncio.gather(*(submit(server, token, code()) for token in tokens))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


@pytest.mark.case("T-18")
async def test_an_older_code_is_not_good_after_a_newer_one(server, code):
    assert (await submit(server, await pending(server), code())).status == 200
    assert (await submit(server, await pending(server), code(-1))).status == 401
    assert (await submit(server, await pending(server), code(1))).status == 200


@pytest.mark.case("T-19")
async def test_a_pending_log_in_is_good_once(server, token, code):
    assert (await submit(server, token, code())).status == 200
    assert (await submit(server, token, code(1))).status == 429


@pytest.mark.case("T-19")
async def test_five_guesses_for_one_log_in(server, clock, token, code):
    statuses = []
    for number in range(7):
        if number == 3:
            clock.advance(61)  # the account's window is over, that of the log-in is not
        statuses.append((await submit(server, token, wrong(code))).status)
    assert statuses == [401] * 5 + [429] * 2
    clock.advance(55)
    assert (await submit(server, token, code())).status == 429


@pytest.mark.case("T-19")
async def test_five_guesses_for_one_account(server, clock, code):
    tokens = [await pending(server) for _ in range(3)]
    statuses = [(await submit(server, tokens[n % 3], wrong(code))).status for n in range(6)]
    assert statuses == [401] * 5 + [429]
    clock.advance(61)
    assert (await submit(server, tokens[0], code())).status == 200


async def test_a_right_code_clears_the_wrong_ones(server, code):
    for _ in range(4):
        await submit(server, await pending(server), wrong(code))
    assert (await submit(server, await pending(server), code())).status == 200
    for _ in range(4):
        assert (await submit(server, await pending(server), wrong(code))).status == 401


async def test_a_recovery_code_stands_in_once(server, state, code):
    otto = await find_by_username(state.database, "otto")
    stored = stored_recovery_code(state.keys, otto.id, "abcde-fgh23")
    await state.session_database.write(replace_recovery_codes, otto.id, [stored], 0)
    assert (await submit(server, await pending(server), "ABCDE fgh23")).status == 200
    assert (await submit(server, await pending(server), "abcde-fgh23")).status == 401


async def test_what_is_missing_or_no_token(server, clock, token, code):
    for body, status in (
        ({"mfa_token": token}, 400),
        ({"mfa_token": token, "totp": None}, 400),
        ({"totp": code()}, 400),
        ({"mfa_token": "garbage", "totp": code()}, 401),
        ({"mfa_token": (await server.login("nora"))["auth_token"], "totp": code()}, 401),
        ({"mfa_token": token, "totp": code(), "redirect_uri": "//evil.test"}, 400),
    ):
        assert (await server.post(PATH, body)).status == status
    clock.advance(120 + 61)
    assert (await submit(server, token, code())).status == 401


async def test_without_a_second_factor_there_is_nothing_to_end(server, state, token, code):
    await state.database.write(run, "UPDATE _user SET totp_secret = NULL")
    assert (await submit(server, token, code())).status == 424


async def test_whoever_is_gone_or_unconfirmed_cannot_end_it(server, state, token, code):
    await state.database.write(
        run,
        "UPDATE _user SET unverified_email = email, email = NULL WHERE username = 'otto'",
    )
    assert (await submit(server, token, code())).status == 401
    await state.database.write(run, "DELETE FROM _user")
    assert (await submit(server, token, code())).status == 401


def run(tx, sql):
    tx.run(sql)


async def test_a_browser_gets_cookies_and_goes_where_it_wanted(server, token, code):
    form = {"mfa_token": token, "totp": code(), "redirect_uri": "/in"}
    answer = await server.post(PATH, form=form)
    assert (answer.status, answer.location) == (303, "/in")
    assert sorted(answer.jar) == ["auth_token", "refresh_token"]


async def test_a_code_flow_goes_on_through_the_second_factor(server, code):
    challenge = "xMs3uUsj0cvbVXJTW0Bct6gW6qYYgLHPIOPSNrPDTEI"
    wanted = {
        "redirect_uri": "authapp://cb",
        "response_type": "code",
        "pkce_code_challenge": challenge,
    }
    answer = await server.post("/login", form={**OTTO, **wanted, "mfa_redirect_uri": "/mfa"})
    assert "pkce_code_challenge=" + challenge in answer.location
    token = answer.location.split("mfa_token=")[1].split("&")[0]
    answer = await server.post(PATH, form={"mfa_token": token, "totp": code(), **wanted})
    assert answer.location.startswith("authapp://cb?code=")


async def test_a_form_can_name_a_page_for_failures(server, token, code):
    form = {"mfa_token": token, "totp": wrong(code), "err_redirect_uri": "/again"}
    answer = await server.post(PATH, form=form)
    assert answer.location == "/again?alert=Failed%3A+401+Unauthorized"
    assert (await server.post(PATH, form={"mfa_token": token, "totp": wrong(code)})).status == 401
