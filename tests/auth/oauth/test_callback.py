"""A browser comes back from a service: defences, outcomes, the whole way with a real provider."""

import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.auth.oauth.conftest import CLIENT_ID, Browser
from tests.auth.oauth.signing import published, sign
from tests.oidc_provider import query_of
from trailbase_server.auth.oauth.exchange import challenge_of
from trailbase_server.auth.oauth.pending import parse_pending, render_pending
from trailbase_server.auth.sign_in import LoginParams
from trailbase_server.auth.totp import code_at, decode_secret

KIM = {"sub": "248", "email": "kim@mail.test", "email_verified": True, "preferred_username": "kim"}
LINKED = {"sub": "77", "email": "linked@auth.test"}
SECRET = "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX"
VERIFIER = "v" * 43
CODE_FLOW = {
    "redirect_uri": "authapp://cb",
    "response_type": "code",
    "pkce_code_challenge": challenge_of(VERIFIER),
}


@pytest.fixture
def oidc0(place, service):
    application = place("oidc0")
    service.says("/profile_url", KIM)
    return application


def users(state):
    return state.database.read("SELECT email FROM _user WHERE provider_user_id = '248'")


def attributes(answer):
    """Name, attributes and whether there is a value, of each cookie."""
    parts = [cookie.split("; ") for cookie in answer.cookies]
    return {part[0].split("=")[0]: [not part[0].endswith("="), *sorted(part[1:])] for part in parts}


class TestWithARealProvider:
    """``oidc-provider-mock`` in a process of its own: its page, its tokens, its refusals."""

    @pytest.fixture
    def provider(self, oidc, place, clock, state):
        clock.at = time.time()  # its tokens expire by the clock on the wall
        application = place(
            "oidc0",
            authorize_url=f"{oidc.url}/oauth2/authorize",
            token_url=f"{oidc.url}/oauth2/token",
            profile_url=f"{oidc.url}/userinfo",
        )
        callback = "http://site.auth.test:8080/api/auth/v1/oauth/oidc0/callback"
        client_id, client_secret = oidc.register(callback)
        registered = replace(application, client_id=client_id, client_secret=client_secret)
        state.options = replace(state.options, providers=(registered,))
        oidc.describe("248", email="kim@mail.test", email_verified=True, preferred_username="kim")
        return oidc

    async def test_a_first_log_in_and_a_second(self, browser, provider, state, server):
        for _ in range(2):
            begun = await browser.begin(redirect_uri="/home")
            back = provider.log_in(begun.location, "248")
            assert back.startswith("http://site.auth.test:8080/api/auth/v1/oauth/oidc0/callback?")
            answer = await browser.come_back(**query_of(back))
            assert (answer.status, answer.location) == (303, "/home")
            assert set(browser.jar) == {"auth_token", "refresh_token"}
        assert users(state) == [("kim@mail.test",)]
        assert await server.is_live(browser.jar["refresh_token"])

    async def test_a_log_in_for_a_code(self, browser, provider, server):
        begun = await browser.begin(**CODE_FLOW)
        answer = await browser.come_back(**query_of(provider.log_in(begun.location, "248")))
        assert answer.location.startswith("authapp://cb?code=")
        exchange = {
            "authorization_code": query_of(answer.location)["code"],
            "pkce_code_verifier": VERIFIER,
        }
        assert (await server.post("/token", exchange)).status == 200
        assert browser.jar == {}

    async def test_a_code_is_good_once(self, browser, provider):
        begun = await browser.begin()
        jar = dict(browser.jar)
        answer = query_of(provider.log_in(begun.location, "248"))
        assert (await browser.come_back(**answer)).status == 200
        browser.jar = jar
        assert (await browser.come_back(**answer)).status == 424

    async def test_whoever_refuses_is_told_on_the_page(self, browser, provider):
        begun = await browser.begin(redirect_uri="/home", err_redirect_uri="/login?tab=1")
        refused = query_of(provider.refuse(begun.location))
        assert refused["error"] == "access_denied"
        state = query_of(begun.location)["state"]
        answer = await browser.come_back(**{"state": state, **refused})
        assert answer.location.startswith("/login?tab=1&alert=Login+Failed")

    async def test_an_address_that_is_not_verified(self, browser, provider, state):
        provider.describe("249", email="kim@mail.test", email_verified=False)
        begun = await browser.begin()
        answer = await browser.come_back(**query_of(provider.log_in(begun.location, "249")))
        assert answer.status == 400
        assert users(state) == []

    async def test_the_wrong_secret(self, browser, provider, state):
        [application] = state.options.providers
        wrong = replace(application, client_secret="wrong")
        state.options = replace(state.options, providers=(wrong,))
        begun = await browser.begin()
        answer = await browser.come_back(**query_of(provider.log_in(begun.location, "248")))
        assert (answer.status, answer.text) == (424, "")


