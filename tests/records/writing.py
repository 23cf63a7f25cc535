"""Record APIs that are written to: tables of every kind, and a way to call the writing handlers."""

import json
from contextlib import asynccontextmanager
from importlib.resources import files
from urllib.parse import quote

from tests.records.conftest import ROSA, SAM, api, identity, parse_config
from trailbase_server.errors import AppError
from trailbase_server.records.create import create_records
from trailbase_server.records.delete import delete_record
from trailbase_server.records.state import RecordsState
from trailbase_server.records.transaction import execute_transaction
from trailbase_server.records.update import update_record
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.storage.local import LocalStorage
from trailbase_server.storage.triggers import plan_file_triggers, run_statements
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request

JSON = b"application/json"
FORM = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data; boundary=b"
SCHEMAS = {
    "size": '{"type":"object","required":["w"],"properties":{"w":{"type":"number"}}}',
    "word": '{"type":"string","minLength":2}',
}
QUEUE = "".join(
    (files("trailbase_server.migrations") / "system" / "base" / name).read_text()
    for name in ("U2__file_deletions.sql", "U6__file_deletions_update.sql")
)
SCHEMA = f"""{QUEUE}
CREATE TABLE _user (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v4(id)), email TEXT) STRICT;
INSERT INTO _user VALUES (X'{ROSA.hex()}', 'rosa'), (X'{SAM.hex()}', 'sam');

CREATE TABLE probe (id INTEGER PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, a ANY,
  d INTEGER NOT NULL DEFAULT 7 CHECK (d < 100), _h TEXT, x TEXT DEFAULT 'kept',
  size TEXT CHECK (jsonschema('size', size)), word TEXT CHECK (jsonschema('word', word)),
  list TEXT NOT NULL DEFAULT '[]' CHECK (jsonschema_matches('{{"type":["array","null"]}}', list)),
  photo TEXT CHECK (jsonschema('std.FileUpload', photo)),
  place BLOB CHECK (ST_IsValid(place)),
  g TEXT GENERATED ALWAYS AS (t || '!') VIRTUAL) STRICT;
CREATE TABLE label (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (uuid_v7()),
  word TEXT NOT NULL) STRICT;
CREATE TABLE locker (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,
  size TEXT NOT NULL DEFAULT 'm', memo TEXT, loud TEXT GENERATED ALWAYS AS (upper(code)) STORED)
  STRICT;
INSERT INTO locker (id, code, size, memo) VALUES (1, 'L-1', 's', 'helmet'), (2, 'L-2', 'xl', 'mug');
CREATE TABLE lone (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE gauge (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO gauge VALUES (1, 'tyre');
CREATE TABLE "odd-names" (id INTEGER PRIMARY KEY, "a-b" TEXT, a_b TEXT, "sel""ect" TEXT) STRICT;
CREATE TABLE shift (id INTEGER PRIMARY KEY, worker BLOB NOT NULL REFERENCES _user (id),
  backup BLOB REFERENCES _user (id), day TEXT) STRICT;
CREATE TABLE task (id INTEGER PRIMARY KEY, shift INTEGER REFERENCES shift (id)) STRICT;
CREATE TRIGGER task_guard BEFORE INSERT ON task WHEN new.shift = 13
  BEGIN SELECT RAISE(ABORT, 'unlucky'); END;
CREATE TABLE diary (id INTEGER PRIMARY KEY, author BLOB REFERENCES _user (id), text TEXT NOT NULL,
  likes INTEGER NOT NULL DEFAULT 0, secret TEXT) STRICT;
INSERT INTO diary (id, author, text, likes, secret) VALUES
  (1, X'{ROSA.hex()}', 'bees', 3, 's1'), (2, X'{SAM.hex()}', 'hive', 1, NULL);
CREATE VIEW probe_view AS SELECT id, t FROM probe;
"""
ALL = "acl_world: [CREATE, READ, UPDATE, DELETE]"
OWN = " ".join(
    f'{operation}_access_rule: "{relation}.author = _USER_.id"'
    for operation, relation in (("create", "_REQ_"), ("update", "_ROW_"), ("delete", "_ROW_"))
)
CONFIG = "\n".join(
    (
        api("probe", "probe", ALL, 'excluded_columns: ["x"]'),
        api("label", "label", ALL),
        api("locker", "locker", ALL),
        api("ignore", "locker", ALL, "conflict_resolution: IGNORE"),
        api("replace", "locker", ALL, "conflict_resolution: REPLACE"),
        api("lone", "lone", ALL, "conflict_resolution: REPLACE"),
        api("gauge", "gauge", ALL),
        api("odd", "odd-names", ALL),
        api("shift", "shift", ALL, "autofill_missing_user_id_columns: true"),
        api("shift_manual", "shift", ALL),
        api("task", "task", ALL),
        api("diary", "diary", "acl_authenticated: [CREATE, UPDATE, DELETE]", OWN),
        api(
            "diary_fields",
            "diary",
            ALL,
            "create_access_rule: \"'likes' NOT IN _REQ_FIELDS_ AND 'text' IN _REQ_FIELDS_\"",
            'update_access_rule: "_REQ_.likes > _ROW_.likes"',
            'delete_access_rule: "_ROW_.secret IS NULL"',
            'excluded_columns: ["secret"]',
        ),
        api("diary_shut", "diary"),
        api("view", "probe_view", ALL),
    )
)


