"""Passkeys in a real browser, whose virtual authenticator takes the place of a device."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS
from tests.serving import Server, free_port

CONFIG = """
server {{ application_name: "Boathouse" site_url: "http://localhost:{port}" }}
auth {{ passkeys {{ enabled: true }} custom_uri_schemes: ["boats"] }}
"""
PEOPLE = """
INSERT INTO _user (email, password_hash) VALUES
  ('ada@boats.test', hash_password('oars-and-rope')),
  ('bea@boats.test', hash_password('oars-and-rope')),
  ('eve@boats.test', hash_password('oars-and-rope'));
"""

# A virtual authenticator takes an offer at once, before anybody can press a button.
NO_OFFERS = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    depot = tmp_path_factory.mktemp("passkeys") / "depot"
    migrations = depot / "migrations" / "main"
    migrations.mkdir(parents=True)
    (migrations / "U1790000001__people.sql").write_text(PEOPLE)
    port = free_port()
    (depot / "config.textproto").write_text(CONFIG.format(port=port))
    with Server(depot, port=port) as server:
        server.url = f"http://localhost:{port}"
        yield server


class Device:
    """The virtual authenticator of a window."""

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = {"authenticatorId": made["authenticatorId"]}

    @property
    def credentials(self):
        return self._session.send("WebAuthn.getCredentials", self._id)["credentials"]

    def recognise(self, *, is_owner):
        """It recognises whoever touches it, or does not."""
        self._session.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": is_owner})


@pytest.fixture
def visit(server, open_window):
    """A window at the log-in, and its device."""

    def visit(*, offers=False):
        page = open_window("about:blank")
        if not offers:
            page.add_init_script(NO_OFFERS)
        device = Device(page)
        page.goto(f"{server.url}/_/auth/login")
        return page, device

    return visit


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def heading(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def log_in(page, email="ada@boats.test"):
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill("oars-and-rope")
    press(page, "Log in")
    heading(page, "Your account")


def log_out(page):
    press(page, "Log out")
    expect(page.get_by_role("status")).to_contain_text("You are logged out.")


def passkeys(page):
    return page.get_by_role("list", name="Passkeys").get_by_role("listitem")


def names(page, *expected):
    expect(passkeys(page)).to_have_count(len(expected))
    for number, name in enumerate(expected):
        expect(passkeys(page).nth(number).get_by_label("Name of the passkey")).to_have_value(name)


def add(page, name=""):
    page.locator("#passkey-name").fill(name)
    press(page, "Add a passkey")


def test_a_passkey_is_added_used_renamed_and_removed(visit):
    page, device = visit()
    log_in(page)
    names(page)
    add(page, "Laptop")
    names(page, "Laptop")
    assert len(device.credentials) == 1
    assert device.credentials[0]["rpId"] == "localhost"
    log_out(page)
    press(page, "Log in with a passkey")
    heading(page, "Your account")
    expect(page.get_by_text("ada@boats.test").first).to_be_visible()
    expect(passkeys(page).first).to_contain_text("last used")
    passkeys(page).first.get_by_label("Name of the passkey").fill("Old laptop")
    passkeys(page).first.get_by_role("button", name="Rename").click()
    page.reload()
    names(page, "Old laptop")
    passkeys(page).first.get_by_role("button", name="Remove").click()
    names(page)
    log_out(page)
    press(page, "Log in with a passkey")
    expect(page.get_by_role("alert")).to_contain_text("This passkey does not log you in here.")


def test_a_device_that_has_a_key_says_so(visit):
    page, _ = visit()
    log_in(page, "bea@boats.test")
    add(page)
    names(page, "Passkey")
    add(page)
    expect(page.get_by_role("alert")).to_contain_text("has a passkey of your account already")
    names(page, "Passkey")


def test_the_browser_offers_passkeys_where_it_offers_names(visit, server):
    page, _ = visit(offers=True)
    name = page.get_by_label("E-mail address")
    expect(name).to_have_attribute("autocomplete", "username webauthn")
    log_in(page, "eve@boats.test")
    add(page, "Laptop")
    names(page, "Laptop")
    press(page, "Log out")
    # Back at the log-in, whoever takes the offer has pressed nothing.
    heading(page, "Your account")
    expect(page.get_by_text("eve@boats.test").first).to_be_visible()


def test_an_application_gets_its_code(visit, server):
    page, _ = visit()
    log_in(page)
    add(page)
    expect(passkeys(page)).to_have_count(1)
    log_out(page)
    challenge = "A" * 43
    page.goto(
        f"{server.url}/_/auth/login?redirect_uri=boats%3A%2F%2Fin&response_type=code"
        f"&pkce_code_challenge={challenge}"
    )
    # The browser cannot go there: what it was told to do is seen in the answer.
    with page.expect_response("**/passkeys/login/finish") as caught:
        press(page, "Log in with a passkey")
    answer = caught.value
    assert answer.status == 303
    assert answer.headers["location"].startswith("boats://in?code=")


def test_whoever_the_device_does_not_recognise_stays_out(visit):
    page, device = visit()
    log_in(page, "bea@boats.test")
    add(page, "Phone")
    expect(passkeys(page).last.get_by_label("Name of the passkey")).to_have_value("Phone")
    log_out(page)
    device.recognise(is_owner=False)
    press(page, "Log in with a passkey")
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used.")


def test_a_log_in_that_was_long_ago_asks_for_the_password(visit):
    page, _ = visit()
    log_in(page)
    # As if fifteen minutes had gone by: the session is not known.
    context = page.context
    cookies = [one for one in context.cookies() if one["name"] != "refresh_token"]
    context.clear_cookies()
    context.add_cookies(cookies)
    before = passkeys(page).count()
    add(page, "Late")
    page.get_by_label("Current password").fill("wrong")
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("The password or the code is wrong.")
    add(page, "Late")
    page.get_by_label("Current password").fill("oars-and-rope")
    press(page, "Continue")
    expect(passkeys(page)).to_have_count(before + 1)


def test_without_javascript_nothing_promises_passkeys(server, open_window):
    page = open_window(f"{server.url}/_/auth/login", java_script_enabled=False)
    heading(page, "Log in to Boathouse")
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()
