"""The account pages in a real browser: a whole life of an account without JavaScript, and looks."""

import os
import re
import time
from io import BytesIO
from pathlib import Path

import pytest
import segno
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS
from tests.mail_server import MailServer, read_mail
from tests.serving import Server, free_port
from trailbase_server.auth.totp import STEP_S, code_at, decode_secret

CONFIG = """
server {{ application_name: "Boathouse" site_url: "http://localhost:{port}" }}
auth {{
  enable_otp_signin: true user_identifier: REQUIRE_EMAIL
  custom_uri_schemes: ["boats"] redirect_uri_allowlist: ["https://boats.test/in"]
}}
email {{
  smtp_host: "127.0.0.1" smtp_port: {mail} smtp_encryption: SMTP_ENCRYPTION_NONE
  sender_name: "Boats" sender_address: "harbour@boats.test"
}}
"""
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
MAIL_PATIENCE_S = 15
PASSWORD, SECOND, THIRD = "oars-and-rope", "sails-and-mast", "keel-and-helm"
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory):
    """Where pictures of the pages are kept."""
    given = os.environ.get("TRAILBASE_TEST_ARTEFACTS")
    directory = Path(given) if given else tmp_path_factory.mktemp("artefacts")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory):
    server = MailServer(tmp_path_factory.mktemp("mails"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, mailbox, browser):
    depot = tmp_path_factory.mktemp("pages") / "depot"
    depot.mkdir()
    port = free_port()
    (depot / "config.textproto").write_text(CONFIG.format(port=port, mail=mailbox.port))
    with Server(depot, port=port) as server:
        server.url = f"http://localhost:{port}"
        yield server


@pytest.fixture
def shoot(artefacts):
    """Take a picture in both schemes, without colours that are on their way."""

    def shoot(page, name):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=artefacts / f"{name}-{scheme}.png", full_page=True)

    return shoot


def next_mail(mailbox, known):
    """The mail after those that were there."""
    end = time.monotonic() + MAIL_PATIENCE_S
    while len(mailbox.mails) <= known:
        assert time.monotonic() < end, "no mail came"
        time.sleep(0.05)
    return read_mail(mailbox.mails[known])