def multipart(*parts):
    """Render text fields as pairs, files as triples."""
    body = b""
    for name, content, *filename in parts:
        more = f'; filename="{filename[0]}"' if filename else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
        body += content.encode() + b"\r\n"
    return body + b"--b--\r\n"


class WriteSite:
    """The APIs of ``CONFIG`` and their writing handlers."""

    rosa, sam = ROSA, SAM

    def __init__(self, database, registry, uploads, config):
        self.database = database
        self.uploads = uploads
        self.storage = LocalStorage(uploads)
        self.state = RecordsState(database, registry, b"k" * 32, Catalog(), {}, self.storage)
        self.state.compile(parse_config(config).record_apis, read_catalog(database.read))

    def rows(self, sql, *params):
        return self.database.read(sql, params)

    async def call(self, handler, params, body=b"", user=None, content_type=JSON, query=""):
        """Call a handler; returns status and decoded body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [] if content_type is None else [(b"content-type", content_type)]
        request = Request("POST", "/", query, headers, data, params)
        request.identity = identity(user) if user else None
        request.origin = "http://garden.test"
        try:
            response = await handler(self.state, request)
        except AppError as exc:
            response = error_response(exc)
        self.response = response
        is_json = any(value == JSON for _, value in response.headers)
        return response.status, json.loads(response.body) if is_json else response.body.decode()

    async def create(self, api, body, user=None, **more):
        return await self.call(create_records, {"api": api}, body, user, **more)

    async def create_form(self, api, fields, user=None):
        pairs = fields.items() if isinstance(fields, dict) else fields
        body = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs).encode()
        return await self.create(api, body, user, content_type=FORM)

    async def update(self, api, record, body, user=None, **more):
        params = {"api": api, "record": str(record)}
        return await self.call(update_record, params, body, user, **more)

    async def delete(self, api, record, user=None):
        return await self.call(delete_record, {"api": api, "record": str(record)}, user=user)

    async def batch(self, operations, user=None, transaction=True):
        body = {"operations": operations, "transaction": transaction}
        return await self.call(execute_transaction, {}, body, user)


@asynccontextmanager
async def open_site(tmp_path, schema=SCHEMA, config=CONFIG):
    registry = SchemaRegistry(SCHEMAS)
    place = DatabaseFiles(
        tmp_path / "main.db",
        prepare=lambda connection: register_functions(connection, registry, None),
    )
    connection = open_connection(place, "migrator")
    connection.execute(schema).fetchall()
    connection.close()
    database = SqliteDatabase(place)
    await database.write(run_statements, plan_file_triggers(read_catalog(database.read)))
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    site = WriteSite(database, registry, uploads, config)
    yield site
    await database.close()
    await site.storage.close()
