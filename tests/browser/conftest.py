"""A browser without a screen: the system's chromium, driven by playwright."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 10_000  # for what should be there at once; both cores may be busy


@pytest.fixture(scope="module")
def browser():
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no chromium on this machine; on Debian: apt-get install chromium")
    # Chromium's sandbox refuses to run as root, as containers do.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_window(browser):
    """Open a window of a person of its own; it must not have complained in the end."""
    windows = []

    def open_window(url, **options):
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda message: note(page, message))
        page.goto(url)
        windows.append((context, page))
        return page

    yield open_window
    complaints = [text for _, page in windows for text in page.complaints]
    for context, _ in windows:
        context.close()
    assert complaints == []


def note(page, message):
    # The browser itself reports answers that are errors; those are the page's business.
    if message.type == "error" and "Failed to load resource" not in message.text:
        page.complaints.append(message.text)
