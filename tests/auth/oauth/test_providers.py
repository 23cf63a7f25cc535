"""Which providers a configuration makes usable."""

from trailbase_server.auth.oauth.providers import PROVIDERS, configured_providers
from trailbase_server.config.proto.config_pb2 import AuthConfig, OAuthProviderId


def configure(**providers):
    config = AuthConfig()
    for name, values in providers.items():
        entry = config.oauth_providers[name]
        for field, value in values.items():
            setattr(entry, field, value)
    return [(one.name, one.display_name) for one in configured_providers(config)]


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
