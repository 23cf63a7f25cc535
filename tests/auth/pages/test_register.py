"""Registering by page, and confirming an address."""

import pytest

from tests.auth.pages.conftest import focused, says
from trailbase_server.auth.pages.links import page
from trailbase_server.config.proto.config_pb2 import AuthConfig

SECRET = {"password": "oars-and-rope", "password_repeat": "oars-and-rope"}
REGISTER, VERIFY = "/_/auth/register", "/_/auth/verify_email"
ACTION = "/api/auth/v1/register"


async def test_a_new_account_is_told_to_look_for_the_mail_and_confirmed_by_its_link(browser, mails):
    form = (await browser.get(REGISTER)).page.form(ACTION)
    answer = await browser.follow(await browser.submit(form, email="new@auth.test", **SECRET))
    assert says(answer, "please follow the link in the mail")
    _, _, values = mails.take()
    url = page(
        f"/api/auth/v1/verify_email/confirm/{values['token']}", redirect_uri=values["redirect_uri"]
    )
    answer = await browser.follow(await browser.get(url))
    assert says(answer, "Your address is confirmed.")


async def test_an_account_without_an_address_is_told_that_it_can_log_in(browser, state, mails):
    state.configure(AuthConfig(user_identifier="ONLY_USERNAME"), None)
    form = (await browser.get(REGISTER)).page.form(ACTION)
    answer = await browser.follow(await browser.submit(form, username="newcomer", **SECRET))
    assert says(answer, "You can log in now.")
    assert mails.sent == []


@pytest.mark.parametrize(
    ("values", "text", "field"),
    [
        ({"email": "x"}, "This is not an e-mail address.", "email"),
        ({"password_repeat": "other"}, "The two passwords differ.", "password_repeat"),
        ({"password": "a", "password_repeat": "a"}, "This password is too short.", "password"),
        ({"username": "_"}, "This username is too short.", "username"),
    ],
)
async def test_what_does_not_do_is_told_at_its_field(browser, values, text, field):
    form = (await browser.get(f"{REGISTER}?redirect_uri=/in")).page.form(ACTION)
    answer = await browser.submit(form, **{"email": "new@auth.test", **SECRET, **values})
    answer = await browser.follow(answer)
    assert says(answer, text)
    assert focused(answer.page) == [field]
    assert answer.page.form(ACTION).values["redirect_uri"] == "/in"


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        ("USER_IDENTIFIER_UNDEFINED", {"email": True}),
        ("ONLY_USERNAME", {"username": True}),
        ("REQUIRE_EMAIL", {"email": True, "username": False}),
        ("REQUIRE_USERNAME", {"email": False, "username": True}),
        ("REQUIRE_EMAIL_AND_USERNAME", {"email": True, "username": True}),
    ],
)
async def test_the_policy_says_what_is_asked(browser, state, policy, fields):
    state.configure(AuthConfig(user_identifier=policy), None)
    form = (await browser.get(REGISTER)).page.form(ACTION)
    asked = {one["name"]: "required" in one for one in form.inputs if one["type"] != "hidden"}
    assert {name: asked[name] for name in ("email", "username") if name in asked} == fields
    assert [one["autocomplete"] for one in form.inputs if one["type"] == "password"] == [
        "new-password",
        "new-password",
    ]


async def test_closed_means_closed(browser, state):
    state.configure(AuthConfig(disable_password_auth=True), None)
    answer = await browser.get(REGISTER)
    assert answer.page.forms == []
    assert says(answer, "Accounts cannot be created here.")


async def test_the_way_back_knows_what_was_asked_for(browser):
    login = page("/_/auth/login", redirect_uri="authapp://cb")
    answer = await browser.get(page(REGISTER, redirect_uri=login))
    assert answer.page.links["Log in"] == login
    assert (await browser.get(page(REGISTER, redirect_uri="/x"))).page.links["Log in"] == (
        "/_/auth/login"
    )


async def test_a_link_is_sent_again(browser, mails):
    form = (await browser.get(VERIFY)).page.form("/api/auth/v1/verify_email/trigger")
    for text in ("a mail is on its way", "A mail was asked for a short while ago."):
        answer = await browser.follow(await browser.submit(form, email="pending@auth.test"))
        assert says(answer, text)
    assert mails.take()[1] == "pending@auth.test"
    answer = await browser.follow(await browser.submit(form, email="x"))
    assert says(answer, "This is not an e-mail address.")
