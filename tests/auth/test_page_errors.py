"""Where a browser hears how a request went."""

import pytest

from tests.auth.conftest import password

FORM = {"email_or_username": "nora", "password": "wrong", "err_redirect_uri": "/again?a=b"}
BROWSER = {"accept": "text/html,*/*"}
CROSS_SITE = {"sec-fetch-site": "cross-site"}


@pytest.fixture
def state(state):
    state.pages.is_enabled = True
    return state


@pytest.mark.parametrize(
    ("path", "form", "alert"),
    [
        ("/login", FORM, "Login+Failed%3A+401+Unauthorized"),
        ("/login", FORM | {"email_or_username": "x@"}, "Bad+request%3A+Invalid+email"),
        ("/login", FORM | {"response_type": "x"}, "Bad+request%3A+invalid+%27response_type%27"),
        ("/login_mfa", {"mfa_token": "x", "totp": "1"}, "Failed%3A+401+Unauthorized"),
        ("/register", {"email": "x", "password": "a", "password_repeat": "b"}, "Bad+request"),
        ("/reset_password/request", {"email": "x"}, "Bad+request%3A+Invalid+email"),
        ("/otp/request", {"email": "nora@auth.test"}, "Failed%3A+404+Not+Found"),
    ],
)
async def test_a_form_that_names_a_page_is_told_there(server, path, form, alert):
    answer = await server.post(path, form={**form, "err_redirect_uri": "/again?a=b"})
    assert answer.status == 303
    assert answer.location.startswith(f"/again?a=b&alert={alert}")


async def test_the_query_may_name_it_too(server):
    form = {name: FORM[name] for name in ("email_or_username", "password")}
    query = {"err_redirect_uri": "/again"}
    answer = await server.post("/login", form=form | {"redirect_uri": "/in"}, query=query)
    assert answer.location.startswith("/again?alert=Login")


async def test_a_page_where_nobody_may_be_sent_is_no_page(server):
    answer = await server.post("/login", form=FORM | {"err_redirect_uri": "https://evil.test/"})
    assert (answer.status, answer.text) == (400, "invalid redirect")


async def test_json_is_answered_as_ever(server):
    answer = await server.post("/login", FORM)
    assert (answer.status, answer.content) == (401, b"")


async def test_too_many_requests_are_told_on_the_page(server, state):
    state.address_limit.burst = 1
    answers = [await server.post("/login", form=FORM) for _ in range(2)]
    assert answers[1].location == "/again?a=b&alert=Failed%3A+429+Too+Many+Requests"
    assert answers[1].header(b"x-ratelimit-remaining") == "0"
    answer = await server.post("/login", form={"password": "x"})
    assert (answer.status, answer.text[:17]) == (429, "Too Many Requests")


async def test_a_link_opened_in_a_browser_ends_on_a_page(server, state):
    confirm = "/verify_email/confirm/void"
    answer = await server.get(confirm, headers=BROWSER)
    assert answer.location == "/_/auth/verify_email?alert=Bad+request%3A+invalid+token"
    for head_or_not in ("GET", "HEAD"):
        answer = await server.ask(head_or_not, confirm)
        assert answer.status == (400 if head_or_not == "GET" else 200)
    state.pages.is_enabled = False
    assert (await server.get(confirm, headers=BROWSER)).status == 400


async def test_a_link_that_works_ends_on_a_page(server, mails):
    await server.get("/verify_email/trigger", query={"email": "pending@auth.test"})
    token = mails.take()[2]["token"]
    answer = await server.get(f"/verify_email/confirm/{token}")
    assert (answer.status, answer.text) == (200, "email verified")
    answer = await server.get(f"/verify_email/confirm/{token}", headers=BROWSER)
    assert answer.location == "/_/auth/verify_email?alert=email+verified"


@pytest.mark.parametrize("path", ["/login", "/login_mfa", "/otp/login", "/login_anonymous"])
async def test_a_form_of_another_site_logs_nobody_in(server, path):
    form = {"email_or_username": "nora", "password": password("nora"), "redirect_uri": "/"}
    answer = await server.post(path, form=form, headers=CROSS_SITE)
    assert (answer.status, answer.text) == (400, "a form of another site cannot log anybody in")


async def test_of_another_site_a_code_and_json_are_fine(server):
    login = {"email_or_username": "nora", "password": password("nora")}
    code = {"redirect_uri": "/", "response_type": "code", "pkce_code_challenge": "A" * 43}
    answer = await server.post("/login", form=login | code, headers=CROSS_SITE)
    assert answer.location.startswith("/?code=")
    assert (await server.post("/login", login, headers=CROSS_SITE)).status == 200
    same = await server.post(
        "/login", form=login | {"redirect_uri": "/"}, headers={"sec-fetch-site": "same-origin"}
    )
    assert same.status == 303
