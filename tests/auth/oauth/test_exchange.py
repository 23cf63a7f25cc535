"""From a code to a profile, at services that say what they should and what they should not."""

from base64 import b64decode
from urllib.parse import unquote_plus

import pytest

from tests.auth.oauth.conftest import BY_NAME, CLIENT_ID, CLIENT_SECRET
from tests.auth.oauth.signing import published, sign
from trailbase_server.auth.oauth.exchange import challenge_of, fetch_profile
from trailbase_server.auth.oauth.pending import new_pending
from trailbase_server.auth.oauth.provider import Profile, ProfileError
from trailbase_server.auth.sign_in import LoginParams
from trailbase_server.errors import BadRequestError, DependencyError, UnauthorizedError

KIM = {"sub": "248", "email": "kim@mail.test"}
CALLBACK = "https://site.test/api/auth/v1/oauth/x/callback"


@pytest.fixture
def fetch(state):
    async def fetch(application, pending=None):
        pending = pending or new_pending(application.name, LoginParams(), None)
        return await fetch_profile(state, application, pending, "a-code", CALLBACK)

    return fetch


def test_the_challenge_of_the_standards_example():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_the_code_is_exchanged_with_credentials_and_verifier(fetch, place, service):
    application = place("oidc0")
    service.says("/profile_url", {**KIM, "email_verified": True})
    pending = new_pending("oidc0", LoginParams(), None)
    assert await fetch(application, pending) == Profile("248", "kim@mail.test")
    [exchange] = service.requests("/token_url")
    assert exchange["form"] == {
        "grant_type": "authorization_code",
        "code": "a-code",
        "code_verifier": pending.verifier,
        "redirect_uri": CALLBACK,
    }
    assert exchange["headers"]["accept"] == "application/json"
    scheme, _, pair = exchange["headers"]["authorization"].partition(" ")
    parts = [unquote_plus(part) for part in b64decode(pair).decode().split(":")]
    assert (scheme, parts) == ("Basic", [CLIENT_ID, CLIENT_SECRET])
    [question] = service.requests("/profile_url")
    assert question["headers"]["authorization"] == "Bearer open-sesame"


@pytest.mark.case("T-75")
@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"token_type": "bearer"},
        {"access_token": "", "token_type": "bearer"},
        {"access_token": 7, "token_type": "bearer"},
        {"access_token": "a\r\nb: c", "token_type": "bearer"},
        {"access_token": "ä", "token_type": "bearer"},
        {"access_token": "a"},
        {"access_token": "a", "token_type": "mac"},
        {"error": "bad_verification_code", "error_description": "…"},
    ],
    ids=str,
)
async def test_an_answer_without_a_usable_token(fetch, place, service, answer):
    application = place("github")
    service.says("/token_url", answer)
    with pytest.raises(DependencyError):
        await fetch(application)
    assert service.requests("/profile_url") == []


@pytest.mark.parametrize("kind", ["bearer", "Bearer", "BEARER"])
async def test_the_case_of_the_tokens_type_does_not_matter(fetch, place, service, kind):
    application = place("oidc0")
    service.says("/token_url", {"access_token": "a", "token_type": kind})
    service.says("/profile_url", KIM)
    assert (await fetch(application)).subject == "248"


@pytest.mark.parametrize("path", ["/token_url", "/profile_url"])
async def test_a_service_that_fails(fetch, place, service, path):
    application = place("oidc0")
    service.says("/profile_url", KIM)
    service.says(path, {"error": "server_error"}, 500)
    with pytest.raises(DependencyError):
        await fetch(application)


async def test_a_user_of_another_shape(fetch, place, service):
    application = place("oidc0")
    for answer in ([], {"sub": ""}, "kim", None):
        service.says("/profile_url", answer)
        with pytest.raises(DependencyError):
            await fetch(application)


@pytest.mark.case("T-75")
async def test_an_address_that_the_service_does_not_vouch_for(fetch, place, service):
    application = place("oidc0")
    service.says("/profile_url", {**KIM, "email_verified": False})
    with pytest.raises(BadRequestError):
        await fetch(application)


async def test_github_lists_hidden_addresses_elsewhere(fetch, place, service):
    application = place("github")
    service.says("/profile_url", {"id": 583, "login": "kim", "email": None})
    service.says("/emails_url", [{"email": "kim@mail.test", "primary": True, "verified": True}])
    assert await fetch(application) == Profile("583", "kim@mail.test", True, "kim")
    [question] = service.requests("/emails_url")
    assert question["headers"]["authorization"] == "Bearer open-sesame"
    assert question["headers"]["user-agent"] == "TrailBase"
    service.says("/emails_url", [])
    with pytest.raises(ProfileError):
        await fetch(application)


async def test_github_is_not_asked_twice_about_an_address_that_it_shows(fetch, place, service):
    application = place("github")
    service.says("/profile_url", {"id": 583, "login": "kim", "email": "kim@mail.test"})
    assert (await fetch(application)).email == "kim@mail.test"
    assert service.requests("/emails_url") == []


async def test_facebook_takes_credentials_in_the_form(fetch, place, service):
    application = place("facebook")
    service.says("/profile_url", {"id": "1022", "email": "kim@mail.test"})
    assert await fetch(application) == Profile("1022", "kim@mail.test")
    [exchange] = service.requests("/token_url")
    assert exchange["form"]["client_id"] == CLIENT_ID
    assert "authorization" not in exchange["headers"]


