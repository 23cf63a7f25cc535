"""Which targets are accepted, and what is appended to them."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.options import AuthOptions
from trailbase_server.auth.redirects import (
    add_parameters,
    check_redirect,
    parse_origin,
    render_location,
    render_origin,
)
from trailbase_server.errors import BadRequestError

SITE = parse_origin("http://site.auth.test:8080/base")
OPTIONS = AuthOptions(
    redirect_schemes=frozenset({"authapp"}),
    redirect_allowlist=frozenset(
        {"https://allowed.auth.test/cb", "https://allowed.auth.test/?a=1"}
    ),
)


def is_accepted(target, *, site=SITE, dev=False):
    try:
        return check_redirect(target, OPTIONS, site, dev=dev) == target
    except BadRequestError:
        return False


GOOD = (
    "/ok",
    "/ok?a=b#c",
    "/",
    "/schön",
    "/%2f/x",
    "http://site.auth.test:8080/ok",
    "HTTP://SITE.AUTH.TEST:8080/ok",
    "http://site.auth.test:8080",
    "https://allowed.auth.test/cb",
    "https://allowed.auth.test/?a=1",
    "authapp://signed/in",
    "AUTHAPP://signed/in",
    "authapp:done",
)
BAD = (
    "",
    "ok",
    " /ok",
    "/ok ",
    "//evil.test/x",
    "/\\evil.test/x",
    "\\/evil.test",
    "/\t/evil.test",
    "\t//evil.test",
    "/ok\r\nSet-Cookie: planted=1",
    "/a\0b",
    "/a\x7f",
    "/a\x85",
    "http://site.auth.test:9999/ok",
    "http://site.auth.test/ok",
    "https://site.auth.test:8080/ok",
    "http://site.auth.test:8080@evil.test/",
    "http://evil.test@site.auth.test:8080/",
    "http://@site.auth.test:8080/",
    "http://site.auth.test.evil.test/",
    "http://site.auth.test:8080\\@evil.test/",
    "http:site.auth.test:8080",
    "http:/site.auth.test:8080/",
    "http:///site.auth.test:8080/",
    "http://site.auth.test:80800/",
    "http://[::1/",
    "https://evil.test/",
    "https://allowed.auth.test/cb?tab=2",
    "https://allowed.auth.test/cb/",
    "https://allowed.auth.test/cb/more",
    "otherapp://signed/in",
    "javascript:alert(1)",
    "data:text/html,x",
    ":",
    "://x",
    "http://localhost:3000/ok",
    "http://127.0.0.1:3000/ok",
)


@pytest.mark.parametrize("target", GOOD)
def test_accepted(target):
    assert is_accepted(target)


@pytest.mark.case("T-71")
@pytest.mark.parametrize("target", BAD)
def test_refused(target):
    assert not is_accepted(target)


def test_no_target_is_fine():
    assert check_redirect(None, OPTIONS, SITE, dev=False) is None


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "127.8.8.8"])
def test_developers_may_go_to_loopback_hosts(host):
    assert is_accepted(f"http://{host}/ok", dev=True)
    assert is_accepted(f"https://{host}/ok", dev=True)
    assert not is_accepted(f"http://x@{host}/ok", dev=True)


@pytest.mark.parametrize("host", ["localhost.evil.test", "10.0.0.1", "evil.test", "0.0.0.0"])
def test_but_not_elsewhere(host):
    assert not is_accepted(f"http://{host}/ok", dev=True)


def test_without_a_site_url_absolute_targets_have_to_be_listed():
    assert not is_accepted("http://site.auth.test:8080/ok", site=None)
    assert is_accepted("/ok", site=None)
    assert is_accepted("https://allowed.auth.test/cb", site=None)


def test_default_ports_need_not_be_written():
    site = parse_origin("https://site.auth.test")
    assert is_accepted("https://site.auth.test:443/x", site=site)
    assert not is_accepted("http://site.auth.test/x", site=site)


@pytest.mark.case("T-71")
@given(st.text(max_size=60))
def test_no_accepted_path_leaves_the_site(text):
    target = "/" + text
    if is_accepted(target):
        assert target[1:2] not in ("/", "\\")
        assert not any(ord(character) < 0x20 for character in target)


@given(st.text(max_size=60))
def test_locations_are_ascii_without_control_characters(text):
    assert render_location(text).isascii()


def test_ascii_targets_are_not_touched():
    target = "/a%zz?b=c d&e=%20'\"<>[]{}|\\^`#f"
    assert render_location(target) == target


@pytest.mark.case("T-72")
@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("/cb", "/cb?code=x"),
        ("/cb?step=2", "/cb?step=2&code=x"),
        ("/cb?", "/cb?code=x"),
        ("/cb?a=1&", "/cb?a=1&code=x"),
        ("/cb#top", "/cb?code=x#top"),
        ("/cb?a=1#top?x", "/cb?a=1&code=x#top?x"),
        ("authapp://cb", "authapp://cb?code=x"),
    ],
)
def test_parameters_go_after_the_query_and_before_the_fragment(target, result):
    assert add_parameters(target, code="x") == result


def test_alerts_are_written_like_forms():
    added = add_parameters("/login", alert="Login Failed: 401 Unauthorized")
    assert added == "/login?alert=Login+Failed%3A+401+Unauthorized"


@pytest.mark.case("T-72")
@given(st.text(max_size=40), st.sampled_from(["/x", "/x?a=1", "/x#f", "/x?a=1#f"]))
def test_what_is_added_is_read_again(value, target):
    added = add_parameters(target, alert=value)
    assert parse_qs(urlsplit(added).query, keep_blank_values=True)["alert"] == [value]


@pytest.mark.parametrize("url", ["", "/x", "ftp://x.test", "http://", "http://x:y@z.test", "x"])
def test_what_is_no_origin(url):
    assert parse_origin(url) is None


@pytest.mark.parametrize("url", ["http://x.test", "https://x.test:8443", "http://[::1]:4000"])
def test_origins_are_written_as_browsers_do(url):
    assert render_origin(parse_origin(url + "/path")) == url
