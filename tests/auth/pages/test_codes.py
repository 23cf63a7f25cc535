"""Codes by mail, by page."""

from urllib.parse import urlencode

import pytest

from tests.auth.pages.conftest import says
from trailbase_server.auth.pages.links import page
from trailbase_server.config.proto.config_pb2 import AuthConfig

REQUEST, LOGIN = "/_/auth/otp/request", "/_/auth/otp/login"


@pytest.fixture
def config():
    return AuthConfig(
        enable_otp_signin=True, user_identifier="REQUIRE_EMAIL", custom_uri_schemes=["authapp"]
    )


async def ask_for_code(browser, url=REQUEST):
    form = (await browser.get(url)).page.form("/api/auth/v1/otp/request")
    answer = await browser.submit(form, email="nora@auth.test")
    assert answer.status == 303
    return await browser.follow(answer)


async def test_a_code_logs_in(browser, mails):
    answer = await ask_for_code(browser)
    assert says(answer, "a mail with a code is on its way")
    assert says(answer, "the mail that we sent to nora@auth.test")
    form = answer.page.form("/api/auth/v1/otp/login")
    wrong = await browser.submit(form, code="AAAAAA")
    answer = await browser.follow(wrong)
    assert says(answer, "The code is wrong, used, or too old.")
    form = answer.page.form("/api/auth/v1/otp/login")
    answer = await browser.submit(form, code=mails.take()[2]["code"])
    assert answer.location == "/_/auth/login"
    assert (await browser.follow(answer)).location == "/_/auth/profile"


async def test_the_link_of_the_mail_opens_the_page_and_ends_where_it_was_asked_for(browser, mails):
    first = await browser.get("/_/auth/login?redirect_uri=authapp://cb?a%3Db")
    asked = first.page.links["Log in with a code by mail"]
    back = (await browser.get(asked)).page.links["Log in with a password"]
    assert back == page("/_/auth/login", redirect_uri="authapp://cb?a=b")
    await ask_for_code(browser, asked)
    _, to, values = mails.take()
    link = {"email": to, "code": values["code"], "redirect_uri": values["redirect_uri"]}
    form = (await browser.get(f"{LOGIN}?{urlencode(link)}")).page.form("/api/auth/v1/otp/login")
    assert form.values["code"] == values["code"]
    assert (await browser.submit(form)).location == "authapp://cb?a=b"


async def test_an_application_can_get_a_code_of_its_own(browser, mails):
    challenge = {"response_type": "code", "pkce_code_challenge": "A" * 43}
    login = page("/_/auth/login", redirect_uri="authapp://cb", **challenge)
    asked = (await browser.get(login)).page.links["Log in with a code by mail"]
    answer = await ask_for_code(browser, asked)
    form = answer.page.form("/api/auth/v1/otp/login")
    answer = await browser.submit(form, code=mails.take()[2]["code"])
    assert answer.location.startswith("authapp://cb?code=")


async def test_a_page_without_an_address_asks_for_it(browser):
    answer = await browser.get(LOGIN)
    names = [one["name"] for one in answer.page.form("/api/auth/v1/otp/login").inputs]
    assert "email" in names


async def test_asking_again_too_soon_is_told(browser, mails):
    await ask_for_code(browser)
    answer = await ask_for_code(browser)
    assert says(answer, "A mail was asked for a short while ago.")


async def test_who_is_logged_in_is_sent_on(browser):
    await browser.log_in("nora")
    assert (await browser.get(f"{REQUEST}?redirect_uri=/x")).location == "/x"
    assert (await browser.get(REQUEST)).location == LOGIN
    assert (await browser.get(f"{LOGIN}?redirect_uri=/x")).location == "/_/auth/profile"


async def test_without_the_feature_there_are_no_such_pages(browser, state):
    state.configure(AuthConfig(), None)
    for url in (REQUEST, LOGIN):
        answer = await browser.get(url)
        assert answer.status == 404
        assert answer.page.links


async def test_no_target_is_hidden_behind_the_page(browser):
    inner = page(LOGIN, redirect_uri="https://evil.test/")
    assert (await browser.get(page(LOGIN, redirect_uri=inner))).status == 400
