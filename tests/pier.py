"""A small depot, and a client of its application in this process."""

from contextlib import asynccontextmanager

import httpx

from trailbase_server.auth import accounts
from trailbase_server.server.app import build_application
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.start import open_depot

CONFIG = """
server { application_name: "Pier" site_url: "http://pier.test" enable_record_transactions: true }
databases: [{ name: "tide" }]
record_apis: [
  { name: "boat" table_name: "boat" acl_world: [CREATE, READ] },
  { name: "gauge" table_name: "tide.gauge" attached_databases: ["tide"] acl_world: [READ] }
]
"""
MIGRATIONS = {
    "main/U1790000001__boats.sql": (
        "CREATE TABLE boat (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
        "CREATE INDEX boat_name ON boat (name);"
        "CREATE VIEW boat_names AS SELECT id, name FROM boat;"
        "CREATE TRIGGER boat_kept BEFORE DELETE ON boat BEGIN SELECT RAISE(ABORT, 'no'); END;"
        "INSERT INTO _user (email, password_hash, admin)"
        " VALUES ('boss@pier.test', hash_password('rope-and-anchor'), TRUE);"
    ),
    "tide/U1790000002__gauge.sql": (
        "CREATE TABLE gauge (id INTEGER PRIMARY KEY, level REAL) STRICT;"
        "INSERT INTO gauge VALUES (1, 2.5);"
    ),
}


class Pier:
    """A depot on disk and ways to run it."""

    def __init__(self, root):
        self.root = root
        self.write("config.textproto", CONFIG)
        for name, sql in MIGRATIONS.items():
            self.write(f"migrations/{name}", sql)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, old, new):
        path = self.root / "config.textproto"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @asynccontextmanager
    async def opened(self, **options):
        async with open_depot(ServerOptions(depot=self.root, **options)) as depot:
            transport = httpx.ASGITransport(build_application(depot))
            async with httpx.AsyncClient(transport=transport, base_url="http://pier.test") as web:
                yield depot, web

    async def boss(self, depot):
        """Headers of an administrator."""
        user = await accounts.find_account(depot.auth, "boss@pier.test")
        session = await accounts.mint_tokens(depot.auth, user)
        return {
            "authorization": f"Bearer {session.identity.token}",
            "csrf-token": session.identity.csrf_token,
        }
