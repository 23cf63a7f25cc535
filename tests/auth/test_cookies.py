"""Reading and writing cookies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.cookies import read_cookies, remove_cookies, set_cookie
from trailbase_server.web.request import Request


def request(*values):
    return Request("GET", "/", headers=[(b"cookie", value.encode("latin-1")) for value in values])


def test_cookies_are_read_from_all_headers_and_decoded():
    assert read_cookies(request("a=1; b=x%20y", "c==z;d")) == {"a": "1", "b": "x y", "c": "=z"}


def test_of_repeated_cookies_the_first_counts():
    assert read_cookies(request("a=1; a=2", "a=3")) == {"a": "1"}


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_reading_never_fails(value):
    read_cookies(request(value))


@pytest.mark.case("T-77")
def test_a_cookie_is_closed_to_scripts_and_other_sites():
    assert set_cookie("auth_token", "x.y", 3600, secure=False) == (
        b"set-cookie",
        b"auth_token=x.y; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600",
    )


def test_secure_and_lax():
    _, value = set_cookie("a", "b", 300, secure=True, same_site="Lax")
    assert value == b"a=b; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=300"


def test_an_eternal_cookie_lives_as_long_as_browsers_allow():
    assert set_cookie("a", "b", -1, secure=False)[1].endswith(b"Max-Age=34560000")


def test_only_cookies_that_are_there_are_removed():
    assert remove_cookies(request("auth_token=x; other=y")) == [
        (b"set-cookie", b"auth_token=; HttpOnly; SameSite=Lax; Path=/; Max-Age=1")
    ]
    assert remove_cookies(request()) == []
    assert len(remove_cookies(request("auth_token=x; refresh_token=y; oauth_state=z"))) == 3
