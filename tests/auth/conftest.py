"""A depot's two databases, people in them, and requests straight to the handlers."""

import json
from urllib.parse import urlencode

import pytest

from trailbase_server.auth.authenticate import TokenAuthenticator
from trailbase_server.auth.keys import SigningKeys, _derive_public
from trailbase_server.auth.routes import ROUTES
from trailbase_server.auth.routing import BASE
from trailbase_server.auth.state import AuthState
from trailbase_server.clock import FrozenClock
from trailbase_server.config.proto.config_pb2 import AuthConfig
from trailbase_server.crypto import hash_password
from trailbase_server.errors import DependencyError
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.request import Request
from trailbase_server.web.route import bind_routes
from trailbase_server.web.router import Router

SITE = "http://site.auth.test:8080"
SEED = bytes(range(32))
HASHES = {}


def person(number):
    return bytes(15) + bytes([number])


def password(who):
    return f"{who.upper()}-pass-77"


def hashed(text):
    if text not in HASHES:
        HASHES[text] = hash_password(text)
    return HASHES[text]


WARDEN, NORA, LENA, SOLO, OTTO, PENDING, LINKED = map(person, range(1, 8))
# id, email, unverified_email, username, has a password, admin, totp_secret, provider
KINDS = ("main", "session", "accounts")
PEOPLE = (
    (WARDEN, "warden@auth.test", None, "warden", True, 1, None, 0),
    (NORA, "nora@auth.test", None, "nora", True, 0, None, 0),
    (LENA, "lena@auth.test", None, None, True, 0, None, 0),
    (SOLO, None, None, "solo", True, 0, None, 0),
    (OTTO, "otto@auth.test", None, "otto", True, 0, "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX", 0),
    (PENDING, None, "pending@auth.test", "pending", True, 0, None, 0),
    (LINKED, "linked@auth.test", None, "linked", False, 0, None, 2),
)


def prepare(connection):
    register_functions(connection, SchemaRegistry(), None)


def make_database(path, kind):
    files = DatabaseFiles(path, prepare=prepare)
    connection = open_connection(files, "migrator")
    migrate(connection, system_migrations(kind), kind)
    if kind == "main":
        for user_id, email, unverified, username, has_password, admin, totp, provider in PEOPLE:
            name = username or email.split("@")[0]
            connection.execute(
                "INSERT INTO _user (id, email, unverified_email, username, password_hash, admin, "
                "totp_secret, provider_id, provider_user_id) VALUES (?,?,?,?,?,?,?,?,?)",
                (
                    user_id,
                    email,
                    unverified,
                    username,
                    hashed(password(name)) if has_password else None,
                    admin,
                    totp,
                    provider,
                    "77" if provider else None,
                ),
            )
    connection.close()
    return files


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """Migrated files, made once."""
    directory = tmp_path_factory.mktemp("templates")
    return {kind: make_database(directory / f"{kind}.db", kind) for kind in KINDS}


@pytest.fixture
async def databases(templates, tmp_path):
    paths = {kind: tmp_path / files.path.name for kind, files in templates.items()}
    for kind, path in paths.items():
        path.write_bytes(templates[kind].path.read_bytes())
    opened = [
        SqliteDatabase(DatabaseFiles(paths["main"], prepare=prepare)),
        SqliteDatabase(
            DatabaseFiles(paths["session"], {"accounts": paths["accounts"]}, prepare=prepare)
        ),
    ]
    yield opened
    for database in opened:
        await database.close()


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def config():
    """The ``auth`` message; a test may change it before asking for ``state``."""
    return AuthConfig(
        custom_uri_schemes=["authapp"],
        redirect_uri_allowlist=["https://allowed.auth.test/cb"],
        user_identifier="REQUIRE_EMAIL",
    )


@pytest.fixture
def state(databases, clock, config):
    state = AuthState(*databases, SigningKeys(SEED, _derive_public(SEED)), clock)
    state.configure(config, SITE)
    state.background.pace_s = 0
    yield state
    state.close()


class Mails:
    """A mailer that keeps what it is given."""

    def __init__(self):
        self.sent = []
        self.fails = False

    async def __call__(self, letter, to, values):
        if self.fails:
            raise DependencyError
        self.sent.append((letter, to, values))

    def take(self):
        """The one mail that was sent since the last time."""
        [mail] = self.sent
        self.sent = []
        return mail


@pytest.fixture
def mails(state):
    state.mailer = Mails()
    return state.mailer


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.content = response.body
        self.headers = response.headers
        self.location = self.header(b"location")
        self.cookies = [value.decode() for name, value in response.headers if name == b"set-cookie"]

    def header(self, name):
        return next((value.decode() for key, value in self.headers if key == name), None)

    @property
    def text(self):
        return self.content.decode()

    @property
    def json(self):
        return json.loads(self.content)

    @property
    def jar(self):
        """Cookies that are set, by name."""
        return dict(cookie.split(";")[0].split("=", 1) for cookie in self.cookies)


class Server:
    """The routes of auth behind the dispatcher, as both doors call it."""

    def __init__(self, state):
        self.state = state
        self.authenticator = TokenAuthenticator(state)
        self.dispatcher = Dispatcher(
            Router(bind_routes(ROUTES, state)),
            self.authenticator,
            Cors(),
            state.database.on_pool,
            10_000_000,
            lambda entry: None,
        )

    async def ask(self, method, path, *, query=None, json_body=None, form=None, body=b"", **more):
        headers = [(b"host", b"site.auth.test:8080")]
        if json_body is not None:
            body = json.dumps(json_body).encode()
            headers.append((b"content-type", b"application/json"))
        if form is not None:
            body = urlencode(form).encode()
            headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        if more.get("bearer"):
            headers.append((b"authorization", b"Bearer " + more["bearer"].encode()))
        if more.get("jar"):
            cookies = "; ".join(f"{name}={value}" for name, value in more["jar"].items())
            headers.append((b"cookie", cookies.encode()))
        headers += [(k.encode(), v.encode("latin-1")) for k, v in more.get("headers", {}).items()]
        raw_query = query if isinstance(query, str) else urlencode(query or {})
        bound, params = self.dispatcher.router.match(method, BASE + path)
        request = Request(method, BASE + path, raw_query, headers, body, params)
        request.head = method == "HEAD"
        answer = Answer(await self.dispatcher.respond(bound, request))
        await self.state.background.finish()
        return answer

    async def get(self, path, **options):
        return await self.ask("GET", path, **options)

    async def post(self, path, json_body=None, **options):
        return await self.ask("POST", path, json_body=json_body, **options)

    async def login(self, who):
        """Tokens of a new session."""
        answer = await self.post(
            "/login", {"email_or_username": who, "password": password(who.split("@")[0])}
        )
        assert answer.status == 200, answer.text
        return answer.json

    async def login_browser(self, who):
        """Cookies of a new session."""
        answer = await self.post(
            "/login",
            form={"email_or_username": who, "password": password(who), "redirect_uri": "/"},
        )
        assert answer.status == 303
        return answer.jar

    async def is_live(self, refresh_token):
        return (await self.post("/refresh", {"refresh_token": refresh_token})).status == 200


@pytest.fixture
def server(state):
    return Server(state)
