"""Addresses that a service publishes: read, kept, and doubted."""

import pytest
from msgspec.structs import replace

from tests.auth.oauth.conftest import BY_NAME, CLIENT_ID, CLIENT_SECRET
from tests.oidc_provider import query_of
from trailbase_server.auth.oauth import discovery
from trailbase_server.auth.oauth.discovery import FRESH_S, STALE_S, read_addresses
from trailbase_server.auth.oauth.provider import Application
from trailbase_server.errors import DependencyError

WHERE = "/.well-known/openid-configuration"
ISSUER = "https://id.test"
GOOD = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://id.test/authorize?x=1",
    "token_endpoint": "https://tokens.id.test/token",
    "userinfo_endpoint": "https://id.test/me",
    "jwks_uri": "https://id.test/keys",
}


def description(url):
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize_url",
        "token_endpoint": f"{url}/token_url",
        "userinfo_endpoint": f"{url}/profile_url",
    }


@pytest.fixture
def application(state, service):
    provider = replace(BY_NAME["oidc0"], issuer=service.url, sends_nonce=True)
    application = Application(provider, CLIENT_ID, CLIENT_SECRET)
    state.options = replace(state.options, providers=(application,))
    service.says(WHERE, description(service.url))
    return application


def test_addresses_are_read():
    assert read_addresses(ISSUER, GOOD) == {
        "authorize_url": "https://id.test/authorize?x=1",
        "token_url": "https://tokens.id.test/token",
        "profile_url": "https://id.test/me",
    }


@pytest.mark.case("T-75", "T-76")
@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://id.test/"},
        {"issuer": "https://evil.test"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": 7},
        {"token_endpoint": ""},
        {"token_endpoint": "/token"},
        {"token_endpoint": "http://id.test/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "https://user@id.test/token"},
        {"token_endpoint": "https:///token"},
        {"token_endpoint": "https://id.test/to ken"},
        {"token_endpoint": "https://id.test/token\r\nX: y"},
        {"token_endpoint": "https://id.test/token#x"},
        {"token_endpoint": "https://[::1/"},
        {"userinfo_endpoint": "https://id.test/" + "x" * 3000},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_what_is_doubted(changes):
    with pytest.raises(DependencyError):
        read_addresses(ISSUER, {**GOOD, **changes})


@pytest.mark.parametrize("value", [None, [], "x", 7])
def test_other_json_is_no_description(value):
    with pytest.raises(DependencyError):
        read_addresses(ISSUER, value)


async def test_somebody_logs_in_with_nothing_but_the_issuer(browser, application, service, state):
    service.says("/token_url", {"access_token": "a", "token_type": "Bearer"})
    service.says("/profile_url", {"sub": "9", "email": "z@mail.test", "email_verified": True})
    begun = await browser.begin(redirect_uri="/home")
    assert begun.location.startswith(f"{service.url}/authorize_url?")
    asked = query_of(begun.location)
    assert asked["nonce"]
    answer = await browser.come_back(code="c", state=asked["state"])
    assert (answer.status, answer.location) == (303, "/home")
    assert state.database.read("SELECT email FROM _user WHERE provider_user_id = '9'")
    assert len(service.requests(WHERE)) == 1


async def test_a_real_provider_describes_itself(oidc, state, browser):
    callback = "http://site.auth.test:8080/api/auth/v1/oauth/oidc0/callback"
    client_id, client_secret = oidc.register(callback)
    provider = replace(BY_NAME["oidc0"], issuer=oidc.url)
    state.options = replace(
        state.options, providers=(Application(provider, client_id, client_secret),)
    )
    begun = await browser.begin()
    assert begun.location.startswith(f"{oidc.url}/oauth2/authorize?")


async def test_addresses_are_kept_and_then_fetched_again(state, application, service, clock):
    for wait_s, fetched in ((0, 1), (FRESH_S, 1), (1, 2), (10, 2)):
        clock.advance(wait_s)
        complete = await state.discovery.complete(application)
        assert complete.provider.token_url == f"{service.url}/token_url"
        assert len(service.requests(WHERE)) == fetched


async def test_a_service_that_is_away_for_a_while_does_not_matter(
    state, application, service, clock
):
    await state.discovery.complete(application)
    service.says(WHERE, {}, 503)
    clock.advance(FRESH_S + 1)
    for _ in range(3):  # and is not asked each time
        assert (await state.discovery.complete(application)).provider.token_url
    assert len(service.requests(WHERE)) == 2
    clock.advance(STALE_S)
    with pytest.raises(DependencyError):
        await state.discovery.complete(application)


async def test_a_service_that_says_nothing_usable_is_a_424(server, application, service):
    service.says(WHERE, {**description(service.url), "issuer": "https://evil.test"})
    assert (await server.get("/oauth/oidc0/login")).status == 424


async def test_the_number_of_issuers_is_bounded(state, application, service, monkeypatch):
    monkeypatch.setattr(discovery, "MAX_ISSUERS", 2)
    for number in range(4):
        url = f"{service.url}/{number}"
        service.says(f"/{number}{WHERE}", description(url))
        provider = replace(application.provider, issuer=url)
        await state.discovery.complete(replace(application, provider=provider))
    assert len(state.discovery._known) == 2


async def test_configured_addresses_are_not_looked_up(state, place, service):
    application = place("apple")
    assert await state.discovery.complete(application) is application
    assert service.requests(WHERE) == []
