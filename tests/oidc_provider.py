"""A real OpenID Connect provider in a process of its own, and what its users do."""

import subprocess
import sys
import time
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.serving import free_port

START_TIMEOUT_S = 30


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


class OidcProvider:
    """``oidc-provider-mock``: real tokens, and a page to log in on; a context manager."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False)
        command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            try:
                if self.http.get("/.well-known/openid-configuration").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError("the provider did not start")

    def register(self, callback):
        """Credentials of a new client."""
        client = self.http.post("/oauth2/clients", json={"redirect_uris": [callback]}).json()
        return client["client_id"], client["client_secret"]

    def describe(self, sub, **claims):
        """Make a user, or change what is known of one."""
        self.http.put(f"/users/{sub}", json=claims).raise_for_status()

    def log_in(self, location, sub):
        """What a user does on the page; where the browser is sent then."""
        answer = self.http.post(location, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def refuse(self, location):
        """What a user does who has thought better of it."""
        return self.http.post(location, data={"action": "deny"}).headers["location"]

    def stop(self):
        self.http.close()
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