def link_of(mail):
    return re.search(r'href="([^"]*)"', mail.html)[1].replace("&amp;", "&")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def heading(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def log_in(page, server, password, email="ada@boats.test"):
    page.goto(f"{server.url}/_/auth/login")
    page.get_by_label("E-mail address or username").fill(email)
    page.get_by_label("Password").fill(password)
    press(page, "Log in")


def log_out(page):
    press(page, "Log out")
    expect(page.get_by_role("status")).to_contain_text("You are logged out.")


def code_of(secret, ahead=0):
    return code_at(decode_secret(secret), int(time.time()) // STEP_S + ahead)


def test_the_life_of_an_account_without_javascript(server, mailbox, open_window, shoot):
    page = open_window(f"{server.url}/_/auth/login", java_script_enabled=False)
    heading(page, "Log in to Boathouse")
    shoot(page, "login")
    register(page, mailbox, shoot)
    confirm(page, mailbox, shoot)
    fail_to_log_in(page, server, shoot)
    log_in(page, server, PASSWORD)
    heading(page, "Your account")
    upload_picture(page)
    shoot(page, "profile")
    secret = set_up_second_factor(page, shoot)
    log_out(page)
    log_in(page, server, PASSWORD)
    use_second_factor(page, secret, shoot)
    change_password(page, shoot)
    change_name_and_address(page, server, mailbox, shoot)
    switch_second_factor_off(page, secret, shoot)
    log_out(page)
    reset_password(page, server, mailbox, shoot)
    log_in_with_code(page, server, mailbox, shoot)
    delete(page, shoot)
    log_in(page, server, THIRD, "ada@harbour.test")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")


def register(page, mailbox, shoot):
    page.get_by_role("link", name="Create an account").click()
    heading(page, "Create an account")
    shoot(page, "register")
    page.get_by_label("E-mail address").fill("ada@boats.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the password").fill("something else")
    press(page, "Create the account")
    expect(page.get_by_role("alert")).to_contain_text("The two passwords differ.")
    expect(page.get_by_label("Repeat the password")).to_be_focused()
    shoot(page, "register-error")
    page.get_by_label("E-mail address").fill("ada@boats.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the password").fill(PASSWORD)
    press(page, "Create the account")
    expect(page.get_by_role("status")).to_contain_text("follow the link in the mail")
    shoot(page, "registered")


def confirm(page, mailbox, shoot):
    link = link_of(next_mail(mailbox, 0))
    page.goto(link)
    expect(page.get_by_role("status")).to_contain_text("Your address is confirmed.")
    page.goto(re.sub(r"confirm/[^?]*", "confirm/void", link))
    heading(page, "Confirm your address")
    expect(page.get_by_role("alert")).to_contain_text("This link is used or too old.")
    shoot(page, "verify-email")


def fail_to_log_in(page, server, shoot):
    log_in(page, server, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
    expect(page.get_by_label("Password")).to_be_focused()
    shoot(page, "login-error")


def draw_picture():
    """A PNG of a QR code: what draws those is at hand."""
    picture = BytesIO()
    segno.make("ada", micro=False).save(picture, kind="png", scale=4, dark="#205080")
    return picture.getvalue()


def upload_picture(page):
    page.get_by_label("Picture").set_input_files(
        {"name": "ada.png", "mimeType": "image/png", "buffer": draw_picture()}
    )
    press(page, "Upload")
    expect(page.get_by_role("status")).to_contain_text("Your picture is changed.")
    expect(page.get_by_role("img", name="Your picture")).to_be_visible()


def set_up_second_factor(page, shoot):
    page.get_by_role("link", name="Set up: Second factor").click()
    heading(page, "Second factor")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    shoot(page, "totp")
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.get_by_label("Code of your authenticator app").fill("000000")
    press(page, "Switch it on")
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong.")
    assert page.locator(".secret").inner_text().replace(" ", "") == secret
    page.get_by_label("Code of your authenticator app").fill(code_of(secret))
    press(page, "Switch it on")
    heading(page, "Your recovery codes")
    expect(page.locator(".codes li")).to_have_count(10)
    shoot(page, "recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    heading(page, "Your account")
    return secret


def use_second_factor(page, secret, shoot):
    heading(page, "One more step")
    shoot(page, "login-mfa")
    page.get_by_label("Code of your authenticator app").fill("000000")
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong, used, or too old.")
    # The code of this step is used up; one that is early by a step will do.
    page.get_by_label("Code of your authenticator app").fill(code_of(secret, ahead=1))
    press(page, "Continue")
    heading(page, "Your account")


def change_password(page, shoot):
    page.get_by_role("link", name="Change: Password").click()
    heading(page, "Change your password")
    shoot(page, "change-password")
    for old in ("wrong", PASSWORD):
        page.get_by_label("Current password").fill(old)
        page.get_by_label("New password").fill(SECOND)
        page.get_by_label("Repeat the password").fill(SECOND)
        press(page, "Change the password")
        if old == "wrong":
            expect(page.get_by_role("alert")).to_contain_text("The current password is wrong.")
            expect(page.get_by_label("Current password")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")


def change_name_and_address(page, server, mailbox, shoot):
    page.get_by_role("link", name="Add: Username").click()
    heading(page, "Change your username")
    shoot(page, "change-username")
    page.get_by_label("New username").fill("ada")
    press(page, "Change the username")
    expect(page.get_by_role("status")).to_contain_text("Your username is changed.")
    page.get_by_role("link", name="Change: E-mail address").click()
    heading(page, "Change your e-mail address")
    shoot(page, "change-email")
    known = len(mailbox.mails)
    page.get_by_label("Current e-mail address").fill("ada@boats.test")
    page.get_by_label("New e-mail address").fill("ada@harbour.test")
    press(page, "Send the link")
    expect(page.get_by_role("status")).to_contain_text("on its way to the new address")
    page.goto(link_of(next_mail(mailbox, known)))
    expect(page.get_by_role("status")).to_contain_text("Your e-mail address is changed.")
    heading(page, "Your account")
    expect(page.get_by_text("ada@harbour.test").first).to_be_visible()


def switch_second_factor_off(page, secret, shoot):
    page.get_by_role("link", name="Manage: Second factor").click()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
    shoot(page, "totp-on")
    page.get_by_label("Code of your authenticator app, or a recovery code").fill(code_of(secret))
    press(page, "Switch it off")
    expect(page.get_by_role("status")).to_contain_text("The second factor is off.")
    heading(page, "Your account")


def reset_password(page, server, mailbox, shoot):
    known = len(mailbox.mails)
    page.get_by_role("link", name="Forgot your password?").click()
    heading(page, "Forgot your password?")
    shoot(page, "reset-request")
    page.get_by_label("E-mail address").fill("ada@harbour.test")
    press(page, "Send the link")
    expect(page.get_by_role("status")).to_contain_text("a mail with a link is on its way")
    # The old address has been told that the account left it, in a mail before this one.
    mail = next(
        mail
        for number in range(known - 1, known + 3)
        if "reset_password" in (mail := next_mail(mailbox, number)).html
    )
    page.goto(link_of(mail))
    heading(page, "Choose a new password")
    shoot(page, "reset-update")
    page.get_by_label("Password", exact=True).fill(THIRD)
    page.get_by_label("Repeat the password").fill(THIRD)
    press(page, "Set the password")
    expect(page.get_by_role("status")).to_contain_text("Your password is set.")


def log_in_with_code(page, server, mailbox, shoot):
    known = len(mailbox.mails)
    page.get_by_role("link", name="Log in with a code by mail").click()
    shoot(page, "otp-request")
    page.get_by_label("E-mail address").fill("ada@harbour.test")
    press(page, "Send a code")
    heading(page, "Enter the code")
    shoot(page, "otp-login")
    page.get_by_label("Code from the mail").fill("AAAAAA")
    press(page, "Log in")
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong, used, or too old.")
    page.goto(link_of(next_mail(mailbox, known)))
    press(page, "Log in")
    heading(page, "Your account")


def delete(page, shoot):
    page.goto(re.sub(r"/_/.*", "/_/auth/logout", page.url))
    heading(page, "Log out of Boathouse?")
    shoot(page, "logout")
    page.get_by_role("link", name="Stay").click()
    page.get_by_role("link", name="Delete the account").click()
    heading(page, "Delete your account?")
    shoot(page, "delete")
    for password in ("wrong", THIRD):
        page.get_by_label("Current password").fill(password)
        press(page, "Delete the account")
        if password == "wrong":
            expect(page.get_by_role("alert")).to_contain_text("The current password is wrong.")
    expect(page.get_by_role("status")).to_contain_text("The account is deleted.")
