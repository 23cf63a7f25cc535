"""Record APIs over a real database, called without a socket."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.protobuf import text_format

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.db.errors import OverBudgetError
from trailbase_server.errors import AppError
from trailbase_server.records.routes import ROUTES
from trailbase_server.records.state import RecordsState
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.storage.local import LocalStorage
from trailbase_server.web.errors import error_response
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.route import bind_routes
from trailbase_server.web.router import Router

ROSA, SAM, UMA = (bytes.fromhex(f"0b0b000000004000800000000000000{n}") for n in (1, 2, 4))
SCHEMA = """
CREATE TABLE _user (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v4(id)), email TEXT NOT NULL,
  password_hash TEXT NOT NULL DEFAULT 'secret', admin INTEGER NOT NULL DEFAULT FALSE) STRICT;
INSERT INTO _user (id, email, admin) VALUES
  (X'0b0b0000000040008000000000000001', 'rosa@garden.test', FALSE),
  (X'0b0b0000000040008000000000000002', 'sam@garden.test', FALSE),
  (X'0b0b0000000040008000000000000004', 'uma@garden.test', TRUE);

CREATE TABLE club (id INTEGER PRIMARY KEY, name TEXT NOT NULL, _code TEXT DEFAULT 'hush') STRICT;
INSERT INTO club (id, name) VALUES (1, 'bees'), (2, 'orchard');
CREATE TABLE club_member (club INTEGER NOT NULL, person BLOB NOT NULL,
  PRIMARY KEY (club, person)) STRICT;
INSERT INTO club_member (club, person) VALUES (1, X'0b0b0000000040008000000000000001'),
  (1, X'0b0b0000000040008000000000000002');

CREATE TABLE diary (
  id INTEGER PRIMARY KEY,
  author BLOB NOT NULL REFERENCES _user (id),
  club INTEGER REFERENCES club (id),
  text TEXT NOT NULL,
  likes INTEGER NOT NULL DEFAULT 0,
  weight REAL,
  _mood TEXT,
  secret TEXT,
  any ANY,
  tags TEXT CHECK (jsonschema('std.KeyValue', tags)),
  photo TEXT CHECK (jsonschema('std.FileUpload', photo)),
  photos TEXT CHECK (jsonschema('std.FileUploads', photos)),
  loud TEXT GENERATED ALWAYS AS (upper(text)) VIRTUAL
) STRICT;
CREATE INDEX diary_by_author ON diary (author);
INSERT INTO diary (id, author, club, text, likes, weight, _mood, secret, any, tags) VALUES
  (1, X'0b0b0000000040008000000000000001', 1, 'swarm caught', 3, 28.0, 'proud', 's1', 7, NULL),
  (2, X'0b0b0000000040008000000000000001', NULL, 'radishes', 5, 0.1, NULL, 's2', 'x', '{"b": "2",
   "a": "1"}'),
  (3, X'0b0b0000000040008000000000000002', 1, 'new hive', 1, NULL, 'calm', 's3', X'00ff', NULL),
  (4, X'0b0b0000000040008000000000000002', 77, 'fox', 0, NULL, 'tired', NULL, 1.5, NULL);
UPDATE diary SET photo = '{"id":"o1","filename":"a.png"}',
  photos = '[{"id":"o2","filename":"b.png"},{"id":"o3","filename":"c.png","mime_type":"image/png"}]'
  WHERE id = 1;

CREATE TABLE plot (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid(id)) DEFAULT (uuid_v4()),
  number INTEGER NOT NULL UNIQUE) STRICT;
INSERT INTO plot (id, number) VALUES (X'0c0c0000000040008000000000000001', 1),
  (X'0c0c0000000040008000000000000002', 2);

CREATE TABLE "odd-names" (id INTEGER PRIMARY KEY, "a-b" TEXT, "a_b" TEXT, "sel""ect" TEXT) STRICT;
INSERT INTO "odd-names" VALUES (1, 'minus', 'under', 'quote');

