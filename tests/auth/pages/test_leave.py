"""Logging out by page."""

from tests.auth.pages.conftest import says

LOGOUT = "/_/auth/logout"


async def test_a_link_alone_logs_nobody_out(nora):
    answer = await nora.get(f"{LOGOUT}?redirect_uri=/in")
    assert says(answer, "Log out of TrailBase?")
    assert (await nora.get("/_/auth/profile")).status == 200
    refresh = nora.jar["refresh_token"]
    answer = await nora.submit(answer.page.form(LOGOUT))
    assert answer.location == "/in"
    assert nora.jar == {}
    nora.jar["refresh_token"] = refresh
    assert (await nora.get("/_/auth/profile")).status == 303


async def test_other_sessions_go_on(nora, state):
    first = dict(nora.jar)
    nora.jar.clear()
    await nora.log_in("nora")
    answer = await nora.submit((await nora.get(LOGOUT)).page.form(LOGOUT))
    assert answer.location == "/_/auth/login?alert=logged+out"
    nora.jar = {"refresh_token": first["refresh_token"]}
    assert (await nora.get("/_/auth/profile")).status == 200


async def test_who_has_nothing_but_a_refresh_token_does_not_get_another_one(nora):
    nora.jar = {"refresh_token": nora.jar["refresh_token"]}
    answer = await nora.post(LOGOUT, {})
    assert [cookie.split("=")[0] for cookie in answer.cookies] == ["refresh_token"]
    assert nora.jar == {}


async def test_who_is_not_logged_in_is_sent_on_without_cookies(browser):
    browser.jar = {"auth_token": "stale", "refresh_token": "stale"}
    answer = await browser.get(f"{LOGOUT}?redirect_uri=/in")
    assert answer.location == "/in"
    assert browser.jar == {}
    assert (await browser.get(LOGOUT)).location == "/_/auth/login"


async def test_nobody_is_sent_where_nobody_may_go(nora):
    assert (await nora.get(f"{LOGOUT}?redirect_uri=//evil.test")).status == 400
    form = (await nora.get(LOGOUT)).page.form(LOGOUT)
    answer = await nora.submit(form, redirect_uri="//evil.test")
    assert answer.status == 400
    assert nora.jar
