"""The cookie of a log-in that is under way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.keys import SigningKeys, _derive_public
from trailbase_server.auth.oauth.pending import new_pending, parse_pending, render_pending
from trailbase_server.auth.sign_in import LoginParams
from trailbase_server.auth.tokens import read_claims, sign_claims
from trailbase_server.errors import BadRequestError

SEED = bytes(range(32))
KEYS = SigningKeys(SEED, _derive_public(SEED))
NOW = 1_800_000_000
CODE_FLOW = LoginParams("app://cb", None, "challenge")

params = st.builds(LoginParams, st.none() | st.text(max_size=50), st.none() | st.text(max_size=50))


@given(params, st.none() | st.text(max_size=50))
def test_what_is_written_is_read(params, error_uri):
    pending = new_pending("github", params, error_uri)
    token = render_pending(KEYS, pending, NOW)
    assert parse_pending(KEYS, token, NOW) == pending
    assert parse_pending(KEYS, token, NOW + 361) is None


def test_a_log_in_for_a_code():
    pending = new_pending("github", CODE_FLOW, None)
    assert parse_pending(KEYS, render_pending(KEYS, pending, NOW), NOW) == pending


def test_secrets_are_new_each_time_and_long_enough():
    first, second = (new_pending("github", LoginParams(), None) for _ in range(2))
    assert len(first.secret) == len(first.nonce) == 22
    assert len(first.verifier) == 43
    assert {first.secret, first.verifier, first.nonce}.isdisjoint(
        {second.secret, second.verifier, second.nonce}
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": None},
        {"secret": None},
        {"verifier": 7},
        {"nonce": None},
        {"type": "magic"},
        {"type": 1},
        {"challenge": None},
        {"redirect_uri": None},
        {"redirect_uri": 7},
        {"mfa_redirect_uri": []},
        {"err_redirect_uri": {}},
    ],
    ids=str,
)
def test_what_is_not_complete_is_nothing(changes):
    token = render_pending(KEYS, new_pending("github", CODE_FLOW, None), NOW)
    claims = read_claims(KEYS, token.encode(), NOW)
    assert parse_pending(KEYS, sign_claims(KEYS, {**claims, **changes}), NOW) is None


@pytest.mark.case("T-74")
def test_what_is_not_ours_is_nothing():
    other = SigningKeys(bytes(32), _derive_public(bytes(32)))
    pending = new_pending("github", CODE_FLOW, None)
    assert parse_pending(KEYS, render_pending(other, pending, NOW), NOW) is None
    assert parse_pending(KEYS, "gibberish", NOW) is None


def test_targets_that_browsers_would_drop_are_refused():
    with pytest.raises(BadRequestError):
        render_pending(KEYS, new_pending("github", LoginParams("/" + "x" * 4000), None), NOW)


def test_an_account_to_be_linked_is_named():
    pending = new_pending("oidc0", LoginParams(), None, link=bytes(16))
    assert parse_pending(KEYS, render_pending(KEYS, pending, NOW), NOW) == pending


@pytest.mark.parametrize("link", ["", "x", 7, "AAAA", [None]])
def test_a_link_to_nobody_is_nothing(link):
    pending = new_pending("oidc0", LoginParams(), None)
    claims = read_claims(KEYS, render_pending(KEYS, pending, NOW).encode(), NOW)
    assert parse_pending(KEYS, sign_claims(KEYS, {**claims, "link": link}), NOW) is None
