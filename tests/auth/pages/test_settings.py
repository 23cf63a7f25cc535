"""Title and logo, as administrators choose them."""

import json

import orjson
import pytest

from trailbase_server.auth.pages.settings import COMPONENT, read_settings

URL = "/_/auth/admin/settings/"


async def token_of(browser, who):
    await browser.log_in(who)
    return browser.dispatcher.authenticator._verified.cookie(browser.jar["auth_token"]).csrf_token


def with_token(token):
    return [(b"csrf-token", token.encode()), (b"content-type", b"application/json")]


async def test_only_administrators_may(browser):
    assert (await browser.get(URL)).status == 401
    token = await token_of(browser, "nora")
    assert (await browser.get(URL)).status == 403
    answer = await browser.ask("POST", URL, body=b"{}", headers=with_token(token))
    assert answer.status == 403


async def test_what_is_stored_is_on_the_pages(browser, state):
    token = await token_of(browser, "warden")
    assert (await browser.get(URL)).json == {"title": None, "icon_url": None}
    wanted = {"title": "<Rowers>", "icon_url": "https://pictures.test/logo.png"}
    body = json.dumps(wanted).encode()
    answer = await browser.ask("POST", URL, body=body, headers=with_token(token))
    assert (answer.status, answer.content) == (200, b"")
    assert (await browser.get(URL)).json == wanted
    browser.jar.clear()
    page = await browser.get("/_/auth/login")
    assert "Log in to &lt;Rowers&gt;" in page.text
    assert '<img src="https://pictures.test/logo.png" alt="">' in page.text
    policy = page.header(b"content-security-policy")
    assert "img-src 'self' https://pictures.test;" in policy


async def test_a_wrong_token_or_shape_is_refused(browser):
    token = await token_of(browser, "warden")
    for headers, body, status in (
        (with_token("x"), b"{}", 403),
        (with_token(token)[1:], b"{}", 403),
        (with_token(token), b"[]", 422),
        (with_token(token), b"{", 400),
        (with_token(token), b'{"title": 3}', 422),
        (with_token(token), json.dumps({"title": "x" * 3000}).encode(), 400),
        (with_token(token)[:1], b"{}", 415),
    ):
        assert (await browser.ask("POST", URL, body=body, headers=headers)).status == status


def put(tx, value):
    tx.run("INSERT INTO _wasm_shared_preferences VALUES (?1, ?2)", (COMPONENT, value))


async def test_the_row_of_the_reference_is_read_and_its_other_entries_stay(browser, state):
    inner = orjson.dumps({"title": "Old", "icon_url": ""}).decode()
    await state.database.write(put, orjson.dumps({"a": "b", "settings": inner}).decode())
    assert (await read_settings(state.database)).title == "Old"
    token = await token_of(browser, "warden")
    await browser.ask("POST", URL, body=b'{"title": "New"}', headers=with_token(token))
    [(value,)] = await state.database.query("SELECT value FROM _wasm_shared_preferences")
    assert orjson.loads(value)["a"] == "b"
    assert (await read_settings(state.database)).title == "New"


@pytest.mark.parametrize(
    "settings", ['"x"', "[]", '{"title": 1}', "{", '{"icon_url": "javascript:alert(1)"}', "null"]
)
async def test_what_cannot_be_shown_is_as_if_it_were_not_there(browser, state, settings):
    await state.database.write(put, orjson.dumps({"settings": settings}).decode())
    found = await read_settings(state.database)
    assert (found.title, found.icon_url) == (None, None)
    assert (await browser.get("/_/auth/login")).status == 200
