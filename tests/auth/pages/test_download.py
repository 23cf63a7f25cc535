"""Files that pages refer to, over HTTP."""

import pytest


async def test_the_address_names_the_content_and_is_kept_for_good(browser, state):
    assets = (await state.pages.current()).assets
    answer = await browser.get(assets.url("pages.css"))
    assert answer.status == 200
    assert answer.header(b"content-type") == "text/css; charset=utf-8"
    assert answer.header(b"cache-control") == "public, max-age=31536000, immutable"
    assert answer.header(b"x-content-type-options") == "nosniff"
    etag = answer.header(b"etag").encode()
    again = await browser.get(assets.url("pages.css"), headers=[(b"if-none-match", etag)])
    assert (again.status, again.content) == (304, b"")


async def test_an_outdated_address_answers_what_is_there_now(browser):
    answer = await browser.get("/_/auth/static/0000/pages.css")
    assert answer.status == 200
    assert answer.header(b"cache-control") == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "..%2Fpages.css", "pages.css%00", "%2e%2e"])
async def test_there_is_nothing_else(browser, name):
    assert (await browser.get(f"/_/auth/static/x/{name}")).status == 404