CREATE TABLE gauge (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO gauge VALUES (1, 'tyre'), (2, 'chain'), (3, 'spoke');

CREATE TABLE site (id INTEGER PRIMARY KEY, name TEXT,
  place BLOB CHECK (ST_IsValid(place))) STRICT;
INSERT INTO site (id, name, place) VALUES (1, 'tower', ST_GeomFromText('POINT (4.25 51.5)')),
  (2, 'lost', NULL);

CREATE VIEW diary_loved AS SELECT id, author, text AS words, likes, club FROM diary WHERE likes > 2;
"""
READER = "acl_world: [READ]"


def api(name, table, *more):
    """The text of one configured API."""
    return f'record_apis {{ name: "{name}" table_name: "{table}" {" ".join(more)} }}'


CONFIG = "\n".join(
    (
        "email {} server {} auth {} jobs {}",
        api("diary", "diary", READER, "acl_authenticated: [READ, SCHEMA]"),
        api("diary_some", "diary", READER, 'excluded_columns: ["secret", "weight"]'),
        api("diary_own", "diary", READER, 'read_access_rule: "_ROW_.author = _USER_.id"'),
        api(
            "diary_club",
            "diary",
            "acl_authenticated: [READ]",
            'read_access_rule: "EXISTS (SELECT 1 FROM club_member AS m '
            'WHERE m.club = _ROW_.club AND m.person = _USER_.id)"',
        ),
        api(
            "diary_secret",
            "diary",
            READER,
            'excluded_columns: ["secret"]',
            'read_access_rule: "_ROW_.secret IS NOT NULL"',
        ),
        api("diary_guests", "diary", READER, 'read_access_rule: "_USER_.id IS NULL"'),
        api("diary_broken", "diary", READER, 'read_access_rule: "_ROW_.no_such_column = 1"'),
        api(
            "diary_failing",
            "diary",
            READER,
            'read_access_rule: "CASE WHEN _ROW_.id > 2 THEN 1 ELSE uuid_text(_ROW_.text) END"',
        ),
        api("diary_wide", "diary", READER, 'expand: ["club"]'),
        api("diary_authors", "diary", READER, 'expand: ["author", "club"]'),
        api("diary_two", "diary", READER, "listing_hard_limit: 2"),
        api("diary_shut", "diary"),
        api("loved", "diary_loved", READER, 'expand: ["club"]'),
        api(
            "plot", "plot", READER, 'acl_world: SCHEMA schema_access_rule: "_USER_.id IS NOT NULL"'
        ),
        api("odd", "odd-names", READER),
        api("gauge", "gauge", READER),
        api("site", "site", READER),
        api("club", "club", READER),
    )
)


def parse_config(text):
    return text_format.Parse(text, Config())


def identity(user_id):
    return Identity(user_id, False, None, None, "csrf", 2**40, "token")


class Site:
    """A set of record APIs and a way to call them."""

    rosa, sam, uma = ROSA, SAM, UMA

    def __init__(self, database):
        self.database = database
        self.registry = SchemaRegistry()
        storage = LocalStorage(Path("no-uploads"))  # nothing here uploads
        self.state = RecordsState(database, self.registry, b"k" * 32, Catalog(), {}, storage)
        self.router = Router(bind_routes(ROUTES, self.state))
        self.load()

    def load(self, config=CONFIG):
        catalog = read_catalog(self.database.read)
        self.state.compile(parse_config(config).record_apis, catalog)

    def get(self, target, user=None):
        """Call a GET route; returns status and decoded body."""
        path, _, query = target.partition("?")
        bound, params = self.router.match("GET", path)
        request = Request("GET", path, query, params=params)
        request.identity = identity(user) if user else None
        try:
            response = self._call(bound.route.handler, request)
        except AppError as exc:
            response = error_response(exc)
        if response.status != 200 or not response.body:
            return response.status, response.body.decode()
        return 200, json.loads(response.body)

    def _call(self, handler, request):
        try:
            return handler(self.state, request)
        except OverBudgetError:
            # What the dispatcher does on the pool.
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(handler, self.state, request).result()

    def read(self, api, key, user=None):
        return self.get(f"/api/records/v1/{api}/{key}", user)

    def list(self, api, query="", user=None):
        return self.get(f"/api/records/v1/{api}?{query}", user)

    def ids(self, api, query="order=id", user=None):
        status, body = self.list(api, query, user)
        assert status == 200, body
        return [record["id"] for record in body["records"]]


@pytest.fixture
async def database(tmp_path):
    files = DatabaseFiles(
        tmp_path / "main.db",
        prepare=lambda connection: register_functions(connection, SchemaRegistry(), None),
    )
    connection = open_connection(files, "migrator")
    # One diary entry refers to a club that is gone.
    connection.execute("PRAGMA foreign_keys = OFF").fetchall()
    connection.execute(SCHEMA).fetchall()
    connection.close()
    database = SqliteDatabase(files)
    yield database
    await database.close()


@pytest.fixture
async def site(database):
    return Site(database)
