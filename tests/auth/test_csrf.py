"""Forged requests: what tells them from meant ones."""

import pytest

from trailbase_server.auth.csrf import check_intent
from trailbase_server.errors import BadRequestError
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request

CSRF = "A" * 20


def is_meant(state, headers=(), csrf_field=None, *, from_cookie=True):
    raw = [(b"host", b"127.0.0.1:4000"), *((k, v.encode("latin-1")) for k, v in headers)]
    identity = Identity(b"n" * 16, False, None, "nora", CSRF, 0, "", from_cookie)
    try:
        check_intent(state, Request("POST", "/", headers=raw), identity, csrf_field)
    except BadRequestError:
        return False
    return True


@pytest.mark.parametrize(
    "headers",
    [
        [(b"csrf-token", CSRF)],
        [(b"csrf-token", CSRF), (b"origin", "https://evil.test")],
        [(b"sec-fetch-site", "same-origin")],
        [(b"origin", "http://site.auth.test:8080")],
        [(b"origin", "https://127.0.0.1:4000")],
    ],
)
def test_meant(state, headers):
    assert is_meant(state, headers)


@pytest.mark.case("T-77")
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"csrf-token", "B" * 20)],
        [(b"csrf-token", "")],
        [(b"csrf-token", "ü")],
        [(b"origin", "https://evil.test"), (b"sec-fetch-site", "cross-site")],
        [(b"origin", "http://site.auth.test:8080"), (b"sec-fetch-site", "same-site")],
        [(b"origin", "https://evil.test")],
        [(b"origin", "http://site.auth.test")],
        [(b"origin", "null")],
        [(b"origin", "")],
    ],
)
def test_forged(state, headers):
    assert not is_meant(state, headers)


def test_a_token_in_the_form_counts_instead_of_the_header(state):
    assert is_meant(state, csrf_field=CSRF)
    assert not is_meant(state, [(b"csrf-token", CSRF)], csrf_field="B" * 20)


def test_bearer_tokens_need_no_further_sign(state):
    assert is_meant(state, from_cookie=False)
