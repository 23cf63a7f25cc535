"""Forms of people who are logged in: forged ones, late ones, failures."""

import pytest

from tests.auth.conftest import NORA
from tests.auth.pages.conftest import says
from trailbase_server.auth.pages.actions import act, alert_of, refuse
from trailbase_server.auth.pages.routes import PAGE_ROUTES
from trailbase_server.auth.users import find_user
from trailbase_server.errors import (
    BadRequestError,
    InternalError,
    NotFoundError,
    UnavailableError,
)
from trailbase_server.web.response import Response, empty

FORMS = [
    route.path.replace("{id}", "1")
    for route in PAGE_ROUTES
    if route.method == "POST" and "/admin/" not in route.path
]
CROSS_SITE = [(b"sec-fetch-site", b"cross-site"), (b"origin", b"https://evil.test")]


@pytest.mark.parametrize("path", FORMS)
async def test_no_form_is_taken_from_another_site(nora, state, path):
    form = {"sure": "yes", "password": "NORA-pass-77", "csrf_token": "forged"}
    for given in (form, {**form, "csrf_token": None}):
        answer = await nora.post(path, given, headers=CROSS_SITE)
        assert answer.status in (303, 400)
        if answer.status == 303:
            assert "alert=Bad+request" in answer.location or "/_/auth/login" in answer.location
    assert await find_user(state.database, NORA) is not None
    assert "auth_token" in nora.jar
    assert (await nora.get("/_/auth/profile")).status == 200


async def test_a_page_that_is_too_old_says_so_at_its_place(nora):
    answer = await nora.post("/_/auth/sessions/end", {"csrf_token": "old"})
    answer = await nora.follow(answer)
    assert says(answer, "This page was too old. Please try again.")


async def test_without_a_token_the_browser_s_word_will_do(nora):
    headers = [(b"sec-fetch-site", b"same-origin")]
    answer = await nora.post("/_/auth/sessions/end", {}, headers=headers)
    assert answer.location == "/_/auth/profile?alert=sessions+ended"


async def test_cookies_of_the_work_are_passed_on_and_redirects_are_kept(nora, state):
    async def work(_state, _request):
        response = empty()
        response.headers.append((b"set-cookie", b"a=b"))
        response.headers.append((b"x-other", b"c"))
        return response

    async def lead(_state, _request):
        return Response(303, headers=[(b"location", b"/elsewhere")])

    request = await request_of(nora)
    response = await act(work, "/p", "done it", target="/t")(state, request)
    assert response.headers == [(b"location", b"/t?alert=done+it"), (b"set-cookie", b"a=b")]
    response = await act(lead, "/p", "done it")(state, await request_of(nora))
    assert response.headers == [(b"location", b"/elsewhere")]


async def request_of(browser):
    from trailbase_server.web.request import Request

    cookie = "; ".join(f"{name}={value}" for name, value in browser.jar.items()).encode()
    kind = b"application/x-www-form-urlencoded"
    request = Request("POST", "/x", "", [(b"cookie", cookie), (b"content-type", kind)])
    await browser.dispatcher.identify(request)
    return request


def test_failures_of_ours_are_not_told():
    with pytest.raises(InternalError):
        refuse(InternalError(), "/p")
    assert refuse(UnavailableError(), "/p").headers == [(b"location", b"/p?alert=Failed%3A+503")]


def test_what_a_refusal_is_called():
    assert alert_of(BadRequestError("why")) == "Bad request: why"
    assert alert_of(NotFoundError()) == "Failed: 404"
