"""Who comes to a page."""

from tests.auth.conftest import NORA
from trailbase_server.auth.pages.visit import ask_to_log_in, open_visit
from trailbase_server.auth.users import delete_user
from trailbase_server.web.request import Request


async def visit_as(browser, query=""):
    cookie = "; ".join(f"{name}={value}" for name, value in browser.jar.items()).encode()
    request = Request("GET", "/_/auth/profile", query, [(b"cookie", cookie)])
    await browser.dispatcher.identify(request)
    return await open_visit(browser.state, request)


async def test_a_cookie_makes_a_visitor_somebody(nora):
    visit = await visit_as(nora, "alert=a")
    assert visit.user.id == NORA
    assert visit.name == "nora@auth.test"
    assert visit.csrf_token
    assert visit.alert == "a"


async def test_nobody_has_no_name(browser):
    visit = await visit_as(browser)
    assert (visit.user, visit.name, visit.csrf_token, visit.alert) == (None, "", "", None)


async def test_whose_account_is_gone_is_nobody_and_loses_the_cookies(nora, state):
    await state.database.write(delete_user, NORA)
    visit = await visit_as(nora)
    assert visit.user is None
    headers = dict(ask_to_log_in(visit).headers)
    assert headers[b"location"] == b"/_/auth/login?redirect_uri=%2F_%2Fauth%2Fprofile"
    assert b"Max-Age=1" in headers[b"set-cookie"]
