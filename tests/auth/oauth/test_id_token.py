"""Tokens that say who has logged in: signature, and whom they are for."""

import pytest

from tests.auth.oauth.signing import published, sign
from trailbase_server.auth.oauth.id_token import (
    ProviderKeys,
    check_claims,
    read_signed,
    read_unsigned,
)
from trailbase_server.auth.oauth.outgoing import Outgoing
from trailbase_server.clock import FrozenClock
from trailbase_server.errors import DependencyError, UnauthorizedError

NOW = 1_800_000_000
CLAIMS = {"sub": "1", "aud": "us", "iss": "https://they.test", "exp": NOW + 60, "nonce": "n"}


@pytest.fixture
def clock():
    return FrozenClock(NOW)


@pytest.fixture
def read(service, clock):
    keys, outgoing = ProviderKeys(clock), Outgoing()

    async def read(token):
        async with outgoing.open() as http:
            return await read_signed(keys, http, f"{service.url}/keys", token)

    return read


async def test_a_signed_token(read, service):
    service.says("/keys", published("one"))
    assert await read(sign(CLAIMS)) == CLAIMS
    assert await read(sign({"sub": "2"})) == {"sub": "2"}
    assert len(service.requests("/keys")) == 1


@pytest.mark.case("T-75")
@pytest.mark.parametrize(
    "token",
    [
        sign(CLAIMS, "one", signed_with="two"),
        sign(CLAIMS, kid=None),
        sign(CLAIMS, algorithm="HS256"),
        sign(CLAIMS)[:-6] + "AAAAAA",
        sign(CLAIMS, "three", signed_with="one"),
    ],
    ids=["other key", "no key", "other algorithm", "changed", "unknown key"],
)
async def test_a_token_that_is_not_signed_by_the_service(read, service, token):
    service.says("/keys", published("one", "two"))
    with pytest.raises(UnauthorizedError):
        await read(token)


async def test_a_token_without_signature(read, service):
    service.says("/keys", published("one"))
    header, claims, _ = sign(CLAIMS).split(".")
    for signature in ("", "e30"):
        with pytest.raises(UnauthorizedError):
            await read(f"{header}.{claims}.{signature}")


async def test_a_new_key_is_fetched_but_not_for_everybody_who_invents_one(read, service, clock):
    service.says("/keys", published("one"))
    await read(sign(CLAIMS))
    service.says("/keys", published("one", "two"))
    with pytest.raises(UnauthorizedError):
        await read(sign(CLAIMS, "two"))
    clock.advance(61)
    await read(sign(CLAIMS, "two"))
    assert len(service.requests("/keys")) == 2


async def test_a_key_that_is_gone_does_not_live_on_for_ever(read, service, clock):
    service.says("/keys", published("one"))
    await read(sign(CLAIMS))
    service.says("/keys", published("two"))
    clock.advance(25 * 3600)
    with pytest.raises(UnauthorizedError):
        await read(sign(CLAIMS))


@pytest.mark.parametrize("answer", [[], {}, {"keys": "no"}, None], ids=repr)
async def test_keys_of_another_shape(read, service, answer):
    service.says("/keys", answer)
    with pytest.raises(DependencyError):
        await read(sign(CLAIMS))


async def test_keys_of_another_kind_are_passed_over(read, service):
    odd = [7, {}, {"kid": "odd"}, {"kid": "ec", "kty": "EC", "crv": "P-256", "x": "?", "y": 1}]
    service.says("/keys", {"keys": odd + published("one")["keys"]})
    assert await read(sign(CLAIMS)) == CLAIMS


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.W10.x", "e30.e30=.x", "e30." * 9_000])
async def test_a_malformed_token(read, token):
    with pytest.raises((DependencyError, UnauthorizedError)):
        await read(token)
    with pytest.raises(DependencyError):
        read_unsigned(token)


def test_an_unsigned_token():
    assert read_unsigned(sign(CLAIMS)) == CLAIMS


def check(nonce="n", issuer="https://they.test", **changes):
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    check_claims(claims, "us", issuer, nonce, NOW)


def test_a_token_for_us():
    check()
    check(aud=["them", "us"])
    check(exp=NOW - 59)
    check(exp=NOW + 0.5)
    check(iss="https://others.test", issuer="")
    check(nonce="", issuer="")


@pytest.mark.case("T-75")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "them"},
        {"aud": ["them"]},
        {"aud": None},
        {"exp": NOW - 61},
        {"exp": None},
        {"exp": "soon"},
        {"iss": "https://others.test"},
        {"iss": None},
    ],
    ids=str,
)
def test_a_token_for_somebody_else(changes):
    with pytest.raises(UnauthorizedError):
        check(**changes)


@pytest.mark.case("T-75")
@pytest.mark.parametrize("repeated", ["m", None, 7], ids=repr)
def test_a_token_for_another_log_in(repeated):
    claims = {**CLAIMS, "nonce": repeated}
    with pytest.raises(UnauthorizedError):
        check_claims(claims, "us", "", "n", NOW)
