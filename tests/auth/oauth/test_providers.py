"""Which providers a configuration makes usable."""

import json
from urllib.parse import urlsplit

import pytest

from trailbase_server.auth.oauth.providers import PROVIDERS, configured_providers
from trailbase_server.config.proto.config_pb2 import AuthConfig, OAuthProviderId

SIGNING_KEY = json.dumps({"team_id": "T", "key_id": "K", "private_key": "P"})


def applications(policy="ONLY_EMAIL", **providers):
    config = AuthConfig(user_identifier=policy)
    for name, values in providers.items():
        entry = config.oauth_providers[name]
        for field, value in values.items():
            if field == "scopes":
                entry.scopes.extend(value)
            else:
                setattr(entry, field, value)
    return configured_providers(config)


def configure(**providers):
    return [(one.name, one.display_name) for one in applications(**providers)]


def usable(number, **more):
    return {"client_id": "us", "client_secret": "shell", "provider_id": number, **more}


def test_sorted_by_name_with_display_names():
    found = configure(github=usable(17), discord=usable(10), oidc0=usable(2))
    assert found == [("discord", "Discord"), ("github", "Github"), ("oidc0", "OpenID Connect")]


def test_only_the_generic_one_has_a_display_name_of_its_own():
    found = configure(
        github=usable(17, display_name="Ours"), oidc0=usable(2, display_name="House key")
    )
    assert found == [("github", "Github"), ("oidc0", "House key")]


def test_without_credentials_it_cannot_be_used():
    assert configure(github=usable(17, client_id=""), gitlab=usable(11, client_secret="")) == []
    assert configure(test=usable(1), nobody=usable(0)) == []


def test_numbers_and_names_are_those_of_the_configuration():
    numbers = {name.lower(): number for name, number in OAuthProviderId.items()}
    assert {one.name: one.id for one in PROVIDERS}.items() <= numbers.items()
    assert len(PROVIDERS) == len(numbers) - 2  # without undefined and test


def test_the_generic_one_gets_its_addresses_and_scopes_from_the_configuration():
    addresses = {"auth_url": "http://a/", "token_url": "http://t/", "user_api_url": "http://u/"}
    [application] = applications(oidc0=usable(2, **addresses))
    provider = application.provider
    assert (provider.authorize_url, provider.token_url, provider.profile_url) == (
        "http://a/",
        "http://t/",
        "http://u/",
    )
    assert provider.scopes == ("openid", "email", "profile")
    [named] = applications("ONLY_USERNAME", oidc0=usable(2, **addresses))
    assert named.provider.scopes == ("openid", "profile")
    [scoped] = applications(oidc0=usable(2, scopes=["openid", "groups"], **addresses))
    assert scoped.provider.scopes == ("openid", "groups")


def test_an_issuer_stands_for_the_addresses():
    [application] = applications(oidc0=usable(2, issuer="https://id.test", token_url="http://x/"))
    provider = application.provider
    assert (provider.issuer, provider.sends_nonce) == ("https://id.test", True)
    assert (provider.authorize_url, provider.token_url, provider.profile_url) == ("", "", "")


@pytest.mark.case("T-75")
@pytest.mark.parametrize(
    ("fields", "email"),
    [
        ({}, "a@b.test"),
        ({"require_email_verified": True}, None),
        ({"issuer": "https://id.test"}, None),
        ({"issuer": "https://id.test", "require_email_verified": False}, "a@b.test"),
    ],
)
def test_whether_unstated_addresses_count_is_configured(fields, email):
    [application] = applications(oidc0=usable(2, **fields))
    profile = application.provider.read_profile({"sub": "1", "email": "a@b.test"})
    assert profile.email == email


@pytest.mark.case("T-76")
def test_nothing_of_the_others_can_be_configured():
    [application] = applications(github=usable(17, token_url="http://evil/", scopes=["all"]))
    assert application.provider in PROVIDERS


def test_apples_secret_is_a_secret_or_a_complete_signing_key(caplog):
    def is_usable(secret):
        return configure(apple=usable(9, client_secret=secret)) == [("apple", "Apple")]

    assert is_usable("eyJ.eyJ.sig")
    assert is_usable(SIGNING_KEY)
    assert not is_usable("{")
    assert not is_usable('{"team_id": "T"}')
    assert "signing key" in caplog.text
    assert "team_id" not in caplog.text


def test_the_outside_is_reached_over_tls_only():
    for provider in PROVIDERS[1:]:
        for url in (provider.authorize_url, provider.token_url, provider.profile_url):
            assert not url or urlsplit(url).scheme == "https"
        assert provider.profile_url or provider.keys_url
