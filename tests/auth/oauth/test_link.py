"""A service becomes a further way into an account, and is taken away again."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.auth.conftest import LINKED, NORA, SOLO
from tests.oidc_provider import query_of
from trailbase_server.auth.passkeys.challenge import Challenge
from trailbase_server.auth.passkeys.store import Passkey, insert_passkey
from trailbase_server.auth.users import find_user
from trailbase_server.ids import encode_b64u

PATH = "/oauth/oidc0/link"
OIDC = 2  # number of the service
KIM = {"sub": "248", "email": "kim@mail.test", "email_verified": True}


@pytest.fixture(autouse=True)
def oidc0(place, service):
    application = place("oidc0")
    service.says("/profile_url", KIM)
    return application


@pytest.fixture
def config(config):
    config.enable_anonymous_signin = True
    return config


def run(tx, sql, *values):
    tx.run(sql, values)


async def row(state, user_id=NORA):
    rows = await state.database.query(
        "SELECT provider_id, provider_user_id, email FROM _user WHERE id = ?1", (user_id,)
    )
    return rows[0]


async def ask(server, tokens, method="POST", path=PATH, **options):
    headers = {"refresh-token": tokens["refresh_token"], **options.pop("headers", {})}
    return await server.ask(method, path, bearer=tokens["auth_token"], headers=headers, **options)


async def link(server, browser, tokens, **body):
    """The whole way, with a service that is content with anybody."""
    begun = await ask(server, tokens, json_body=body)
    assert begun.status == 200, begun.text
    browser._keep(begun)
    return await browser.come_back(code="c", state=query_of(begun.json["location"])["state"])


async def test_an_account_is_linked_and_then_found_by_the_service(server, browser, state):
    tokens = await server.login("nora")
    answer = await link(server, browser, tokens, redirect_uri="/profile")
    assert (answer.status, answer.location) == (303, "/profile")
    assert "auth_token" not in browser.jar
    assert await row(state) == (OIDC, "248", "nora@auth.test")
    assert await server.is_live(tokens["refresh_token"])
    assert (await browser.log_in(redirect_uri="/home")).location == "/home"
    assert await row(state) == (OIDC, "248", "nora@auth.test")
    assert (await server.login("nora"))["auth_token"]


async def test_without_a_target_there_is_a_text(server, browser):
    answer = await link(server, browser, await server.login("nora"))
    assert (answer.status, answer.text) == (200, "linked")


async def test_a_form_is_sent_to_the_service(server, browser, state):
    jar = await server.login_browser("nora")
    same = {"sec-fetch-site": "same-origin"}
    begun = await server.post(PATH, form={"redirect_uri": "/me"}, jar=jar, headers=same)
    assert begun.status == 303
    browser._keep(begun)
    answer = await browser.come_back(code="c", state=query_of(begun.location)["state"])
    assert answer.location == "/me"
    assert (await row(state))[1] == "248"


@pytest.mark.case("T-20")
async def test_an_anonymous_account_becomes_an_ordinary_one(server, browser, state):
    tokens = (await server.post("/login_anonymous", {})).json
    await link(server, browser, tokens)
    found = await state.database.query("SELECT id, email FROM _user WHERE provider_user_id = '248'")
    assert [email for _, email in found] == ["kim@mail.test"]
    assert await server.is_live(tokens["refresh_token"])
    # Nobody takes it for an anonymous one any more.
    body = {"new_password": "tulip-and-9", "new_email": "a@auth.test"}
    assert (await ask(server, tokens, path="/promote_anonymous", json_body=body)).status == 424


@pytest.mark.case("T-20", "T-75")
async def test_an_anonymous_account_gets_nobody_elses_address(server, browser, state, service):
    service.says("/profile_url", {**KIM, "email": "nora@auth.test"})
    tokens = (await server.post("/login_anonymous", {})).json
    answer = await link(server, browser, tokens)
    assert (answer.status, answer.text) == (400, "the e-mail address belongs to another account")
    assert await state.database.query("SELECT 1 FROM _user WHERE provider_user_id = '248'") == []


@pytest.mark.case("T-75")
async def test_the_services_address_does_not_matter_otherwise(server, browser, state, service):
    service.says("/profile_url", {**KIM, "email": "lena@auth.test"})
    await link(server, browser, await server.login("nora"))
    assert await row(state) == (OIDC, "248", "nora@auth.test")


async def test_a_user_of_the_service_has_one_account(server, browser, state):
    await browser.log_in()
    browser.jar.clear()
    tokens = await server.login("nora")
    answer = await link(server, browser, tokens, err_redirect_uri="/profile")
    assert answer.location.startswith("/profile?alert=Login+Failed%3A+this+user+of+the+service")
    assert (await row(state))[0] == 0


async def test_of_two_accounts_at_once_one_is_linked(server, browser, state):
    from tests.auth.oauth.conftest import Browser

    browsers = [Browser(server), Browser(server)]
    sessions = [await server.login("nora"), await server.login("solo")]
    answers = await asyncio.gather(
        *(link(server, one, tokens) for one, tokens in zip(browsers, sessions, strict=True))
    )
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert sorted([(await row(state))[0], (await row(state, SOLO))[0]]) == [0, OIDC]


async def test_an_account_has_one_service(server, browser, state):
    tokens = await server.login("nora")
    begun = await ask(server, tokens)
    await link(server, browser, tokens)
    assert (await ask(server, tokens)).status == 409
    # Nor does an older attempt count any more.
    browser._keep(begun)
    answer = await browser.come_back(code="c", state=query_of(begun.json["location"])["state"])
    assert answer.status == 401


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM _user WHERE username = 'nora'",
        "UPDATE _user SET unverified_email = email, email = NULL WHERE username = 'nora'",
    ],
)
async def test_who_is_gone_is_not_linked(server, browser, state, change):
    tokens = await server.login("nora")
    begun = await ask(server, tokens)
    await state.database.write(run, change)
    browser._keep(begun)
    answer = await browser.come_back(code="c", state=query_of(begun.json["location"])["state"])
    assert answer.status == 401
    assert await state.database.query("SELECT 1 FROM _user WHERE provider_user_id = '248'") == []


async def test_after_a_while_the_password_is_asked_for(server, clock):
    tokens = await server.login("nora")
    clock.advance(1000)
    assert (await ask(server, tokens)).status == 403
    assert (await ask(server, tokens, json_body={"password": "wrong"})).status == 400
    assert (await ask(server, tokens, json_body={"password": "NORA-pass-77"})).status == 200


async def test_who_may_not(server, state):
    assert (await server.post(PATH, {})).status == 401
    jar = await server.login_browser("nora")
    for method in ("POST", "DELETE"):
        assert (await server.ask(method, PATH, jar=jar)).status == 400
    tokens = await server.login("nora")
    assert (await ask(server, tokens, path="/oauth/discord/link")).status == 405
    assert (await ask(server, tokens, json_body={"redirect_uri": "//evil"})).status == 400
    state.demo = True
    for method in ("POST", "DELETE"):
        assert (await ask(server, tokens, method)).text == "Disallowed in demo"
    state.demo = False
    await state.database.write(run, "DELETE FROM _user")
    for method in ("POST", "DELETE"):
        assert (await ask(server, tokens, method)).status == 404


async def test_a_service_is_taken_away_and_the_other_sessions_end(server, browser, state):
    tokens, other = await server.login("nora"), await server.login("nora")
    await link(server, browser, tokens)
    assert (await ask(server, tokens, "DELETE", "/oauth/discord/link")).status == 404
    assert (await ask(server, tokens, "DELETE", "/oauth/nobody/link")).status == 404
    assert (await ask(server, tokens, "DELETE")).status == 200
    assert await row(state) == (0, None, "nora@auth.test")
    assert await server.is_live(tokens["refresh_token"])
    assert not await server.is_live(other["refresh_token"])
    assert (await ask(server, tokens, "DELETE")).status == 404


async def test_the_only_way_in_stays(server, browser, state, databases):
    answer = await browser.log_in(redirect_uri="/")
    assert answer.status == 303
    tokens = browser.jar
    assert (await ask(server, tokens, "DELETE")).text.startswith("it is the only way")
    [(user_id,)] = await state.database.query("SELECT id FROM _user WHERE provider_user_id = '248'")
    key = Passkey(0, user_id, b"c", b"k", 3, True, False, ("usb",), "Key", 1, None)
    await databases[1].write(insert_passkey, Challenge(bytes(16), 2**40), key)
    assert (await ask(server, tokens, "DELETE")).status == 200


async def test_a_service_that_is_not_configured_any_more_can_be_taken_away(server, state):
    await state.database.write(
        run,
        "UPDATE _user SET password_hash = (SELECT password_hash FROM _user WHERE id = ?1) "
        "WHERE id = ?2",
        NORA,
        LINKED,
    )
    answer = await server.post("/login", {"username": "linked", "password": "NORA-pass-77"})
    state.options = replace(state.options, providers=())
    assert (await ask(server, answer.json, "DELETE")).status == 200
    assert (await find_user(state.database, LINKED)).provider_id == 0


async def test_a_link_is_for_the_account_that_asked_for_it(server, state):
    """It stands in the signed cookie: another log-in in the same browser changes nothing."""
    from trailbase_server.auth.oauth.pending import parse_pending

    begun = await ask(server, await server.login("nora"))
    pending = parse_pending(state.keys, begun.jar["oauth_state"], state.clock.now())
    assert pending.link == NORA
    assert encode_b64u(NORA) not in begun.json["location"]
