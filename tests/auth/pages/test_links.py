"""Addresses of pages, and what their queries carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.pages.links import MAX_VALUE, Query, form_source, page, unwrap
from trailbase_server.errors import BadRequestError


def test_of_a_repeated_parameter_the_last_one_counts():
    assert Query("alert=a&alert=b").text("alert") == "b"


def test_empty_and_absent_are_the_same():
    assert Query("a=").text("a") is None
    assert Query("").text("a") is None


def test_what_is_too_long_is_refused():
    with pytest.raises(BadRequestError):
        Query("a=" + "x" * (MAX_VALUE + 1))
    with pytest.raises(BadRequestError):
        Query("&".join(["a=1"] * 20_000))


async def test_targets_are_checked(state):
    assert Query("redirect_uri=/in").target(state) == "/in"
    assert Query("redirect_uri=").target(state) is None
    for bad in ("//evil.test", "https://evil.test/", "javascript:alert(1)", "/%0d%0aa"):
        with pytest.raises(BadRequestError):
            Query(f"redirect_uri={bad}").target(state)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(min_size=1, max_size=20)))
def test_what_is_put_into_an_address_comes_out_of_it(values):
    values = {name: text.encode("utf-8", "replace").decode() for name, text in values.items()}
    address = page("/p", **values, nothing=None)
    query = Query(address.partition("?")[2])
    assert {name: query.text(name) for name in values} == values
    assert query.text("nothing") is None


def test_the_real_target_is_behind_the_page_that_asks_for_the_code():
    inner = page("/_/auth/otp/login", redirect_uri="authapp://cb?a=b")
    assert unwrap(inner) == "authapp://cb?a=b"
    assert unwrap("/_/auth/otp/login") is None
    assert unwrap("/other?redirect_uri=/x") == "/other?redirect_uri=/x"
    assert unwrap(None) is None


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("/in", None),
        ("https://allowed.auth.test/cb?a=b", "https://allowed.auth.test"),
        ("http://localhost:22342", "http://localhost:22342"),
        ("http://[::1]:80/x", "http://[::1]"),
        ("authapp://cb", "authapp:"),
        ("AuthApp://cb", "authapp:"),
        ("https://a;script-src *", None),
        ("https://a'b/", None),
        ("a b:c", None),
    ],
)
def test_what_a_policy_calls_a_target(target, source):
    assert form_source(target) == source
