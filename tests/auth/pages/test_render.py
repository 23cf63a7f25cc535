"""Headers of pages, and that nothing of an address gets into them unescaped."""

import pytest

from tests.auth.pages.conftest import focused, message_of, says

STRICT = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


async def test_a_page_is_kept_nowhere_embedded_nowhere_and_runs_nothing(browser):
    answer = await browser.get("/_/auth/login")
    assert answer.header(b"content-security-policy") == STRICT
    assert answer.header(b"content-type") == "text/html; charset=utf-8"
    assert answer.header(b"cache-control") == "no-store"
    assert answer.header(b"referrer-policy") == "no-referrer"
    assert answer.header(b"x-frame-options") == "DENY"
    assert answer.header(b"x-content-type-options") == "nosniff"
    assert not any(tag in ("script", "style") for tag, _ in answer.page.tags)
    assert not any(
        name == "style" or name.startswith("on") for _, given in answer.page.tags for name in given
    )


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("https://allowed.auth.test/cb", " https://allowed.auth.test"),
        ("authapp://cb", " authapp:"),
        ("/in", ""),
        ("http://site.auth.test:8080/in", " http://site.auth.test:8080"),
    ],
)
async def test_a_form_may_lead_to_its_target(browser, target, source):
    answer = await browser.get(f"/_/auth/login?redirect_uri={target}")
    assert f"form-action 'self'{source};" in answer.header(b"content-security-policy")


async def test_an_error_gets_the_focus_at_its_field_else_at_its_message(browser):
    answer = await browser.get("/_/auth/login?alert=Login+Failed%3A+401+Unauthorized")
    assert message_of(answer.page) == "error"
    assert focused(answer.page) == ["password"]
    [password] = [given for _, given in answer.page.tags if given.get("name") == "password"]
    assert password["aria-invalid"] == "true"
    assert password["aria-describedby"] == "message"
    answer = await browser.get("/_/auth/login?alert=Login+Failed%3A+429+Too+Many+Requests")
    assert focused(answer.page) == ["message"]
    answer = await browser.get("/_/auth/login?alert=email+verified")
    assert message_of(answer.page) == "notice"
    assert focused(answer.page) == []


async def test_strangers_cannot_put_sentences_on_a_page(browser):
    answer = await browser.get("/_/auth/login?alert=Call+555+to+unlock+your+account")
    assert not says(answer, "555")
    assert says(answer, "That did not work.")


async def test_a_page_that_cannot_be_shown_says_so(browser):
    answer = await browser.get("/_/auth/login?redirect_uri=https://evil.test/")
    assert answer.status == 400
    assert says(answer, "The address that this page should lead to is not allowed.")
    assert "evil" not in answer.text
    assert answer.page.links["To the log-in"] == "/_/auth/login"


async def test_the_language_is_on_the_page(browser, state, tmp_path):
    directory = tmp_path / "templates" / "auth"
    directory.mkdir(parents=True)
    (directory / "texts.de.toml").write_text('[login]\nsubmit = "Anmelden"\n')
    state.pages.depot = tmp_path
    await state.pages.reload()
    answer = await browser.get("/_/auth/login", headers=[(b"accept-language", b"de-AT,de;q=0.9")])
    assert '<html lang="de">' in answer.text
    assert "Anmelden" in answer.text


@pytest.mark.parametrize("page", ["login", "register"])
@pytest.mark.parametrize("is_enabled", [True, False])
async def test_a_script_runs_only_where_passkeys_are_offered(
    browser, state, config, page, is_enabled
):
    config.passkeys.enabled = is_enabled
    state.configure(config, "http://site.auth.test:8080")
    answer = await browser.get(f"/_/auth/{page}")
    policy = answer.header(b"content-security-policy")
    scripts = [given["src"] for tag, given in answer.page.tags if tag == "script"]
    has_passkeys = is_enabled and page == "login"
    assert ("script-src 'self'; connect-src 'self';" in policy) == has_passkeys
    assert bool(scripts) == has_passkeys
    assert ("/api/auth/v1/passkeys/login/finish" in answer.text) == has_passkeys
    for url in scripts:
        script = await browser.get(url)
        assert script.status == 200
        assert script.header(b"content-type") == "text/javascript; charset=utf-8"


async def test_a_refused_passkey_is_told_without_a_word_of_passwords(browser):
    answer = await browser.get("/_/auth/login?alert=passkey+refused")
    assert says(answer, "This passkey does not log you in here.")
    assert focused(answer.page) == ["message"]
