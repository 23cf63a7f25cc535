"""The table of pages: nothing a visitor sends harms the server, or comes back as markup."""

import re
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.auth.pages.routes import PAGE_ROUTES

MARK = "<i\"'>x`${{7*7}}"
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            *(MARK, "/in" + MARK, "authapp://" + MARK, "//evil.test", "javascript:alert(1)", ""),
            *("code", "token", "x" * 5000, "\x00", "email verified", "Failed: 999", "\r\na: b"),
            *("otpauth://totp/a:b?secret=GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX&issuer=a", "000000"),
            *("Failed: ٤٠١", "/_/auth/otp/login?redirect_uri=//evil.test", "NORA-pass-77"),
        ]
    ),
)
NAMES = (
    *("redirect_uri", "mfa_redirect_uri", "err_redirect_uri", "response_type", "alert", "email"),
    *("pkce_code_challenge", "mfa_token", "code", "username", "csrf_token", "totp", "totp_url"),
    *("old_password", "new_password", "new_email", "new_username", "password"),
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=5)


@pytest.fixture
def config(config):
    config.enable_otp_signin = True
    return config


def test_operations_are_unique_and_below_one_path():
    assert len({route.operation for route in PAGE_ROUTES}) == len(PAGE_ROUTES)
    for route in PAGE_ROUTES:
        assert route.path.startswith("/_/auth/")
        assert route.summary.endswith(".")


@pytest.mark.parametrize("route", PAGE_ROUTES, ids=lambda route: f"{route.method} {route.path}")
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
async def test_nothing_a_visitor_sends_does_harm(route, data, browser, mails):
    if data.draw(st.booleans()) and not browser.jar:
        await browser.log_in("nora")
    segment = quote(data.draw(st.text(min_size=1, max_size=20)), safe="")
    path = re.sub(r"{\w+}", lambda _: segment, route.path)
    query = encode(data.draw(FIELDS))
    headers = []
    if data.draw(st.booleans()):
        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    body = encode(data.draw(FIELDS)).encode() if route.method == "POST" else b""
    answer = await browser.ask(route.method, f"{path}?{query}", body=body, headers=headers)
    assert answer.status < 500
    assert b"<i" + MARK[2:].encode() not in answer.content
    assert b"49" not in re.findall(rb"x`\$(\d+)", answer.content)
    for location in (answer.location or "",):
        assert not location.startswith(("//", "/\\", "http", "javascript:"))


def encode(fields):
    return urlencode({name: text.encode("utf-8", "replace") for name, text in fields.items()})


@pytest.mark.parametrize("name", ["redirect_uri", "mfa_token", "email", "code", "username"])
@pytest.mark.parametrize(
    "page",
    ["login", "login_mfa", "register", "otp/login", "verify_email", "reset_password/request"],
)
async def test_values_are_escaped_where_they_stand(browser, page, name):
    value = f"/in{MARK}"
    query = urlencode({"mfa_token": "x", name: value})
    answer = await browser.get(f"/_/auth/{page}?{query}")
    assert answer.status == 200
    assert MARK not in answer.text
    assert not any(tag == "i" for tag, _ in answer.page.tags)


async def test_a_bare_refusal_becomes_a_page(browser):
    answer = await browser.get("/_/auth/login?redirect_uri=" + "x" * 5000)
    assert answer.status == 400
    assert answer.header(b"content-type") == "text/html; charset=utf-8"


async def test_forms_are_counted_by_address(browser, state):
    state.address_limit.burst = 2
    statuses = [(await browser.post("/_/auth/logout", {})).status for _ in range(3)]
    assert statuses == [303, 303, 429]