async def test_cookies_and_headers_of_a_log_in(browser, oidc0):
    answer = await browser.log_in(redirect_uri="/home")
    assert attributes(answer) == {
        "auth_token": [True, "HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"],
        "refresh_token": [True, "HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict"],
        "oauth_state": [False, "HttpOnly", "Max-Age=1", "Path=/", "SameSite=Lax"],
    }
    assert answer.header(b"referrer-policy") == "no-referrer"


async def test_without_a_target_there_is_a_text(browser, oidc0, state):
    answer = await browser.log_in()
    assert (answer.status, answer.text) == (200, "logged in")
    state.has_public_dir = True
    answer = await browser.log_in()
    assert (answer.status, answer.location) == (303, "/")


@pytest.mark.case("T-74")
@pytest.mark.parametrize("missing", ["code", "state", None])
async def test_parameters_that_are_missing(browser, oidc0, missing, service):
    asked = query_of((await browser.begin()).location)
    query = {"code": "a-code", "state": asked["state"]}
    answer = await browser.come_back(**{k: v for k, v in query.items() if missing not in (k, None)})
    assert (answer.status, answer.cookies) == (400, [])
    assert service.asked == []


class TestAnAnswerThatTheBrowserDoesNotWaitFor:
    """Whoever plants an answer must not log a victim in as somebody else."""

    async def forged(self, browser, service, **query):
        answer = await browser.come_back(**{"code": "a-code", "state": "x", **query})
        assert answer.status == 400
        assert "auth_token" not in browser.jar
        assert service.asked == []
        return answer

    async def test_no_log_in_is_under_way(self, browser, oidc0, service):
        assert (await self.forged(browser, service)).text == "missing state"

    @pytest.mark.parametrize("error", [{}, {"error": "access_denied"}], ids=["code", "error"])
    async def test_the_state_of_another_log_in(self, browser, server, oidc0, service, error):
        await browser.begin(redirect_uri="/home")
        other = query_of((await Browser(server).begin(redirect_uri="/home")).location)
        answer = await self.forged(browser, service, state=other["state"], **error)
        assert (answer.text, answer.location) == ("invalid state", None)
        assert attributes(answer) == {
            "oauth_state": [False, "HttpOnly", "Max-Age=1", "Path=/", "SameSite=Lax"]
        }

    async def test_a_log_in_that_began_with_another_service(self, browser, oidc0, service, state):
        asked = query_of((await browser.begin()).location)
        renamed = replace(oidc0, provider=replace(oidc0.provider, name="github"))
        state.options = replace(state.options, providers=(renamed,))
        browser.name = "github"
        await self.forged(browser, service, state=asked["state"])

    async def test_a_log_in_of_yesterday(self, browser, oidc0, service, clock):
        asked = query_of((await browser.begin()).location)
        clock.advance(361)
        await self.forged(browser, service, state=asked["state"])

    async def test_a_cookie_that_is_not_ours(self, browser, oidc0, service, server):
        asked = query_of((await browser.begin()).location)
        signed = browser.jar["oauth_state"]
        auth_token = (await server.login("nora"))["auth_token"]
        for cookie in (signed[:-4] + "AAAA", "x", auth_token, signed.replace(".", "")):
            browser.jar = {"oauth_state": cookie}
            await self.forged(browser, service, state=asked["state"])


