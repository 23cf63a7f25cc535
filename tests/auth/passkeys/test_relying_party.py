"""Who we are to a browser."""

import logging

import pytest

from trailbase_server.auth.passkeys.relying_party import relying_party
from trailbase_server.errors import NotFoundError

SITE = "https://www.auth.test"


def party_of(state, config, site=SITE, **settings):
    for name, value in settings.items():
        if isinstance(value, list):
            getattr(config.passkeys, name).extend(value)
        else:
            setattr(config.passkeys, name, value)
    state.configure(config, site, application_name="Auth test")
    return relying_party(state)


def test_the_site_is_the_default(state, config):
    party = party_of(state, config)
    assert (party.id, party.name) == ("www.auth.test", "Auth test")
    assert party.admits("https://www.auth.test")
    for origin in (
        *("http://www.auth.test", "https://www.auth.test:8443", "https://auth.test"),
        *("https://www.auth.test/", "https://www.auth.test.evil", "null", "", "http://localhost"),
    ):
        assert not party.admits(origin)


def test_the_configuration_may_say_otherwise(state, config):
    app = "android:apk-key-hash:" + "a" * 43
    origins = ["https://app.auth.test", app]
    party = party_of(state, config, rp_id="auth.test", rp_name="Us", origins=origins)
    assert (party.id, party.name) == ("auth.test", "Us")
    assert party.admits("https://app.auth.test")
    assert party.admits(app)
    assert not party.admits(SITE)


@pytest.mark.parametrize("site", [None, "http://10.0.0.7:4000", "http://[::1]"])
def test_without_a_domain_there_are_none(state, config, caplog, site):
    with caplog.at_level(logging.ERROR), pytest.raises(NotFoundError):
        party_of(state, config, site)
    assert "server.site_url must name a host" in caplog.text


def test_they_are_off_unless_enabled(state, config):
    with pytest.raises(NotFoundError):
        party_of(state, config, enabled=False)


def test_developers_use_localhost(state, config):
    state.dev = True
    party = party_of(state, config, None)
    assert party.id == "localhost"
    for origin in ("http://localhost:4000", "http://localhost:5173", "https://localhost"):
        assert party.admits(origin)
    for origin in (
        *("http://127.0.0.1:4000", "http://localhost.evil", "http://localhost:4000/x", ""),
        *("http://a@localhost", "ftp://localhost", "http://localhost:80"),
    ):
        assert not party.admits(origin)
    assert not party_of(state, config, SITE).admits("http://localhost:4000")
