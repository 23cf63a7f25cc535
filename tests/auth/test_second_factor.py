"""Offering, switching on and switching off a second factor."""

from base64 import b64decode
from urllib.parse import unquote

import pytest

from trailbase_server.auth.totp import code_at, decode_secret, parse_url

REGISTER = "/totp/register"


@pytest.fixture
async def nora(server):
    return (await server.login("nora"))["auth_token"]


async def test_an_offer_is_new_each_time_and_stores_nothing(server, state, nora):
    offers = [(await server.get(REGISTER, bearer=nora)).json for _ in range(2)]
    assert [offer["png"] for offer in offers] == [None, None]
    assert parse_url(offers[0]["totp_url"]) != parse_url(offers[1]["totp_url"])
    assert unquote(offers[0]["totp_url"]).startswith("otpauth://totp/TrailBase:nora@auth.test?")
    stored = await state.database.query(
        "SELECT count(*) FROM _user WHERE totp_secret IS NOT NULL AND username = 'nora'"
    )
    assert stored == [(0,)]


async def test_the_application_name_is_in_the_offer(server, state, config, nora):
    state.configure(config, None, 0, "Boat House")
    url = (await server.get(REGISTER, bearer=nora)).json["totp_url"]
    assert url.endswith("&issuer=Boat%20House")


async def test_a_picture_on_demand(server, nora):
    answer = await server.get(REGISTER, bearer=nora, query={"png": "true"})
    assert b64decode(answer.json["png"]).startswith(b"\x89PNG\r\n")
    assert (await server.get(REGISTER, bearer=nora, query={"png": "false"})).json["png"] is None


async def test_who_has_no_address_is_named_by_the_username(server):
    token = (await server.login("solo"))["auth_token"]
    assert ":solo?" in (await server.get(REGISTER, bearer=token)).json["totp_url"]


async def test_offers_that_are_refused(server, state, nora):
    assert (await server.get(REGISTER)).status == 401
    assert (await server.get(REGISTER, bearer=nora, query={"png": "maybe"})).status == 400
    state.demo = True
    assert (await server.get(REGISTER, bearer=nora)).text == "Disallowed in demo"


async def offer(server, tokens):
    return (await server.get(REGISTER, bearer=tokens["auth_token"])).json["totp_url"]


async def confirm(server, tokens, url, code, **more):
    body = {"totp_url": url, "totp": code}
    return await server.post("/totp/confirm", body, bearer=tokens["auth_token"], **more)


async def unregister(server, tokens, code, **more):
    return await server.post(
        "/totp/unregister", {"totp": code}, bearer=tokens["auth_token"], **more
    )


@pytest.fixture
def code(clock):
    def make(url, steps=0):
        return code_at(decode_secret(parse_url(url)), clock.now_s() // 30 + steps)

    return make


async def test_on_and_off(server, clock, code):
    tokens = await server.login("nora")
    url = await offer(server, tokens)
    assert (await confirm(server, tokens, url, code(url))).status == 200
    answer = await server.post("/login", {"username": "nora", "password": "NORA-pass-77"})
    assert answer.status == 403
    replay = {"mfa_token": answer.json["mfa_token"], "totp": code(url)}
    assert (await server.post("/login_mfa", replay)).status == 401
    assert (await unregister(server, tokens, code(url, 1))).status == 200
    await server.login("nora")
    assert (await unregister(server, tokens, code(url))).status == 400


async def test_the_other_sessions_end(server, code):
    tokens, other = await server.login("nora"), await server.login("nora")
    headers = {"refresh-token": tokens["refresh_token"]}
    url = await offer(server, tokens)
    await confirm(server, tokens, url, code(url), headers=headers)
    assert await server.is_live(tokens["refresh_token"])
    assert not await server.is_live(other["refresh_token"])
    jar = {"auth_token": tokens["auth_token"], "refresh_token": tokens["refresh_token"]}
    pending = await server.post("/login", {"username": "nora", "password": "NORA-pass-77"})
    body = {"mfa_token": pending.json["mfa_token"], "totp": code(url, 1)}
    other = (await server.post("/login_mfa", body)).json
    form = {"totp": code(url), "csrf_token": tokens["csrf_token"]}
    assert (await server.post("/totp/unregister", form=form, jar=jar)).status == 200
    assert await server.is_live(tokens["refresh_token"])
    assert not await server.is_live(other["refresh_token"])


async def test_what_is_not_stored(server, state, code):
    tokens = await server.login("nora")
    url = await offer(server, tokens)
    for sent, number in (
        (url, "000000" if code(url) != "000000" else "000001"),
        (url, "12345"),
        (url + "&digits=8", code(url)),
        ("nora", "000000"),
    ):
        assert (await confirm(server, tokens, sent, number)).status == 400
    assert (await server.post("/totp/confirm", {"totp_url": url})).status == 401
    body = {"totp_url": url}
    assert (await server.post("/totp/confirm", body, bearer=tokens["auth_token"])).status == 400
    await server.login("nora")


@pytest.mark.case("T-18")
async def test_a_factor_is_not_replaced_unasked(server, code):
    tokens = await server.login("nora")
    first, second = await offer(server, tokens), await offer(server, tokens)
    assert (await confirm(server, tokens, first, code(first))).status == 200
    assert (await confirm(server, tokens, second, code(second))).status == 400
    assert (await confirm(server, tokens, first, code(first))).status == 200


async def test_guesses_at_switching_it_off_are_limited(server, code):
    tokens = await server.login("nora")
    url = await offer(server, tokens)
    await confirm(server, tokens, url, code(url))
    guess = f"{(int(code(url)) + 500_000) % 1_000_000:06}"
    statuses = [(await unregister(server, tokens, guess)).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert (await unregister(server, tokens, code(url))).status == 429


@pytest.mark.case("T-18")
async def test_cookies_of_a_foreign_page_switch_nothing(server, code):
    jar = await server.login_browser("nora")
    url = await offer(server, jar)
    form = {"totp_url": url, "totp": code(url)}
    assert (await server.post("/totp/confirm", form=form, jar=jar)).status == 400


async def test_whoever_is_gone_has_no_factor(server, state, code):
    tokens = await server.login("nora")
    url = await offer(server, tokens)
    await state.database.write(delete_all)
    assert (await confirm(server, tokens, url, code(url))).status == 404
    assert (await unregister(server, tokens, code(url))).status == 404


def delete_all(tx):
    tx.run("DELETE FROM _user")
