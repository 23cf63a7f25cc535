"""What the state derives from the configuration."""

import pytest

from trailbase_server.auth.state import AuthState
from trailbase_server.errors import BadRequestError


def test_a_configuration_is_taken_over_at_once(state, config):
    config.auth_token_ttl_sec = 5
    state.configure(config, "https://other.test")
    assert state.options.auth_ttl_s == 5
    assert state.check_redirect("https://other.test/x") == "https://other.test/x"
    with pytest.raises(BadRequestError):
        state.check_redirect("http://site.auth.test:8080/x")


@pytest.mark.parametrize(
    ("dev", "url", "secure"),
    [
        (False, "https://x.test", True),
        (True, "https://x.test", False),
        (False, "http://x.test", False),
        (False, None, False),
    ],
)
def test_cookies_are_secure_on_tls_sites_outside_developer_mode(
    databases, state, config, dev, url, secure
):
    other = AuthState(*databases, state.keys, dev=dev)
    other.configure(config, url)
    assert other.secure_cookies is secure


def test_closing_twice_is_fine(state):
    state.close()
    state.close()