async def test_targets_are_checked_once_more(browser, oidc0, state, service):
    asked = query_of((await browser.begin()).location)
    pending = parse_pending(state.keys, browser.jar["oauth_state"], state.clock.now())
    evil = "https://evil.test/"
    for changed in (
        replace(pending, params=LoginParams(evil)),
        replace(pending, params=LoginParams("/home", evil)),
        replace(pending, error_uri=evil),
    ):
        browser.jar["oauth_state"] = render_pending(state.keys, changed, state.clock.now_s())
        answer = await browser.come_back(code="a-code", state=asked["state"])
        assert (answer.status, answer.cookies) == (400, [])
    assert service.asked == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("access_denied", "the service or its user refused"),
        ("temporarily_unavailable", "the service refused: temporarily_unavailable"),
        ("<script>", "the service refused: unknown error"),
        ("", "the service refused: unknown error"),
    ],
)
async def test_what_a_refusal_says(browser, oidc0, error, told, service):
    for target in ({}, {"redirect_uri": "/home"}):
        asked = query_of((await browser.begin(**target)).location)
        answer = await browser.come_back(error=error, state=asked["state"], error_description="No!")
        if target:
            assert query_of(answer.location) == {"alert": f"Login Failed: {told}"}
        else:
            assert (answer.status, answer.text) == (400, told)
        assert browser.jar == {}
    assert service.asked == []


async def test_a_failure_is_told_on_the_page_and_can_be_tried_again(browser, oidc0, service):
    asked = query_of((await browser.begin(redirect_uri="/home")).location)
    service.says("/profile_url", {}, 503)
    answer = await browser.come_back(code="a-code", state=asked["state"])
    assert query_of(answer.location) == {"alert": "Login Failed: 424 Failed Dependency"}
    assert answer.cookies == []
    service.says("/profile_url", KIM)
    answer = await browser.come_back(code="a-code", state=asked["state"])
    assert answer.location == "/home"


async def test_a_failure_without_a_page_is_a_status(browser, oidc0, service):
    service.says("/token_url", {}, 500)
    answer = await browser.log_in()
    assert (answer.status, answer.text, answer.cookies) == (424, "", [])


async def test_an_address_of_somebody_else_is_told(browser, oidc0, service, state):
    service.says("/profile_url", {**KIM, "email": "nora@auth.test"})
    answer = await browser.log_in(redirect_uri="authapp://cb")
    assert answer.location.startswith("authapp://cb?alert=Login+Failed")
    assert "another+account" in answer.location
    assert (await browser.log_in()).status == 400
    assert users(state) == []


async def test_an_error_of_ours_is_no_page(browser, oidc0, state, monkeypatch):
    monkeypatch.setattr("trailbase_server.auth.oauth.outgoing.MAX_RUNNING", 0)
    assert (await browser.log_in(redirect_uri="/home")).status == 503


async def test_head_changes_nothing(browser, oidc0, server, service, state):
    asked = query_of((await browser.begin()).location)
    query = {"code": "a-code", "state": asked["state"]}
    answer = await server.ask("GET", "/oauth/oidc0/callback", query=query, jar=browser.jar)
    assert answer.status == 200
    service.asked.clear()
    answer = await server.ask("HEAD", "/oauth/oidc0/callback", query=query, jar=browser.jar)
    assert (answer.status, answer.cookies, service.asked) == (200, [], [])


