"""Whom a request comes from: headers before cookies, and the silent refresh."""

import pytest

from trailbase_server.auth.authenticate import (
    TokenAuthenticator,
    read_credentials,
    refresh_token_of,
)
from trailbase_server.auth.tokens import mint_auth_token, sign_claims
from trailbase_server.auth.users import find_user
from trailbase_server.web.request import Request

NORA = bytes(15) + b"\x02"


def request(bearer=None, refresh=None, scheme="Bearer ", **jar):
    headers = []
    if bearer is not None:
        headers.append((b"authorization", f"{scheme}{bearer}".encode()))
    if refresh is not None:
        headers.append((b"refresh-token", refresh.encode("latin-1")))
    if jar:
        headers.append((b"cookie", "; ".join(f"{k}={v}" for k, v in jar.items()).encode()))
    return Request("GET", "/", headers=headers)


@pytest.fixture
async def tokens(server):
    return await server.login("nora")


@pytest.fixture
async def expired(state, clock):
    user = await find_user(state.database, NORA)
    return mint_auth_token(state.keys, user, clock.now_s() - 7200, 3600).token


async def test_a_bearer_token(state, tokens):
    found = await read_credentials(state, request(tokens["auth_token"], "refresh"))
    assert found.identity.user_id == NORA
    assert (found.refresh_token, found.headers) == ("refresh", [])


async def test_a_bad_bearer_token_hides_good_cookies(state, tokens):
    jar = {"auth_token": tokens["auth_token"], "refresh_token": tokens["refresh_token"]}
    found = await read_credentials(state, request("broken", **jar))
    assert (found.identity, found.headers) == (None, [])


async def test_another_scheme_falls_back_to_cookies(state, tokens):
    found = await read_credentials(
        state, request("eDp5", scheme="Basic ", auth_token=tokens["auth_token"])
    )
    assert found.identity.from_cookie


@pytest.mark.case("T-07")
async def test_an_expired_bearer_token_is_not_refreshed(state, tokens, expired):
    jar = {"refresh_token": tokens["refresh_token"]}
    assert (await read_credentials(state, request(expired, **jar))).identity is None


async def test_an_expired_cookie_is_refreshed(state, tokens, expired):
    jar = {"auth_token": expired, "refresh_token": tokens["refresh_token"]}
    found = await read_credentials(state, request(**jar))
    assert found.identity.user_id == NORA
    assert found.identity.from_cookie
    [(name, value)] = found.headers
    assert name == b"set-cookie"
    assert found.identity.token in value.decode()


async def test_a_valid_cookie_is_taken_as_it_is(state, tokens):
    jar = {"auth_token": tokens["auth_token"], "refresh_token": "x"}
    found = await read_credentials(state, request(**jar))
    assert found.identity.token == tokens["auth_token"]
    assert (found.refresh_token, found.headers) == ("x", [])


@pytest.mark.parametrize(
    "jar", [{}, {"auth_token": "broken"}, {"refresh_token": "x" * 86}, {"other": "x"}]
)
async def test_nobody(state, jar):
    found = await read_credentials(state, request(**jar))
    assert (found.identity, found.headers) == (None, [])


async def test_a_refresh_header_that_is_not_ascii_is_none(state, tokens):
    found = await read_credentials(state, request(tokens["auth_token"], "ü"))
    assert found.refresh_token is None


def test_the_refresh_token_of_a_request():
    assert refresh_token_of(request(refresh="header", refresh_token="cookie")) == "header"
    assert refresh_token_of(request(refresh_token="cookie")) == "cookie"
    assert refresh_token_of(request()) is None


async def test_the_authenticator_of_the_server(state, tokens):
    authenticator = TokenAuthenticator(state)
    bearer = f"Bearer {tokens['auth_token']}".encode()
    identity = authenticator.bearer(bearer)
    assert identity.user_id == NORA
    assert not await authenticator.is_admin(identity)
    authenticator.invalidate(NORA)
    assert not state.verified._known
    refreshed, headers = await authenticator.cookies(request(refresh_token=tokens["refresh_token"]))
    assert refreshed.user_id == NORA
    assert len(headers) == 1


@pytest.mark.case("T-06")
async def test_the_database_says_who_is_an_administrator(state, server):
    authenticator = TokenAuthenticator(state)
    tokens = await server.login("warden")
    identity = authenticator.bearer(f"Bearer {tokens['auth_token']}".encode())
    assert await authenticator.is_admin(identity)
    await state.database.write(demote_all)
    assert identity.admin
    assert not await authenticator.is_admin(identity)


def demote_all(tx):
    tx.run("UPDATE _user SET admin = 0")


async def test_why_nobody_is_known(server, state, tokens):
    odd = sign_claims(state.keys, {"sub": "nora", "exp": 2**40, "type": 1})
    answer = await server.get("/totp/register", bearer=odd)
    assert (answer.status, answer.text) == (400, "invalid user id")
    for bearer in ("garbage", tokens["auth_token"][:-1] + "!"):
        assert (await server.get("/totp/register", bearer=bearer)).status == 401
    assert (await server.get("/totp/register")).status == 401
    assert (await server.get("/status", bearer=odd)).json["auth_token"] is None
