"""The list of providers that a log-in page shows."""

import pytest


@pytest.fixture
def config(config):
    entry = config.oauth_providers["oidc0"]
    entry.client_id, entry.client_secret = "us", "shell"
    entry.provider_id, entry.display_name = 2, "House key"
    return config


async def test_pairs_of_name_and_display_name(server):
    answer = await server.get("/oauth/providers")
    assert (answer.status, answer.json) == (200, {"providers": [["oidc0", "House key"]]})


async def test_without_a_site_there_are_none(server, state, config):
    state.configure(config, None)
    assert (await server.get("/oauth/providers")).json == {"providers": []}


async def test_a_changed_configuration_changes_the_list(server, state, config):
    entry = config.oauth_providers["github"]
    entry.client_id, entry.client_secret, entry.provider_id = "us", "shell", 17
    del config.oauth_providers["oidc0"]
    state.configure(config, None, callback_url="https://site.test")
    assert (await server.get("/oauth/providers")).json == {"providers": [["github", "Github"]]}
