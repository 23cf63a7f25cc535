"""What a log-in ends with: parameters, tokens, cookies, codes."""

import pytest

from trailbase_server.auth.fields import Fields
from trailbase_server.auth.sign_in import (
    LoginParams,
    answer_login,
    merge_login_params,
    open_session,
)
from trailbase_server.auth.users import find_user
from trailbase_server.errors import BadRequestError

NORA = bytes(15) + b"\x02"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
async def nora(state):
    return await find_user(state.database, NORA)


def merge(state, query=None, body=None):
    return merge_login_params(state, Fields(query or {}), Fields(body or {}))


def test_the_query_wins_field_by_field(state):
    merged = merge(
        state,
        {"redirect_uri": "/query"},
        {"redirect_uri": "https://evil.test", "mfa_redirect_uri": "/mfa"},
    )
    assert merged == LoginParams("/query", "/mfa")
    assert merged.response_type == "token"


def test_a_code_needs_a_target_and_a_challenge(state):
    good = {
        "response_type": "code",
        "redirect_uri": "/cb",
        "pkce_code_challenge": CHALLENGE,
    }
    assert merge(state, good) == LoginParams("/cb", None, CHALLENGE)
    assert merge(state, {}, good).response_type == "code"
    for name in ("redirect_uri", "pkce_code_challenge"):
        with pytest.raises(BadRequestError, match=f"missing '{name}'"):
            merge(state, {**good, name: None})


@pytest.mark.parametrize("challenge", ["", CHALLENGE + "=", "+/aa", "a", "abü", "a b"])
def test_a_challenge_is_base64_without_padding(state, challenge):
    with pytest.raises(BadRequestError, match="invalid 'pkce_code_challenge'"):
        merge(
            state,
            {"response_type": "code", "redirect_uri": "/", "pkce_code_challenge": challenge},
        )


@pytest.mark.parametrize(
    "query",
    [
        {"redirect_uri": "https://evil.test"},
        {"mfa_redirect_uri": "//evil.test"},
        {"redirect_uri": ""},
        {"response_type": "id_token"},
        {"pkce_code_challenge": CHALLENGE},
        {"pkce_code_challenge": CHALLENGE, "response_type": "token", "redirect_uri": "/"},
    ],
)
def test_parameters_that_are_refused(state, query):
    with pytest.raises(BadRequestError):
        merge(state, query)


async def test_a_session_can_have_lives_of_its_own(state, nora, clock):
    session = await open_session(state, nora, refresh_ttl_s=10, auth_ttl_s=20)
    assert session.identity.expires_at == clock.now_s() + 20
    rows = await state.session_database.query("SELECT user, expires - created FROM _session")
    assert rows == [(NORA, 10)]


async def test_json_gets_tokens_and_ignores_the_target(state, nora):
    answer = await answer_login(state, nora, LoginParams("/home"), is_form=False)
    assert answer.status == 200
    assert [name for name, _ in answer.headers] == [b"content-type"]


@pytest.mark.parametrize(
    ("target", "public_dir", "status", "location"),
    [("/home", False, 303, b"/home"), (None, True, 303, b"/"), (None, False, 200, None)],
)
async def test_a_form_gets_cookies(state, nora, target, public_dir, status, location):
    state.has_public_dir = public_dir
    answer = await answer_login(state, nora, LoginParams(target), is_form=True)
    assert answer.status == status
    assert dict(answer.headers).get(b"location") == location
    cookies = [value for name, value in answer.headers if name == b"set-cookie"]
    assert [cookie.split(b"=")[0] for cookie in cookies] == [b"auth_token", b"refresh_token"]
    assert cookies[0].endswith(b"HttpOnly; SameSite=Strict; Path=/; Max-Age=3600")
    assert cookies[1].endswith(b"HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000")


async def test_a_code_opens_no_session_yet(state, nora):
    answer = await answer_login(state, nora, LoginParams("/cb?a=1", None, CHALLENGE), is_form=True)
    [(_, location)] = answer.headers
    assert location.startswith(b"/cb?a=1&code=")
    assert len(location) == len(b"/cb?a=1&code=") + 48
    assert await state.session_database.query("SELECT COUNT(*) FROM _session") == [(0,)]
