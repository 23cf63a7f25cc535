"""
Two kinds of outside: a real OpenID Connect provider in a process of its own, and a service that
says what a test tells it to, for what a good provider never says.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from tests.oidc_provider import OidcProvider, query_of
from trailbase_server.auth.oauth.provider import Application
from trailbase_server.auth.oauth.providers import PROVIDERS

BY_NAME = {provider.name: provider for provider in PROVIDERS}
CLIENT_ID, CLIENT_SECRET = "us & them", "shell: 100 %"
BASE = "/api/auth/v1"


@pytest.fixture(scope="session")
def oidc():
    with OidcProvider() as provider:
        yield provider


@dataclass
class Service:
    """A service: ``answers`` by path, each status and body; ``asked`` is what it was sent."""

    url: str = ""
    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def says(self, path, value, status=200):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers[path] = (status, body)

    def requests(self, path):
        return [one for one in self.asked if one["path"] == path]


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        service = self.server.service
        path = self.path.partition("?")[0]
        sent = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.asked.append({"path": path, "form": dict(parse_qsl(sent)), "headers": headers})
        status, body = service.answers.get(path, (404, b"{}"))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", f"{service.url}/elsewhere")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.do_POST()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True


@pytest.fixture
def service():
    with _Listener(("127.0.0.1", 0), _Handler) as listener:
        listener.service = Service(f"http://127.0.0.1:{listener.server_address[1]}")
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        yield listener.service
        listener.shutdown()
        thread.join()


def at_service(service, name, secret=CLIENT_SECRET, **changes):
    """One of the services, with the addresses of the test's."""
    provider = BY_NAME[name]
    fields = ("authorize_url", "token_url", "profile_url", "emails_url", "keys_url")
    moved = {
        field: f"{service.url}/{field}"
        for field in fields
        if getattr(provider, field) or (name == "oidc0" and field in fields[:3])
    }
    return Application(replace(provider, **{**moved, **changes}), CLIENT_ID, secret)


@pytest.fixture
def place(state, service):
    """Make a service the only one that people can log in with."""

    def place(name, secret=CLIENT_SECRET, **changes):
        application = at_service(service, name, secret, **changes)
        state.options = replace(state.options, providers=(application,))
        service.says("/token_url", {"access_token": "open-sesame", "token_type": "Bearer"})
        return application

    return place


class Browser:
    """Goes to a service and comes back, with its cookies."""

    def __init__(self, server, name="oidc0"):
        self.server = server
        self.name = name
        self.jar = {}

    async def begin(self, **query):
        answer = await self.server.get(f"/oauth/{self.name}/login", query=query)
        self._keep(answer)
        return answer

    async def come_back(self, **query):
        path = f"/oauth/{self.name}/callback"
        answer = await self.server.get(path, query=query, jar=self.jar)
        self._keep(answer)
        return answer

    async def log_in(self, **query):
        """The whole way, with a service that is content with anybody."""
        asked = query_of((await self.begin(**query)).location)
        return await self.come_back(code="a-code", state=asked["state"])

    def _keep(self, answer):
        for cookie in answer.cookies:
            name, value = re.match(r"([^=]+)=([^;]*)", cookie).groups()
            if value:
                self.jar[name] = value
            else:
                self.jar.pop(name, None)


@pytest.fixture
def browser(server):
    return Browser(server)