async def test_twitch_takes_credentials_in_the_form_and_its_client_id_in_a_header(
    fetch, place, service
):
    application = place("twitch")
    token = {"access_token": "open-sesame", "token_type": "bearer", "scope": ["user:read:email"]}
    service.says("/token_url", token)
    service.says("/profile_url", {"data": [{"id": "1", "login": "kim", "email": "kim@mail.test"}]})
    assert (await fetch(application)).username == "kim"
    [exchange] = service.requests("/token_url")
    assert (exchange["form"]["client_id"], exchange["form"]["client_secret"]) == (
        CLIENT_ID,
        CLIENT_SECRET,
    )
    assert "authorization" not in exchange["headers"]
    assert service.requests("/profile_url")[0]["headers"]["client-id"] == CLIENT_ID


class TestIdTokenBesideADescription:
    """OpenID Connect: it must be for us and about the same user."""

    @pytest.fixture
    def tell(self, fetch, place, service, state):
        async def tell(token, **changes):
            application = place("oidc0", **changes)
            service.says("/profile_url", KIM)
            service.says(
                "/token_url", {"access_token": "a", "token_type": "bearer", "id_token": token}
            )
            return (await fetch(application)).subject

        return tell

    @pytest.fixture
    def claims(self, state):
        return {"sub": "248", "aud": CLIENT_ID, "exp": state.clock.now_s() + 60}

    async def test_a_good_one(self, tell, claims):
        assert await tell(sign(claims)) == "248"

    async def test_one_about_somebody_else(self, tell, claims):
        for subject in ("249", None, 248):
            with pytest.raises(UnauthorizedError):
                await tell(sign({**claims, "sub": subject}) if subject != 248 else _raw(claims))

    async def test_one_for_somebody_else(self, tell, claims):
        with pytest.raises(UnauthorizedError):
            await tell(sign({**claims, "aud": "them"}))

    async def test_an_old_one(self, tell, claims):
        with pytest.raises(UnauthorizedError):
            await tell(sign({**claims, "exp": claims["exp"] - 200}))

    async def test_a_malformed_one(self, tell):
        with pytest.raises(DependencyError):
            await tell("gibberish")

    async def test_without_openid_it_means_nothing(self, tell):
        assert await tell("gibberish", scopes=("email",)) == "248"


def _raw(claims):
    """A subject that is a number, which a library would not sign."""
    from trailbase_server.ids import encode_b64u

    body = b'{"sub":248,"aud":"%s","exp":%d}' % (claims["aud"].encode(), claims["exp"])
    return f"e30.{encode_b64u(body).rstrip('=')}.x"


class TestApple:
    """The ``id_token`` is the description; it is signed, and repeats the nonce."""

    @pytest.fixture
    def pending(self):
        return new_pending("apple", LoginParams(), None)

    @pytest.fixture
    def claims(self, state, pending):
        return {
            "iss": "https://appleid.apple.com",
            "aud": CLIENT_ID,
            "exp": state.clock.now_s() + 600,
            "sub": "0012.ab",
            "nonce": pending.nonce,
            "email": "kim@mail.test",
            "email_verified": True,
        }

    @pytest.fixture
    def tell(self, fetch, place, service, pending):
        async def tell(token, secret=CLIENT_SECRET):
            answer = {"access_token": "a", "token_type": "Bearer"}
            application = place("apple", secret)
            service.says("/token_url", answer | ({"id_token": token} if token else {}))
            service.says("/keys_url", published("one"))
            return await fetch(application, pending)

        return tell

    async def test_a_good_one(self, tell, claims):
        assert await tell(sign(claims)) == Profile("0012.ab", "kim@mail.test")

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "https://others.test"},
            {"aud": "them"},
            {"exp": 1_700_000_000},
            {"nonce": "another"},
        ],
        ids=str,
    )
    async def test_one_that_is_not_for_this_log_in(self, tell, claims, changes):
        with pytest.raises(UnauthorizedError):
            await tell(sign({**claims, **changes}))

    async def test_one_that_is_not_apples(self, tell, claims):
        for kid in ("one", "two"):
            with pytest.raises(UnauthorizedError):
                await tell(sign(claims, kid, signed_with="two"))

    async def test_too_little(self, tell, claims):
        for token in (None, sign({**claims, "email_verified": "no"})):
            with pytest.raises((BadRequestError, ProfileError)):
                await tell(token)

    async def test_without_an_address_there_is_nothing_to_vouch_for(self, tell, claims):
        del claims["email"], claims["email_verified"]
        assert await tell(sign(claims)) == Profile("0012.ab")

    async def test_an_address_that_apple_does_not_vouch_for(self, tell, claims):
        with pytest.raises(BadRequestError):
            await tell(sign({**claims, "email_verified": "false"}))

    async def test_the_secret_is_signed_with_the_operators_key(self, tell, claims, service):
        from tests.auth.oauth.test_apple import ec, signing_key

        await tell(sign(claims), signing_key(ec.generate_private_key(ec.SECP256R1())))
        [exchange] = service.requests("/token_url")
        assert "authorization" not in exchange["headers"]
        assert exchange["form"]["client_id"] == CLIENT_ID
        assert exchange["form"]["client_secret"].count(".") == 2
        assert exchange["form"]["client_secret"].startswith("eyJ")


def test_only_signed_services_have_keys_and_an_issuer():
    for provider in BY_NAME.values():
        assert bool(provider.keys_url) == bool(provider.issuer) == (provider.name == "apple")
