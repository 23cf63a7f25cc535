"""The account pages on a phone, in both schemes, and as the log-in of an application."""

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS
from tests.serving import Server, free_port

CONFIG = """
server {{ application_name: "{name}" site_url: "http://localhost:{port}" }}
auth {{
  enable_otp_signin: true user_identifier: REQUIRE_EMAIL
  redirect_uri_allowlist: ["https://boats.test/in"]
  oauth_providers {{
    key: "google" value {{ client_id: "a" client_secret: "b" provider_id: GOOGLE }}
  }}
}}
"""
NAME = "Boathouse of the Honourable Society of Rowers"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
STRANGERS_PAGES = (
    *("login", "login?alert=Login+Failed%3A+401+Unauthorized", "login_mfa?mfa_token=x"),
    *("register", "verify_email", "reset_password/request", "reset_password/update/x"),
    *(
        "otp/request",
        "otp/login?email=a-rather-long-name@of-a-boathouse.test",
        "login?redirect_uri=x",
    ),
)
OWNERS_PAGES = (
    *("profile", "totp", "change_password", "change_email", "change_username", "delete", "logout"),
)
VERIFIER = "a-verifier-that-is-long-enough-for-everybody-to-be-happy"
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    depot = tmp_path_factory.mktemp("looks") / "depot"
    depot.mkdir()
    port = free_port()
    (depot / "config.textproto").write_text(CONFIG.format(port=port, name=NAME))
    with Server(depot, port=port) as server:
        server.url = f"http://localhost:{port}"
        server.password = re.search(r"password: '(\w+)'", server.log.read_text())[1]
        yield server


def log_in(page, server):
    page.get_by_label("E-mail address or username").fill("admin@localhost")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in", exact=True).click()


def check_looks(page, scheme):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for box in page.locator("input:not([type=hidden])").all():
        assert box.evaluate("one => one.labels.length") == 1
        assert box.evaluate("one => one.getBoundingClientRect().height") >= 20
    for button in page.get_by_role("button").all():
        assert button.evaluate("one => one.getBoundingClientRect().height") >= 36
    assert page.locator("h1").count() == page.locator("main").count() == 1
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (red + green + blue > 384) == (scheme == "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_on_a_phone(server, open_window, scheme):
    page = open_window(f"{server.url}/_/auth/login", color_scheme=scheme, **PHONE)
    for path in STRANGERS_PAGES:
        page.goto(f"{server.url}/_/auth/{path}")
        check_looks(page, scheme)
    page.goto(f"{server.url}/_/auth/login")
    log_in(page, server)
    for path in OWNERS_PAGES:
        page.goto(f"{server.url}/_/auth/{path}")
        expect(page).to_have_url(f"{server.url}/_/auth/{path}")
        check_looks(page, scheme)


def test_a_page_can_be_used_with_the_keyboard(server, open_window):
    page = open_window(f"{server.url}/_/auth/login")
    expect(page.get_by_label("E-mail address or username")).to_be_focused()
    page.keyboard.type("admin@localhost")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
    expect(page.get_by_label("Password")).to_be_focused()
    assert page.get_by_label("Password").get_attribute("aria-describedby") == "message"
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Forgot your password?")).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_an_application_gets_its_code_first_from_a_stranger_then_from_who_is_logged_in(
    server, open_window
):
    page = open_window("about:blank")
    landed = []
    page.route(
        "https://boats.test/**",
        lambda route: (landed.append(route.request.url), route.fulfill(body="<p>aboard</p>")),
    )
    target = quote("https://boats.test/in", safe="")
    asked = f"redirect_uri={target}&response_type=code&pkce_code_challenge={CHALLENGE}"
    page.goto(f"{server.url}/_/auth/login?{asked}")
    log_in(page, server)
    expect(page.get_by_text("aboard")).to_be_visible()
    page.goto(f"{server.url}/_/auth/login")
    log_in(page, server)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    page.goto(f"{server.url}/_/auth/login?{asked}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Continue as admin@localhost?")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_text("aboard")).to_be_visible()
    codes = [re.fullmatch(r"https://boats\.test/in\?code=(\w{48})", url)[1] for url in landed]
    assert len(set(codes)) == 2
    for code in codes:
        answer = page.request.post(
            f"{server.url}/api/auth/v1/token",
            data={"authorization_code": code, "pkce_code_verifier": VERIFIER},
        )
        assert answer.status == 200, answer.text()


def test_another_account_can_be_chosen(server, open_window):
    page = open_window(f"{server.url}/_/auth/login")
    log_in(page, server)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    page.goto(
        f"{server.url}/_/auth/login?redirect_uri=/api/healthcheck&response_type=code"
        f"&pkce_code_challenge={CHALLENGE}"
    )
    page.get_by_role("button", name="Use another account").click()
    log_in(page, server)
    expect(page).to_have_url(re.compile(r"/api/healthcheck\?code=\w{48}$"))
