"""A browser without a window: it keeps cookies, and reads pages."""

import re
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

import pytest

from tests.auth.conftest import Answer, password
from trailbase_server.auth.authenticate import TokenAuthenticator
from trailbase_server.auth.pages.routes import PAGE_ROUTES
from trailbase_server.auth.routes import ROUTES
from trailbase_server.auth.totp import STEP_S, code_at, decode_secret
from trailbase_server.storage.local import LocalStorage
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.request import Request
from trailbase_server.web.route import bind_routes
from trailbase_server.web.router import Router


class Reader(HTMLParser):
    """Forms, links, headings and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self.tags, self.text = [], {}, [], ""
        self._href = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(SimpleNamespace(**given, inputs=[], values={}))
        elif tag == "input" and self.forms:
            self.forms[-1].inputs.append(given)
            if given.get("value") is not None and given["type"] != "checkbox":
                self.forms[-1].values[given["name"]] = given["value"]
        elif tag == "a":
            self._href = given["href"]

    def handle_data(self, data):
        self.text += data
        if self._href is not None:
            self.links[data.strip()] = self._href
            self._href = None

    def form(self, action):
        [found] = [form for form in self.forms if urlsplit(form.action).path == action]
        return found


class Browser:
    """Requests with the cookies of the answers so far."""

    def __init__(self, state):
        self.state = state
        self.jar = {}
        self.dispatcher = Dispatcher(
            Router(bind_routes((*ROUTES, *PAGE_ROUTES), state)),
            TokenAuthenticator(state),
            Cors(),
            state.database.on_pool,
            10_000_000,
            lambda entry: None,
        )

    async def ask(self, method, url, form=None, body=b"", headers=()):
        parts = urlsplit(url)
        given = [(b"host", b"site.auth.test:8080"), (b"accept", b"text/html"), *headers]
        if form is not None:
            body = urlencode({name: text for name, text in form.items() if text is not None})
            body = body.encode()
            given.append((b"content-type", b"application/x-www-form-urlencoded"))
        if self.jar:
            cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
            given.append((b"cookie", cookies.encode()))
        bound, params = self.dispatcher.router.match(method, parts.path)
        request = Request(method, parts.path, parts.query, given, body, params)
        answer = Answer(await self.dispatcher.respond(bound, request))
        await self.state.background.finish()
        for cookie in answer.cookies:
            name, value = cookie.split(";")[0].split("=", 1)
            self.jar[name] = value
            if "Max-Age=1" in cookie.split("; "):
                del self.jar[name]
        kind = answer.header(b"content-type") or ""
        answer.page = Reader(answer.text) if kind.startswith("text/html") else None
        return answer

    async def get(self, url, **options):
        return await self.ask("GET", url, **options)

    async def post(self, url, form, **options):
        return await self.ask("POST", url, form=form, **options)

    async def submit(self, form, **values):
        """Fill in a form and send it."""
        filled = {**form.values, **values}
        if form.method == "get":
            return await self.get(f"{form.action}?{urlencode(filled)}")
        return await self.post(form.action, filled)

    async def follow(self, answer):
        """Go where an answer sends."""
        assert answer.status == 303, answer.text
        return await self.get(answer.location)

    async def log_in(self, who):
        form = {"email_or_username": who, "password": password(who), "redirect_uri": "/"}
        answer = await self.post("/api/auth/v1/login", form)
        assert answer.status == 303
        assert self.jar["auth_token"]


@pytest.fixture
def state(state, tmp_path):
    state.pages.is_enabled = True
    state.storage = LocalStorage(tmp_path / "uploads")
    return state


@pytest.fixture
def browser(state):
    return Browser(state)


@pytest.fixture
async def nora(browser):
    """A browser in which Nora is logged in."""
    await browser.log_in("nora")
    return browser


OTTOS_SECRET = "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX"


def code_now(state, secret=OTTOS_SECRET, ahead=0):
    """What an authenticator app shows."""
    return code_at(decode_secret(secret), state.clock.now_s() // STEP_S + ahead)


def message_of(page):
    """Kind and text of a page's message."""
    kinds = [given["class"].split()[1] for tag, given in page.tags if given.get("id") == "message"]
    return kinds[0] if kinds else None


def focused(page):
    """What gets the focus: names of inputs, ids of others."""
    return [given.get("name") or given["id"] for _, given in page.tags if "autofocus" in given]


def says(answer, text):
    return text in re.sub(r"\s+", " ", unescape(answer.page.text))
