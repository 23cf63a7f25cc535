"""A whole server in this process, with people, and a client of it."""

import re

import pytest

from tests.pier import Pier
from trailbase_server.auth import accounts
from trailbase_server.auth.routes import ROUTES as AUTH_ROUTES

AUTH = "/api/auth/v1"
SITE = "https://quay.test"
CONFIG = f"""
server {{
  application_name: "Quay"
  site_url: "{SITE}"
  enable_record_transactions: true
}}
auth {{
  enable_otp_signin: true
  enable_anonymous_signin: true
  user_identifier: REQUIRE_EMAIL
  custom_uri_schemes: ["quayapp"]
}}
record_apis: [
  {{ name: "board" table_name: "board" acl_world: [READ] acl_authenticated: [CREATE, READ] }},
  {{
    name: "chest" table_name: "chest" acl_authenticated: [CREATE, READ, UPDATE, DELETE]
    read_access_rule: "_ROW_.owner = _USER_.id"
  }}
]
"""
SCHEMA = """
CREATE TABLE board (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
INSERT INTO board VALUES (1, 'low tide at noon');
CREATE TABLE chest (
  id INTEGER PRIMARY KEY, owner BLOB REFERENCES _user (id) ON DELETE CASCADE, text TEXT
) STRICT;
INSERT INTO _user (email, username, password_hash, admin) VALUES
  ('boss@quay.test', 'boss', hash_password('BOSS-pass-77'), TRUE),
  ('nora@quay.test', 'nora', hash_password('NORA-pass-77'), FALSE);
INSERT INTO _user (unverified_email, username, password_hash) VALUES
  ('pending@quay.test', 'pending', hash_password('PENDING-pass-77'));
"""


class Quay:
    """
    An open server.

    Attributes:
        depot, auth: What is behind it.
        web: A client without credentials.
        mails: What was sent: letter, address, values.
    """

    def __init__(self, depot, web):
        self.depot, self.web, self.auth, self.mails = depot, web, depot.auth, []
        self.auth.mailer = self._keep
        self.auth.background.pace_s = 0

    async def _keep(self, letter, to, values):
        self.mails.append((letter, to, values))

    async def ask(self, method, path, *, bearer=None, jar=None, **options):
        headers = dict(options.pop("headers", {}))
        if bearer is not None:
            headers["authorization"] = f"Bearer {bearer}"
        if jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        answer = await self.web.request(method, path, headers=headers, **options)
        self.web.cookies.clear()
        await self.auth.background.finish()
        return answer

    async def post(self, path, json=None, **options):
        return await self.ask("POST", AUTH + path, json=json, **options)

    async def log_in(self, who="nora"):
        """Tokens of a new session."""
        body = {"email_or_username": who, "password": f"{who.upper()}-pass-77"}
        answer = await self.post("/login", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def log_in_browser(self, who="nora"):
        """Cookies of a new session."""
        body = {"email_or_username": who, "password": f"{who.upper()}-pass-77"}
        answer = await self.post("/login", data={**body, "redirect_uri": "/"})
        assert answer.status_code == 303
        return dict(answer.cookies)

    async def who(self, token):
        """Whom the server takes the sender of a token for."""
        answer = await self.ask("GET", f"{AUTH}/status", bearer=token)
        assert answer.status_code == 200, answer.text
        return answer.json().get("auth_token")

    async def find(self, name="nora"):
        return await accounts.find_account(self.auth, name)

    async def run(self, sql, *values):
        await self.depot.database.write(_run, sql, values)


def _run(tx, sql, values):
    tx.run(sql, values)


def make_depot(root):
    """Write the depot; the first start does the rest."""
    pier = Pier(root)
    for path in sorted((root / "migrations").rglob("*.sql")):
        path.unlink()
    pier.write("config.textproto", CONFIG)
    pier.write("migrations/main/U1790000001__quay.sql", SCHEMA)
    return pier


@pytest.fixture
async def quay(tmp_path):
    async with make_depot(tmp_path / "depot").opened() as (depot, web):
        web.base_url = SITE
        yield Quay(depot, web)


def auth_places():
    """Method and path of every operation of accounts, with something in place of parameters."""
    return sorted({(r.method, re.sub(r"{\w+}", "x", r.path)) for r in AUTH_ROUTES})
