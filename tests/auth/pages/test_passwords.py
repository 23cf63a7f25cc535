"""A forgotten password, by page."""

from tests.auth.pages.conftest import focused, says
from trailbase_server.config.proto.config_pb2 import AuthConfig

REQUEST, UPDATE = "/_/auth/reset_password/request", "/_/auth/reset_password/update"
SECRET = {"password": "oars-and-rope", "password_repeat": "oars-and-rope"}


async def ask(browser, **values):
    form = (await browser.get(REQUEST)).page.form("/api/auth/v1/reset_password/request")
    return await browser.follow(await browser.submit(form, **values))


async def test_a_new_password_is_set_once(browser, mails):
    assert says(await ask(browser, email="nora@auth.test"), "a mail with a link is on its way")
    url = f"{UPDATE}/{mails.take()[2]['token']}"
    form = (await browser.get(url)).page.form("/api/auth/v1/reset_password/update")
    answer = await browser.follow(await browser.submit(form, password="a", password_repeat="a"))
    assert says(answer, "This password is too short.")
    assert focused(answer.page) == ["password"]
    answer = await browser.follow(await browser.submit(form, **SECRET))
    assert says(answer, "Your password is set.")
    answer = await browser.follow(await browser.submit(form, **SECRET))
    assert says(answer, "This link is used or too old.")
    assert answer.page.links["Ask for another link"] == REQUEST


async def test_unknown_addresses_are_answered_alike(browser, mails):
    known, unknown = await ask(browser, email="nora@auth.test"), await ask(browser, email="x@y.z")
    assert known.text == unknown.text


async def test_where_accounts_have_names_only_the_name_is_asked_for(browser, state):
    state.configure(AuthConfig(user_identifier="ONLY_USERNAME"), None)
    form = (await browser.get(REQUEST)).page.form("/api/auth/v1/reset_password/request")
    assert [one["name"] for one in form.inputs if one["type"] != "hidden"] == ["username"]


async def test_a_long_token_is_refused(browser):
    assert (await browser.get(f"{UPDATE}/{'x' * 5000}")).status == 400


async def test_a_token_is_escaped(browser):
    answer = await browser.get(f"{UPDATE}/%22%3E%3Cscript%3E%2F..")
    assert "<script" not in answer.text
    form = answer.page.form("/api/auth/v1/reset_password/update")
    assert form.values["password_reset_token"] == '"><script>/..'
    assert form.values["err_redirect_uri"] == f"{UPDATE}/%22%3E%3Cscript%3E%2F.."
