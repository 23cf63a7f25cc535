"""
Two kinds of outside: a real OpenID Connect provider in a process of its own, and a service that
says what a test tells it to, for what a good provider never says.
"""

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.serving import free_port
from trailbase_server.auth.oauth.provider import Application
from trailbase_server.auth.oauth.providers import PROVIDERS

BY_NAME = {provider.name: provider for provider in PROVIDERS}
CLIENT_ID, CLIENT_SECRET = "us & them", "shell: 100 %"
BASE = "/api/auth/v1"


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


_opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def ask_plainly(url, data=None, method=None, content_type="application/x-www-form-urlencoded"):
    """Status, Location and body of an answer, whatever the status."""
    request = urllib.request.Request(url, data=data, method=method)
    if data is not None:
        request.add_header("content-type", content_type)
    try:
        with _opener.open(request, timeout=10) as answer:
            return answer.status, answer.headers.get("location"), answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.headers.get("location"), exc.read()


class OidcProcess:
    """``oidc-provider-mock``: certified library, real tokens, a page to log in on."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if ask_plainly(f"{self.url}/.well-known/openid-configuration")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError("the provider did not start")

    def register(self, callback):
        """Credentials of a new client."""
        body = json.dumps({"redirect_uris": [callback]}).encode()
        _, _, answer = ask_plainly(f"{self.url}/oauth2/clients", body, None, "application/json")
        client = json.loads(answer)
        return client["client_id"], client["client_secret"]

    def describe(self, sub, **claims):
        body = json.dumps(claims).encode()
        status, _, _ = ask_plainly(f"{self.url}/users/{sub}", body, "PUT", "application/json")
        assert status == 204

    def log_in(self, location, sub):
        """What a user does on the provider's page; where the browser is sent then."""
        status, back, body = ask_plainly(location, urlencode({"sub": sub}).encode())
        assert status == 302, body
        return back

    def refuse(self, location):
        return ask_plainly(location, urlencode({"action": "deny"}).encode())[1]

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def oidc():
    process = OidcProcess()
    yield process
    process.stop()


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
