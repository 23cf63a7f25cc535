"""The chat example's page in real windows: what one person says appears in the other's."""

import shutil
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS
from tests.serving import ROOT, Server, copy_depot

CHAT = ROOT / "examples" / "chat"
PASSWORDS = {"alice": "speaks-softly", "bob": "writes-a-lot", "carol": "reads-along"}
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def public():
    if shutil.which("npm") is None:
        pytest.skip("the page takes the JavaScript client from npm, which is not on this machine")
    done = subprocess.run([CHAT / "get_client"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return CHAT / "public"


@pytest.fixture(scope="module")
def depot(tmp_path_factory):
    return copy_depot(CHAT / "depot", tmp_path_factory.mktemp("chat") / "depot")


@pytest.fixture(scope="module")
def server(depot, public, browser):
    with Server(depot, "--public-dir", str(public)) as server:
        yield server


def log_in(page, name, password=None):
    page.get_by_label("Email").fill(f"{name}@chat.example")
    page.get_by_label("Password").fill(password or PASSWORDS[name])
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def enter(server, open_window):
    """Open a window in which somebody is logged in, and listening."""

    def enter(name, **options):
        page = open_window(server.url, **options)
        log_in(page, name)
        expect(page.locator("#state")).to_have_attribute("data-state", "live")
        expect(page.locator("#me")).to_have_text(name.capitalize())
        return page

    return enter


def choose(page, room):
    page.get_by_role("navigation").get_by_role("button", name=room).click()
    expect(page.locator("#room-name")).to_have_text(room)


def say(page, text):
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_label("Message", exact=True).press("Enter")


def message(page, text):
    return page.get_by_role("log").get_by_role("listitem").filter(has_text=text)


def test_a_message_appears_in_the_other_window(enter):
    alice, bob = enter("alice"), enter("bob")
    choose(bob, "Kitchen")
    expect(message(bob, "Who took the big pot?")).to_contain_text("Alice")
    say(alice, "It is back, thank you!")
    expect(message(bob, "It is back, thank you!")).to_contain_text("Alice")
    expect(message(alice, "It is back, thank you!")).to_have_class("mine")
    say(bob, "And the lid?")
    expect(message(alice, "And the lid?")).to_contain_text("Bob")
    texts = bob.locator("#messages p").all_text_contents()
    assert texts[-2:] == ["It is back, thank you!", "And the lid?"]


def test_a_room_one_is_not_in_stays_silent(enter):
    carol, bob = enter("carol"), enter("bob")
    expect(carol.locator("#rooms li")).to_have_count(1)
    choose(bob, "Kitchen")
    say(bob, "Nothing for Carol.")
    expect(message(bob, "Nothing for Carol.")).to_be_visible()
    choose(bob, "Workshop")
    say(bob, "Something for Carol.")
    # Events come in order: had there been one of the kitchen, it would have been here before.
    expect(message(carol, "Something for Carol.")).to_be_visible()
    assert carol.get_by_text("Nothing for Carol.").count() == 0


def test_another_room_counts_what_is_unread(enter):
    bob, carol = enter("bob"), enter("carol")
    choose(bob, "Kitchen")
    say(carol, "One.")
    say(carol, "Two.")
    workshop = bob.get_by_role("navigation").get_by_role("button", name="Workshop")
    expect(workshop.locator(".unread")).to_have_text("2")
    choose(bob, "Workshop")
    expect(message(bob, "Two.")).to_be_visible()
    expect(bob.locator(".unread")).to_have_count(0)


def test_markup_is_shown_and_not_run(enter):
    alice, bob = enter("alice"), enter("bob")
    choose(bob, "Kitchen")
    text = "<img src=x onerror=\"document.title='taken'\"><script>1</script>"
    say(alice, text)
    expect(message(bob, "onerror")).to_contain_text(text)
    assert bob.title() == "Chat"
    assert bob.locator("#messages img").count() == 0


def test_a_reload_stays_logged_in_and_a_logout_does_not(enter):
    alice = enter("alice")
    alice.reload()
    expect(alice.locator("#me")).to_have_text("Alice")
    expect(message(alice, "Who took the big pot?")).to_be_visible()
    alice.get_by_role("button", name="Log out").click()
    expect(alice.get_by_label("Password")).to_be_visible()
    alice.reload()
    expect(alice.get_by_label("Password")).to_be_visible()
    assert alice.get_by_text("Who took the big pot?").count() == 0


def test_a_wrong_password_is_said_to_be_wrong(server, open_window):
    page = open_window(server.url)
    log_in(page, "alice", "shouts")
    expect(page.get_by_role("alert").first).to_have_text("Email or password is wrong.")
    expect(page.locator("#chat")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_on_a_phone(enter, scheme):
    page = enter("bob", color_scheme=scheme, **PHONE)
    choose(page, "Kitchen")
    text = f"{scheme} " + "x" * 300  # one word, and the rooms are the same in all tests
    say(page, text)
    expect(message(page, text)).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (red + green + blue > 384) == (scheme == "light")


def test_the_page_comes_back_after_the_server_was_away(open_window, public, tmp_path):
    depot = copy_depot(CHAT / "depot", tmp_path / "depot")
    with Server(depot, "--public-dir", str(public)) as first:
        page = open_window(first.url)
        log_in(page, "alice")
        state = page.locator("#state")
        expect(state).to_have_attribute("data-state", "live")
        first.stop()
        expect(state).to_have_attribute("data-state", "waiting")
        with Server(depot, "--public-dir", str(public), port=first.port):
            expect(state).to_have_attribute("data-state", "live", timeout=20_000)
            say(page, "Back again.")
            expect(message(page, "Back again.")).to_be_visible()
