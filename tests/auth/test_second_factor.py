"""Offering, switching on and switching off a second factor."""

from base64 import b64decode
from urllib.parse import unquote

import pytest

from trailbase_server.auth.totp import parse_url

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
