"""The operations page in a browser: log in, look, do, log out; on a phone too."""

import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS
from tests.serving import Server
from trailbase_server.auth.totp import code_at, decode_secret, new_secret

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
SECTIONS = ["Server", "Configuration", "Backups", "Jobs", "Access log"]
STEP_S = 30  # a code is good for as long
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def server(tmp_path_factory, browser):
    depot = tmp_path_factory.mktemp("operations") / "depot"
    depot.mkdir()
    with Server(depot) as server:
        server.password = re.search(r"password: '(\w+)'", server.log.read_text())[1]
        yield server


def log_in(page, password):
    page.get_by_label("E-mail address or username").fill("admin@localhost")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def section(page, name):
    return page.get_by_role("region", name=name, exact=True).filter(has=page.locator("h2"))


@pytest.fixture
def operations(server, open_window):
    page = open_window(f"{server.url}/_/admin/")
    log_in(page, server.password)
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    return page


def test_it_shows_how_the_server_is(operations):
    headings = operations.get_by_role("heading", level=2)
    expect(headings).to_have_text(SECTIONS)
    server = section(operations, "Server")
    expect(server.get_by_text("ready", exact=True)).to_be_visible()
    expect(server.get_by_text("(wire v0.33.2)")).to_be_visible()
    expect(operations.locator("#name")).to_have_text("admin@localhost")


def test_a_job_is_run(operations):
    jobs = section(operations, "Jobs")
    jobs.get_by_role("button", name="Run Session Cleanup").click()
    expect(operations.get_by_role("status")).to_have_text("Session Cleanup has run.")
    row = jobs.get_by_role("row").filter(has_text="Session Cleanup")
    expect(row.get_by_text("ok")).to_be_visible()


def test_a_backup_is_made(operations, server):
    backups = section(operations, "Backups")
    backups.get_by_role("button", name="Back up now").click()
    expect(operations.get_by_role("status")).to_have_text("A backup was made.")
    expect(backups.get_by_role("row")).to_have_count(2)
    assert len(list((server.depot / "backups").iterdir())) >= 1


def test_the_configuration_is_read_again(operations):
    operations.get_by_role("button", name="Reload").click()
    expect(operations.get_by_role("status")).to_have_text("Reloaded.")
    expect(section(operations, "Configuration").get_by_text("ok", exact=True)).to_be_visible()


def test_the_access_log_is_filtered(operations):
    log = section(operations, "Access log")
    rows = log.locator("tbody tr")
    expect(rows.filter(has_text="/api/auth/v1/login").first).to_be_visible()
    log.get_by_label("Method").select_option("POST")
    log.get_by_label("Address contains").fill("/login")
    log.get_by_role("button", name="Filter").click()
    expect(rows.filter(has_text="GET")).to_have_count(0)
    expect(rows.filter(has_text="/api/auth/v1/login").first).to_be_visible()
    log.get_by_label("Status").fill("418")
    log.get_by_role("button", name="Filter").click()
    expect(log.get_by_text("None.")).to_be_visible()


def test_what_clients_send_is_shown_as_text(operations, server):
    operations.evaluate("fetch('/api/<img src=x onerror=document.title=1>?a=<b>x</b>')")
    log = section(operations, "Access log")
    log.get_by_role("button", name="Refresh Access log").click()
    expect(log.locator("tbody tr").filter(has_text="onerror").first).to_be_visible()
    assert log.locator("tbody img, tbody b").count() == 0
    assert operations.title() == "Operations"


def test_a_session_outlasts_a_reload_and_ends_with_log_out(operations):
    operations.reload()
    expect(operations.get_by_role("heading", name="Operations")).to_be_visible()
    operations.get_by_role("button", name="Log out").click()
    expect(operations.get_by_role("heading", name="Log in")).to_be_visible()
    assert operations.evaluate("sessionStorage.length") == 0
    operations.reload()
    expect(operations.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_wrong_password_is_told(server, open_window):
    page = open_window(f"{server.url}/_/admin/")
    log_in(page, "not-the-password")
    expect(page.get_by_role("status")).to_have_text("Name or password is wrong.")


def test_whoever_is_no_administrator_sees_nothing(server, open_window):
    with closing(sqlite3.connect(server.depot / "data" / "main.db")) as connection:
        connection.execute("UPDATE _user SET admin = FALSE")
        connection.commit()
    try:
        page = open_window(f"{server.url}/_/admin/")
        log_in(page, server.password)
        expect(page.get_by_role("status")).to_have_text("This account is no administrator's.")
        expect(page.get_by_role("heading", level=2)).to_have_count(0)
    finally:
        with closing(sqlite3.connect(server.depot / "data" / "main.db")) as connection:
            connection.execute("UPDATE _user SET admin = TRUE")
            connection.commit()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_on_a_phone(server, open_window, scheme, tmp_path):
    page = open_window(f"{server.url}/_/admin/", color_scheme=scheme, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    log_in(page, server.password)
    expect(page.get_by_role("heading", level=2)).to_have_text(SECTIONS)
    expect(page.locator("tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for box in page.locator("input:visible, select:visible").all():
        assert box.evaluate("one => one.labels.length") == 1
    for button in page.get_by_role("button").all():
        assert button.evaluate("one => one.getBoundingClientRect().height") >= 36
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (red + green + blue > 384) == (scheme == "light")


def test_a_keyboard_is_enough(server, open_window):
    page = open_window(f"{server.url}/_/admin/")
    expect(page.get_by_label("E-mail address or username")).to_be_focused()
    page.keyboard.type("admin@localhost")
    page.keyboard.press("Tab")
    page.keyboard.type(server.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Refresh Server")).to_be_focused()


def test_a_second_factor_is_asked_for(server, open_window):
    secret = new_secret()
    with closing(sqlite3.connect(server.depot / "data" / "main.db")) as connection:
        connection.execute("UPDATE _user SET totp_secret = ?", [secret])
        connection.commit()
    page = open_window(f"{server.url}/_/admin/")
    log_in(page, server.password)
    code = page.get_by_label("Code of your authenticator app")
    code.fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("status")).to_have_text("The code is wrong, or took too long.")
    code.fill(code_at(decode_secret(secret), int(time.time()) // STEP_S))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
