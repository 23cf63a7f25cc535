"""The first step: where a browser is sent, and with what."""

import pytest
from msgspec.structs import replace

from tests.auth.oauth.conftest import CLIENT_ID
from tests.oidc_provider import query_of
from trailbase_server.auth.oauth.exchange import challenge_of
from trailbase_server.auth.oauth.pending import parse_pending
from trailbase_server.auth.sign_in import LoginParams

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def pending_of(state, answer):
    return parse_pending(state.keys, answer.jar["oauth_state"], state.clock.now())


async def test_the_service_is_asked_with_state_and_challenge(browser, place, state, service):
    place("oidc0")
    answer = await browser.begin(redirect_uri="/home")
    assert answer.status == 303
    assert answer.location.startswith(f"{service.url}/authorize_url?response_type=code&client_id=")
    pending = pending_of(state, answer)
    asked = query_of(answer.location)
    assert list(asked.items()) == [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("state", pending.secret),
        ("code_challenge", challenge_of(pending.verifier)),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "http://site.auth.test:8080/api/auth/v1/oauth/oidc0/callback"),
        ("scope", "openid email profile"),
    ]
    assert answer.location.endswith("&scope=openid+email+profile")
    assert (pending.provider, pending.params) == ("oidc0", LoginParams("/home"))


async def test_the_cookie(browser, place, state, config):
    place("oidc0")
    [cookie] = (await browser.begin()).cookies
    assert cookie.split("; ")[1:] == ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=300"]
    providers = state.options.providers
    state.configure(config, "https://site.auth.test")
    state.options = replace(state.options, providers=providers)
    [cookie] = (await browser.begin()).cookies
    assert "Secure" in cookie


async def test_all_parameters_of_the_log_in_are_kept(browser, place, state):
    place("oidc0")
    answer = await browser.begin(
        redirect_uri="authapp://cb",
        mfa_redirect_uri="/code",
        err_redirect_uri="/sorry",
        response_type="code",
        pkce_code_challenge=CHALLENGE,
    )
    pending = pending_of(state, answer)
    assert pending.params == LoginParams("authapp://cb", "/code", CHALLENGE)
    assert pending.error_uri == "/sorry"
    assert query_of(answer.location)["code_challenge"] != CHALLENGE


@pytest.mark.parametrize(
    "query",
    [
        {"redirect_uri": "https://evil.test/"},
        {"redirect_uri": "//evil.test/"},
        {"mfa_redirect_uri": "https://evil.test/"},
        {"err_redirect_uri": "https://evil.test/"},
        {"err_redirect_uri": "/\\evil.test/"},
        {"redirect_uri": "/cb", "response_type": "code"},
        {"response_type": "code", "pkce_code_challenge": CHALLENGE},
        {"redirect_uri": "/cb", "pkce_code_challenge": CHALLENGE},
        {"response_type": "magic"},
        {"redirect_uri": "/" + "x" * 4000},
    ],
    ids=str,
)
async def test_bad_parameters_begin_nothing(browser, place, query):
    place("oidc0")
    answer = await browser.begin(**query)
    assert (answer.status, answer.cookies) == (400, [])


@pytest.mark.parametrize("name", ["nobody", "github", "OIDC0", "2", "oidc0%00"])
async def test_services_that_are_not_configured(server, place, name):
    place("oidc0")
    for path in ("login", "callback"):
        answer = await server.get(f"/oauth/{name}/{path}", query={"redirect_uri": "//evil.test"})
        assert (answer.status, answer.text) == (405, "")


async def test_without_a_site_nobody_could_come_back(browser, place, state):
    place("oidc0")
    state.callback_site = None
    assert (await browser.begin()).status == 405


async def test_an_address_with_a_query_of_its_own(browser, place):
    place("oidc0", authorize_url="https://they.test/go?tenant=7")
    location = (await browser.begin()).location
    assert location.startswith("https://they.test/go?tenant=7&response_type=code&")


@pytest.mark.case("T-79")
async def test_services_send_browsers_where_the_configuration_says(browser, place, state, config):
    application = place("oidc0")
    state.configure(config, "https://public.test", callback_url="https://site.test/path?x")
    state.options = replace(state.options, providers=(application,))
    answer = await browser.begin(redirect_uri="https://public.test/home")
    assert query_of(answer.location)["redirect_uri"] == (
        "https://site.test/api/auth/v1/oauth/oidc0/callback"
    )


async def test_apple_is_asked_for_a_form_and_given_a_nonce(server, place, state):
    place("apple")
    answer = await server.get("/oauth/apple/login")
    asked = query_of(answer.location)
    assert asked["response_mode"] == "form_post"
    assert asked["nonce"] == pending_of(state, answer).nonce
    assert asked["scope"] == "name email"
