"""The profile: what it shows, and what can be done there."""

import pytest

from tests.auth.conftest import LINKED, NORA, password
from tests.auth.pages.conftest import focused, says
from trailbase_server.auth.sign_in import open_session
from trailbase_server.auth.users import find_user
from trailbase_server.config.proto.config_pb2 import AuthConfig
from trailbase_server.ids import encode_b64u

PROFILE, DELETE = "/_/auth/profile", "/_/auth/delete"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


async def upload(browser, action, content, name="file"):
    body = (
        b'--x\r\ncontent-disposition: form-data; name="%b"; filename="a.png"\r\n\r\n%b\r\n--x--\r\n'
    )
    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    filled = body % (name.encode(), content)
    return await browser.ask("POST", action, body=filled, headers=headers)


async def test_it_shows_who_one_is_now(nora, state):
    answer = await nora.get(PROFILE)
    assert says(answer, "nora@auth.test")
    assert {"Change", "Set up", "Delete the account"} <= set(answer.page.links)
    state.configure(AuthConfig(), None)
    hrefs = (await nora.get(PROFILE)).page.links
    assert hrefs["Set up"] == "/_/auth/totp"


async def test_who_logs_in_elsewhere_has_no_password_to_change(browser, state):
    user = await find_user(state.database, LINKED)
    session = await open_session(state, user)
    browser.jar = {"auth_token": session.identity.token}
    answer = await browser.get(PROFILE)
    assert "/_/auth/change_password" not in answer.text
    assert says(answer, "Logs in with OAuth")


async def test_names_can_be_changed_where_there_are_names(nora, state):
    assert "/_/auth/change_username" in (await nora.get(PROFILE)).text
    state.configure(AuthConfig(), None)
    assert "/_/auth/change_username" not in (await nora.get(PROFILE)).text


async def test_a_picture_comes_and_goes(nora):
    form = (await nora.get(PROFILE)).page.form("/_/auth/avatar")
    assert form.enctype == "multipart/form-data"
    answer = await nora.follow(await upload(nora, form.action, PICTURE))
    assert says(answer, "Your picture is changed.")
    url = f"/api/auth/v1/avatar/{encode_b64u(NORA)}"
    assert f'src="{url}"' in answer.text
    assert (await nora.get(url)).status == 200
    answer = await nora.follow(await nora.submit(answer.page.form("/_/auth/avatar/delete")))
    assert says(answer, "Your picture is deleted.")
    assert (await nora.get(url)).status == 404


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        (b"GIF89a", "file", "The picture must be a PNG or a JPEG."),
        (b"", "file", "Please choose a picture."),
        (PICTURE, "other", "Please choose a picture."),
    ],
)
async def test_what_is_no_picture_is_told(nora, content, name, text):
    form = (await nora.get(PROFILE)).page.form("/_/auth/avatar")
    assert says(await nora.follow(await upload(nora, form.action, content, name)), text)


async def test_an_upload_needs_its_token(nora):
    answer = await nora.follow(await upload(nora, "/_/auth/avatar?csrf_token=x", PICTURE))
    assert says(answer, "This page was too old.")


async def test_sessions_can_be_ended_one_by_one_and_all_others(nora):
    mine = dict(nora.jar)
    for _ in range(3):
        nora.jar.clear()
        await nora.log_in("nora")
    nora.jar = mine
    answer = await nora.get(PROFILE)
    ends = [form for form in answer.page.forms if form.action.startswith("/_/auth/sessions/end/")]
    assert len(ends) == 3
    assert answer.text.count("this browser") == 1
    answer = await nora.follow(await nora.submit(ends[0]))
    assert says(answer, "The session is ended.")
    answer = await nora.follow(await nora.submit(answer.page.form("/_/auth/sessions/end")))
    assert says(answer, "Your other sessions are ended.")
    assert answer.text.count("Since ") == 1
    gone = await nora.follow(await nora.submit(ends[0]))
    assert says(gone, "That did not work.")


async def test_an_account_is_deleted_with_its_password_only(nora, state):
    form = (await nora.get(DELETE)).page.form(DELETE)
    answer = await nora.follow(await nora.submit(form, password="wrong"))
    assert says(answer, "The current password is wrong.")
    assert focused(answer.page) == ["password"]
    form = answer.page.form(DELETE)
    answer = await nora.submit(form, password=password("nora"))
    assert answer.location == "/_/auth/login?alert=account+deleted"
    assert nora.jar == {}
    assert await find_user(state.database, NORA) is None


async def test_without_a_password_a_tick_is_needed(browser, state):
    user = await find_user(state.database, LINKED)
    session = await open_session(state, user)
    browser.jar = {"auth_token": session.identity.token}
    form = (await browser.get(DELETE)).page.form(DELETE)
    answer = await browser.follow(await browser.submit(form))
    assert says(answer, "Please confirm that you want this.")
    assert (await browser.submit(form, sure="yes")).location.startswith("/_/auth/login?")
    assert await find_user(state.database, LINKED) is None


@pytest.mark.parametrize("url", [PROFILE, DELETE])
async def test_strangers_are_asked_to_log_in(browser, url):
    answer = await browser.get(f"{url}?alert=email+changed")
    assert answer.location.startswith("/_/auth/login?redirect_uri=%2F_%2Fauth%2F")
    assert answer.location.endswith("&alert=email+changed")


async def test_an_eternal_session_has_no_end(browser, state):
    state.configure(AuthConfig(refresh_token_ttl_sec=-1, user_identifier="REQUIRE_EMAIL"), None)
    await browser.log_in("nora")
    assert says(await browser.get(PROFILE), "until logged out")