class TestSecondFactor:
    """Whoever has one is asked for it, wherever the first one came from (spec auth, S12)."""

    @pytest.fixture(autouse=True)
    async def linked_has_one(self, state, oidc0, service):
        service.says("/profile_url", LINKED)

        def switch_on(tx):
            tx.run(f"UPDATE _user SET totp_secret = '{SECRET}' WHERE username = 'linked'")

        await state.database.write(switch_on)

    async def finish(self, server, clock, page, **more):
        carried = query_of(page)
        code = code_at(decode_secret(SECRET), clock.now_s() // 30)
        return await server.post("/login_mfa", form={**carried, "totp": code, **more})

    async def test_on_the_page_of_the_server(self, browser, server, clock):
        answer = await browser.log_in(redirect_uri="/home")
        assert answer.status == 303
        assert answer.location.startswith("/_/auth/login_mfa?redirect_uri=%2Fhome&mfa_token=")
        assert answer.header(b"referrer-policy") == "no-referrer"
        assert browser.jar == {}
        done = await self.finish(server, clock, answer.location)
        assert (done.location, set(done.jar)) == ("/home", {"auth_token", "refresh_token"})

    async def test_on_a_page_of_ones_own(self, browser):
        answer = await browser.log_in(mfa_redirect_uri="/code?a=1")
        assert answer.location.startswith("/code?a=1&mfa_token=")

    async def test_on_the_way_to_a_code(self, browser, server, clock):
        answer = await browser.log_in(**CODE_FLOW)
        assert urlsplit(answer.location).path == "/_/auth/login_mfa"
        names = [name for name, _ in parse_qsl(urlsplit(answer.location).query)]
        assert len(names) == len(set(names))
        done = await self.finish(server, clock, answer.location)
        assert done.location.startswith("authapp://cb?code=")


class TestApple:
    """The answer is a form from another site, which brings no cookies along."""

    @pytest.fixture
    def apple(self, place, service):
        place("apple")
        service.says("/keys_url", published("one"))

    async def test_the_form_becomes_an_address_that_cookies_reach(
        self, server, apple, service, state
    ):
        browser = Browser(server, "apple")
        asked = query_of((await browser.begin(redirect_uri="/home")).location)
        claims = {
            "iss": "https://appleid.apple.com",
            "aud": CLIENT_ID,
            "exp": state.clock.now_s() + 600,
            "sub": "248",
            "nonce": asked["nonce"],
            "email": "kim@mail.test",
            "email_verified": "true",
        }
        token = {"access_token": "a", "token_type": "Bearer", "id_token": sign(claims)}
        service.says("/token_url", token)
        form = {"code": "a&code", "state": asked["state"], "user": '{"name": {}}'}
        answer = await server.post("/oauth/apple/callback", form=form)
        assert (answer.status, answer.cookies) == (303, [])
        assert answer.header(b"referrer-policy") == "no-referrer"
        assert urlsplit(answer.location).path == "/api/auth/v1/oauth/apple/callback"
        answer = await browser.come_back(**query_of(answer.location))
        assert answer.location == "/home"
        assert users(state) == [("kim@mail.test",)]
        assert service.requests("/token_url")[0]["form"]["code"] == "a&code"

    async def test_a_refusal_comes_as_a_form_too(self, server, apple):
        form = {"error": "user_cancelled_authorize", "state": "s", "more": "x"}
        answer = await server.post("/oauth/apple/callback", form=form)
        assert query_of(answer.location) == {"error": "user_cancelled_authorize", "state": "s"}

    async def test_a_form_that_is_none(self, server, apple):
        for body in ({"code": "x" * 9000}, {"code": "a", "more": "x"}):
            answer = await server.post("/oauth/apple/callback", form=body)
            assert answer.status == (400 if len(body["code"]) > 10 else 303)
        assert (await server.post("/oauth/apple/callback")).status == 400
        assert (await server.post("/oauth/apple/callback", {"code": 7})).status == 400

    async def test_nobody_else_sends_forms(self, server, oidc0):
        for name in ("oidc0", "github", "nobody"):
            answer = await server.post(f"/oauth/{name}/callback", form={"code": "a", "state": "b"})
            assert answer.status == 405


texts = st.text(max_size=30) | st.sampled_from(["a-code", "access_denied", "code", "/home"])
names = st.sampled_from(["code", "state", "error", "redirect_uri", "response_type", "x"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["oidc0", "apple", "x"]),
    st.lists(st.tuples(names, texts), max_size=5),
    st.booleans(),
    texts,
    st.recursive(st.none() | st.integers() | texts, lambda one: st.dictionaries(names, one)),
)
async def test_whatever_comes_is_never_an_error_of_ours(
    server, oidc0, service, state, name, query, is_ours, cookie, answer
):
    state.options = replace(state.options, providers=(oidc0, apple_beside(oidc0)))
    service.says("/token_url", answer)
    jar = {}
    if is_ours:
        browser = Browser(server)
        asked = query_of((await browser.begin()).location)
        jar, query = browser.jar, [*query, ("state", asked["state"])]
    elif cookie.isascii() and cookie.isprintable():
        jar = {"oauth_state": cookie}
    path = f"/oauth/{name}"
    for response in (
        await server.get(f"{path}/login", query=query),
        await server.get(f"{path}/callback", query=query, jar=jar),
        await server.post(f"{path}/callback", form=query, jar=jar),
    ):
        assert response.status < 500


def apple_beside(application):
    provider = replace(application.provider, name="apple", posts_back=True)
    return replace(application, provider=provider)
