"""Changing password, address and name by page."""

import pytest

from tests.auth.conftest import NORA, password
from tests.auth.pages.conftest import focused, says
from trailbase_server.auth.pages.links import page
from trailbase_server.auth.users import find_user
from trailbase_server.config.proto.config_pb2 import AuthConfig

PASSWORD, EMAIL, USERNAME = (
    *("/_/auth/change_password", "/_/auth/change_email"),
    "/_/auth/change_username",
)
NEW = {"new_password": "oars-and-rope", "new_password_repeat": "oars-and-rope"}


async def form_of(browser, url):
    return (await browser.get(url)).page.forms[0]


@pytest.mark.parametrize("url", [PASSWORD, EMAIL, USERNAME])
async def test_strangers_are_asked_to_log_in_and_come_back(browser, url):
    answer = await browser.get(url)
    assert answer.location == page("/_/auth/login", redirect_uri=url)
    answer = await browser.post(url, {"csrf_token": "x"})
    assert answer.location == page("/_/auth/login", redirect_uri=url)


@pytest.mark.parametrize(
    ("values", "text", "field"),
    [
        ({"old_password": "wrong"}, "The current password is wrong.", "old_password"),
        ({"new_password": "a", "new_password_repeat": "a"}, "too short", "new_password"),
        ({"new_password_repeat": "x"}, "The two passwords differ.", "new_password_repeat"),
    ],
)
async def test_a_password_that_does_not_do(nora, values, text, field):
    form = await form_of(nora, f"{PASSWORD}?redirect_uri=/in")
    answer = await nora.submit(form, **{"old_password": password("nora"), **NEW, **values})
    answer = await nora.follow(answer)
    assert says(answer, text)
    assert focused(answer.page) == [field]
    assert answer.page.forms[0].values["redirect_uri"] == "/in"


async def test_a_new_password(nora):
    form = await form_of(nora, PASSWORD)
    answer = await nora.submit(form, old_password=password("nora"), **NEW)
    assert answer.location == "/_/auth/profile?alert=password+changed"
    form = await form_of(nora, f"{PASSWORD}?redirect_uri=/in")
    back = {"new_password": password("nora"), "new_password_repeat": password("nora")}
    answer = await nora.submit(form, old_password="oars-and-rope", **back)
    assert answer.location == "/in?alert=password+changed"


async def test_a_new_address(nora, state, mails):
    form = await form_of(nora, EMAIL)
    old = {"old_email": "x@auth.test", "new_email": "new@auth.test"}
    answer = await nora.follow(await nora.submit(form, **old))
    assert says(answer, "This is not the address of the account.")
    assert focused(answer.page) == ["old_email"]
    old["old_email"] = "nora@auth.test"
    answer = await nora.follow(await nora.submit(form, **old))
    assert says(answer, "A mail with a link is on its way to the new address.")
    values = mails.take()[2]
    url = page(
        f"/api/auth/v1/change_email/confirm/{values['token']}", redirect_uri=values["redirect_uri"]
    )
    answer = await nora.follow(await nora.get(url))
    assert says(answer, "Your e-mail address is changed.")
    assert (await find_user(state.database, NORA)).email == "new@auth.test"


async def test_a_link_that_is_void_is_told_in_a_browser(nora):
    answer = await nora.get("/api/auth/v1/change_email/confirm/x?redirect_uri=/y")
    assert answer.location == "/_/auth/login?alert=Bad+request%3A+Invalid+token"


async def test_who_has_no_address_is_not_asked_for_the_old_one(browser):
    await browser.log_in("solo")
    form = await form_of(browser, EMAIL)
    assert [one["name"] for one in form.inputs if one["type"] != "hidden"] == ["new_email"]


async def test_a_new_name(nora, state):
    for name, text in (("otto", "This username is taken."), ("_", "too short")):
        form = await form_of(nora, USERNAME)
        answer = await nora.follow(await nora.submit(form, new_username=name))
        assert says(answer, text)
        assert focused(answer.page) == ["new_username"]
    form = await form_of(nora, USERNAME)
    answer = await nora.follow(await nora.submit(form, new_username="eleonora"))
    assert says(answer, "Your username is changed.")
    assert (await find_user(state.database, NORA)).username == "eleonora"


async def test_where_accounts_have_no_names_there_is_no_page_for_them(nora, state):
    state.configure(AuthConfig(), None)
    assert (await nora.get(USERNAME)).status == 404
