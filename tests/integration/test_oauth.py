"""Two processes, a browser's cookies, nothing in between: log-in at a real provider."""

import base64
import json

import httpx
import pytest

from tests.oidc_provider import OidcProvider, query_of
from tests.serving import Server

CONFIG = """
server { application_name: "House" site_url: "http://house.test" }
auth {
  user_identifier: REQUIRE_EMAIL
  oauth_providers: [{
    key: "oidc0"
    value {
      provider_id: OIDC0
      client_id: "%(client_id)s"
      client_secret: "%(client_secret)s"
      auth_url: "%(url)s/oauth2/authorize"
      token_url: "%(url)s/oauth2/token"
      user_api_url: "%(url)s/userinfo"
    }
  }]
}
"""
SITE = "http://house.test"
OAUTH = "/api/auth/v1/oauth/oidc0"


@pytest.fixture
def provider():
    with OidcProvider() as provider:
        yield provider


@pytest.fixture
def server(provider, tmp_path):
    client_id, client_secret = provider.register(f"{SITE}{OAUTH}/callback")
    depot = tmp_path / "depot"
    depot.mkdir()
    values = {"client_id": client_id, "client_secret": client_secret, "url": provider.url}
    (depot / "config.textproto").write_text(CONFIG % values)
    with Server(depot) as server:
        yield server


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_browser_logs_in_and_is_known(provider, server):
    provider.describe("248", email="kim@mail.test", email_verified=True, preferred_username="kim")
    seen = []
    for _ in range(2):
        with httpx.Client(base_url=server.url, trust_env=False) as browser:
            location = browser.get(f"{OAUTH}/login?redirect_uri=/home").headers["location"]
            assert location.startswith(f"{provider.url}/oauth2/authorize?")
            back = provider.log_in(location, "248")
            answer = browser.get(back.removeprefix(SITE))
            assert (answer.status_code, answer.headers["location"]) == (303, "/home")
            token = browser.get("/api/auth/v1/status").json()["auth_token"]
            seen.append(decode(token.split(".")[1]))
            assert not browser.cookies["oauth_state"]
    assert [claims["email"] for claims in seen] == ["kim@mail.test"] * 2
    assert seen[0]["sub"] == seen[1]["sub"]
    log = server.log.read_text()
    assert query_of(back)["code"] not in log
    assert token not in log


def test_who_refuses_comes_back_with_a_message(provider, server):
    with httpx.Client(base_url=server.url, trust_env=False) as browser:
        location = browser.get(f"{OAUTH}/login?redirect_uri=/home").headers["location"]
        refused = query_of(provider.refuse(location)) | {"state": query_of(location)["state"]}
        answer = browser.get(f"{OAUTH}/callback", params=refused)
        assert answer.status_code == 303
        assert list(query_of(answer.headers["location"])) == ["alert"]
