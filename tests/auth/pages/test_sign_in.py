"""Logging in by page: what is carried along, and where it ends."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.auth.conftest import OTTO, password
from tests.auth.pages.conftest import code_now, says
from trailbase_server.auth.pages.links import page
from trailbase_server.config.proto.config_pb2 import AuthConfig

VERIFIER = "a-verifier-that-is-long-enough-for-everybody"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "redirect_uri": "authapp://cb?a=b&c=<d>",
    "response_type": "code",
    "pkce_code_challenge": CHALLENGE,
}
LOGIN = "/api/auth/v1/login"


def fill(who="nora"):
    return {"email_or_username": who, "password": password(who)}


async def test_the_loop_of_a_page_ends_at_the_profile(browser):
    form = (await browser.get("/_/auth/login")).page.form(LOGIN)
    answer = await browser.submit(form, **fill())
    assert answer.location == "/_/auth/login"
    answer = await browser.follow(answer)
    assert answer.location == "/_/auth/profile"


async def test_who_is_logged_in_takes_the_message_along(nora):
    answer = await nora.get("/_/auth/login?alert=email+verified&redirect_uri=/x")
    assert answer.location == "/_/auth/profile?alert=email+verified"


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        ("USER_IDENTIFIER_UNDEFINED", "email"),
        ("ONLY_EMAIL", "email"),
        ("ONLY_USERNAME", "username"),
        ("REQUIRE_EMAIL", "email_or_username"),
        ("REQUIRE_USERNAME", "email_or_username"),
        ("REQUIRE_EMAIL_AND_USERNAME", "email_or_username"),
    ],
)
async def test_what_an_account_is_known_by_depends_on_the_policy(browser, state, policy, name):
    state.configure(AuthConfig(user_identifier=policy), "http://site.auth.test:8080")
    form = (await browser.get("/_/auth/login")).page.form(LOGIN)
    [first, *_] = [given for given in form.inputs if given["type"] != "hidden"]
    assert (first["name"], first["autocomplete"]) == (name, "username")


async def test_ways_that_are_off_are_not_offered(browser, state):
    answer = await browser.get("/_/auth/login")
    assert "Log in with a code by mail" not in answer.page.links
    assert "Create an account" in answer.page.links
    config = AuthConfig(enable_otp_signin=True, disable_password_auth=True)
    config.oauth_providers["google"].client_id = "id"
    config.oauth_providers["google"].client_secret = "secret"
    config.oauth_providers["google"].provider_id = 12
    state.configure(config, "http://site.auth.test:8080")
    answer = await browser.get("/_/auth/login")
    assert "Create an account" not in answer.page.links
    assert answer.page.links["Log in with a code by mail"] == "/_/auth/otp/request"
    [url] = [url for text, url in answer.page.links.items() if text.startswith("Continue with")]
    assert url.startswith("/api/auth/v1/oauth/google/login?redirect_uri=%2F_%2Fauth%2Flogin")


async def test_what_an_application_asks_for_goes_with_every_link_and_form(browser, state):
    config = AuthConfig(custom_uri_schemes=["authapp"], enable_otp_signin=True)
    config.oauth_providers["google"].client_id = "id"
    config.oauth_providers["google"].client_secret = "secret"
    config.oauth_providers["google"].provider_id = 12
    state.configure(config, "http://site.auth.test:8080")
    here = page("/_/auth/login", **ASKED)
    answer = await browser.get(here)
    form = answer.page.form(LOGIN)
    assert {name: form.values[name] for name in ASKED} == ASKED
    assert form.values["err_redirect_uri"] == here
    for text, url in answer.page.links.items():
        query = parse_qs(urlsplit(url).query)
        if text.startswith("Continue with"):
            assert {name: query[name] for name in ASKED} == {n: [v] for n, v in ASKED.items()}
        else:
            inner = parse_qs(urlsplit(query["redirect_uri"][0]).query)
            assert inner == {name: [value] for name, value in ASKED.items()}, text


async def test_a_failure_is_told_on_the_page_and_keeps_what_was_asked(browser):
    here = page("/_/auth/login", **ASKED)
    form = (await browser.get(here)).page.form(LOGIN)
    for filled in ({"email_or_username": "x@", "password": "y"}, fill() | {"password": "wrong"}):
        answer = await browser.submit(form, **filled)
        assert answer.location.startswith(f"{here}&alert=")
        again = (await browser.follow(answer)).page.form(LOGIN)
        assert again.values == form.values


async def test_an_application_gets_a_code_after_a_second_factor(browser, state):
    form = (await browser.get(page("/_/auth/login", **ASKED))).page.form(LOGIN)
    answer = await browser.follow(await browser.submit(form, **fill("otto")))
    form = answer.page.form("/api/auth/v1/login_mfa")
    wrong = await browser.submit(form, totp="000000")
    answer = await browser.follow(wrong)
    assert says(answer, "The code is wrong, used, or too old.")
    form = answer.page.form("/api/auth/v1/login_mfa")
    answer = await browser.submit(form, totp=code_now(state))
    assert answer.location.startswith("authapp://cb?a=b&c=<d>&code=")
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    verified = {"authorization_code": code, "pkce_code_verifier": VERIFIER}
    body = json.dumps(verified).encode()
    headers = [(b"content-type", b"application/json")]
    answer = await browser.ask("POST", "/api/auth/v1/token", body=body, headers=headers)
    assert state.verified.cookie(answer.json["auth_token"]).user_id == OTTO
    assert browser.jar == {}


async def test_without_an_application_a_second_factor_ends_where_it_should(browser, state):
    form = (await browser.get("/_/auth/login?redirect_uri=/in?a=b")).page.form(LOGIN)
    answer = await browser.follow(await browser.submit(form, **fill("otto")))
    assert answer.page.links["Start again"] == "/_/auth/login?redirect_uri=%2Fin%3Fa%3Db"
    form = answer.page.form("/api/auth/v1/login_mfa")
    assert (await browser.submit(form, totp=code_now(state))).location == "/in?a=b"
    assert (await browser.get("/_/auth/login_mfa?redirect_uri=/in")).location == "/in"


async def test_a_second_factor_needs_a_first(browser):
    assert (await browser.get("/_/auth/login_mfa")).status == 400


async def test_who_is_logged_in_is_asked_before_an_application_gets_a_code(nora):
    answer = await nora.get(page("/_/auth/login", **ASKED))
    assert says(answer, "Continue as nora@auth.test?")
    form = answer.page.form("/_/auth/continue")
    forged = {**form.values, "csrf_token": "x"}
    assert (await nora.post(form.action, forged)).status == 400
    answer = await nora.submit(form)
    assert answer.location.startswith("authapp://cb?a=b&c=<d>&code=")
    nora.jar.clear()
    answer = await nora.submit(form)
    assert answer.location == page("/_/auth/login", **ASKED)


async def test_nobody_is_continued_to_where_nobody_may_go(nora):
    form = (await nora.get(page("/_/auth/login", **ASKED))).page.form("/_/auth/continue")
    for change in ({"redirect_uri": "https://evil.test/"}, {"response_type": "x"}):
        assert (await nora.submit(form, **change)).status == 400
