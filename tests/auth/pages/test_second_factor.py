"""The second factor by page."""

import re

from tests.auth.conftest import NORA, SOLO
from tests.auth.pages.conftest import code_now, focused, says
from trailbase_server.auth.totp import parse_url
from trailbase_server.auth.users import find_user

TOTP = "/_/auth/totp"


async def log_in_otto(browser, state):
    login = {
        "email_or_username": "otto",
        "password": "OTTO-pass-77",
        "redirect_uri": "/",
        "mfa_redirect_uri": "/_/auth/login_mfa",
    }
    answer = await browser.follow(await browser.post("/api/auth/v1/login", login))
    form = answer.page.form("/api/auth/v1/login_mfa")
    answer = await browser.submit(form, totp=code_now(state, ahead=-1))
    assert browser.jar["auth_token"]


async def test_it_is_switched_on_with_a_code_of_the_secret_that_was_shown(nora, state):
    answer = await nora.get(TOTP)
    form = answer.page.form(TOTP)
    secret = parse_url(form.values["totp_url"])
    shown = re.search(r'class="secret">([^<]*)<', answer.text)[1].replace(" ", "")
    assert shown == secret
    assert "<svg" in answer.text
    wrong = await nora.submit(form, totp="000000")
    assert wrong.status == 400
    assert says(wrong, "The code is wrong.")
    assert focused(wrong.page) == ["totp"]
    assert parse_url(wrong.page.form(TOTP).values["totp_url"]) == secret
    done = await nora.submit(wrong.page.form(TOTP), totp=code_now(state, secret))
    assert done.status == 200
    assert len(re.findall(r"<li><code>\w{5}-\w{5}</code>", done.text)) == 10
    assert (await find_user(state.database, NORA)).totp_secret == secret
    assert says(await nora.get(TOTP), "10 recovery codes are left.")


async def test_a_secret_that_is_not_ours_is_not_shown_again(nora):
    form = (await nora.get(TOTP)).page.form(TOTP)
    answer = await nora.submit(form, totp_url="otpauth://hotp/x?secret=a", totp="000000")
    assert answer.status == 303
    assert says(await nora.follow(answer), "That did not work.")


async def test_a_forged_form_switches_nothing_on(nora, state):
    form = (await nora.get(TOTP)).page.form(TOTP)
    secret = parse_url(form.values["totp_url"])
    answer = await nora.submit(form, csrf_token="x", totp=code_now(state, secret))
    assert answer.status == 400
    assert says(answer, "This page was too old.")
    assert (await find_user(state.database, NORA)).totp_secret is None


async def test_it_is_switched_off_with_a_code(browser, state):
    await log_in_otto(browser, state)
    form = (await browser.get(TOTP)).page.form(f"{TOTP}/off")
    answer = await browser.follow(await browser.submit(form, totp="000000"))
    assert says(answer, "The code is wrong.")
    answer = await browser.submit(answer.page.form(f"{TOTP}/off"), totp=code_now(state))
    assert says(await browser.follow(answer), "The second factor is off.")
    assert says(await browser.follow(await browser.submit(form, totp="1")), "no second factor")


async def test_new_recovery_codes_take_a_code(browser, state):
    await log_in_otto(browser, state)
    form = (await browser.get(TOTP)).page.form(f"{TOTP}/recovery_codes")
    answer = await browser.submit(form, totp="000000")
    assert says(await browser.follow(answer), "The code is wrong.")
    answer = await browser.submit(form, totp=code_now(state))
    assert answer.status == 200
    assert len(re.findall(r"<li><code>", answer.text)) == 10
    assert answer.header(b"cache-control") == "no-store"


async def test_a_second_one_cannot_be_switched_on(browser, nora, state):
    form = (await nora.get(TOTP)).page.form(TOTP)
    nora.jar.clear()
    await log_in_otto(browser, state)
    csrf = (await browser.get(TOTP)).page.forms[0].values["csrf_token"]
    code = code_now(state, parse_url(form.values["totp_url"]))
    answer = await browser.submit(form, csrf_token=csrf, totp=code)
    assert says(await browser.follow(answer), "There is a second factor already.")


def rename(tx):
    tx.run("UPDATE _user SET username = 'a:b' WHERE id = ?1", (SOLO,))


async def test_a_name_that_apps_would_misread_is_told(browser, state):
    await browser.log_in("solo")
    await state.database.write(rename)
    answer = await browser.get(TOTP)
    assert answer.page.forms == []
    assert says(answer, "An account needs an e-mail address or a username for that.")


async def test_strangers_are_asked_to_log_in(browser):
    for path in (TOTP, f"{TOTP}/off", f"{TOTP}/recovery_codes"):
        answer = await browser.post(path, {})
        assert answer.location.startswith("/_/auth/login?redirect_uri=%2F_%2Fauth%2Ftotp")
    assert (await browser.get(TOTP)).status == 303
