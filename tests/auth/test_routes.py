"""The table of routes."""

import json
import re
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.auth.routes import ROUTES
from trailbase_server.auth.routing import BASE
from trailbase_server.auth.tokens import mint_auth_token
from trailbase_server.auth.users import User
from trailbase_server.errors import AppError
from trailbase_server.web.request import Request
from trailbase_server.web.route import bind_routes


def test_operations_are_unique_and_documented():
    assert len({route.operation for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.operation
        assert route.summary.endswith(".")
        assert route.tag == "auth"
        assert route.path.startswith(f"{BASE}/")
        assert all(issubclass(error, AppError) for error in route.errors)


def test_what_changes_an_account_needs_its_owner():
    audiences = {route.path.removeprefix(BASE): route.audience for route in ROUTES}
    assert audiences["/change_password"] == audiences["/delete"] == "user"


ANYBODY = User(bytes(15) + b"\x02", "nora@auth.test", None, "nora", None, False, None, 0, 0, 0)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "nora@auth.test",
            "nora",
            "otto",
            "NORA-pass-77",
            "000000",
            "//evil.test",
            "/in",
            "authapp://cb",
            "code",
            "otpauth://totp/a:b?secret=GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX&issuer=a",
            "\x00",
            "\ud7ff\U0010ffff",
            "x" * 5000,
        ]
    ),
)
VALUES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.lists(TEXTS, max_size=2))
NAMES = (
    *("email", "username", "email_or_username", "password", "password_repeat", "code", "totp"),
    *("mfa_token", "totp_url", "new_email", "old_email", "new_username", "new_password", "png"),
    *("old_password", "password_reset_token", "refresh_token", "authorization_code", "state"),
    *("pkce_code_verifier", "pkce_code_challenge", "response_type", "csrf_token", "redirect_uri"),
    *("mfa_redirect_uri", "err_redirect_uri", "error", "user"),
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
BODIES = st.one_of(
    st.builds(lambda value: (b"application/json", json.dumps(value).encode()), FIELDS),
    st.builds(
        lambda value: (b"application/x-www-form-urlencoded", urlencode(value).encode()), FIELDS
    ),
    st.builds(
        lambda kind, body: (kind, body),
        st.sampled_from([b"application/json", b"multipart/form-data; boundary=x", b"text/plain"]),
        st.binary(max_size=60),
    ),
)


@pytest.fixture
def config(config):
    config.enable_otp_signin = config.enable_anonymous_signin = True
    return config


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
async def test_nothing_a_client_sends_is_an_error_of_the_server(route, data, server, mails):
    kind, body = data.draw(BODIES)
    parameter = data.draw(st.text(max_size=30))
    query = urlencode(data.draw(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=4)))
    params = dict.fromkeys(re.findall(r"{(\w+)}", route.path), parameter)
    headers = [(b"content-type", kind), (b"cookie", data.draw(TEXTS).encode("utf-8", "replace"))]
    if data.draw(st.booleans()):
        token = mint_auth_token(server.state.keys, ANYBODY, server.state.clock.now_s(), 60).token
        headers.append((b"authorization", b"Bearer " + token.encode()))
    request = Request(route.method, route.path, query, headers, body, params)
    [bound] = bind_routes((route,), server.state)
    response = await server.dispatcher.respond(bound, request)
    await server.state.background.finish()
    assert response.status < 500
