"""A garden whose changes are followed: a real database, a broker, and streams that are read."""

import asyncio
import json

import pytest

from tests.records.conftest import ROSA, SAM, UMA, api, identity, parse_config
from trailbase_server.clock import FrozenClock
from trailbase_server.db.base import single_statement
from trailbase_server.query.parse import parse_subscribe_query
from trailbase_server.records.api import compile_apis
from trailbase_server.records.realtime.broker import Broker, Subscription
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.web.sse import LAST_CHUNK

SCHEMA = f"""
CREATE TABLE _user (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v4(id)), email TEXT) STRICT;
INSERT INTO _user VALUES (X'{ROSA.hex()}', 'rosa'), (X'{SAM.hex()}', 'sam'),
  (X'{UMA.hex()}', 'uma');
CREATE TABLE member (plot INTEGER NOT NULL, person BLOB NOT NULL,
  PRIMARY KEY (plot, person)) STRICT;
INSERT INTO member VALUES (1, X'{ROSA.hex()}'), (1, X'{SAM.hex()}'), (2, X'{SAM.hex()}');
CREATE TABLE plant (id INTEGER PRIMARY KEY, owner BLOB REFERENCES _user (id), plot INTEGER,
  name TEXT COLLATE NOCASE, height REAL, note ANY, _hidden TEXT, secret TEXT,
  tags TEXT CHECK (jsonschema('std.KeyValue', tags))) STRICT;
INSERT INTO plant (id, owner, plot, name, secret) VALUES (1, X'{ROSA.hex()}', 1, 'rose', 's');
CREATE TABLE bed (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid(id)), word TEXT) STRICT;
CREATE TABLE pot (id INTEGER PRIMARY KEY, word TEXT,
  loud TEXT GENERATED ALWAYS AS (upper(word)) VIRTUAL) STRICT;
CREATE TABLE jar (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid(id)), word TEXT,
  loud TEXT GENERATED ALWAYS AS (upper(word)) VIRTUAL) STRICT;
CREATE TABLE gauge (id INTEGER PRIMARY KEY NOT NULL, name TEXT) STRICT, WITHOUT ROWID;
"""
ON = "acl_world: [READ] enable_subscriptions: true"
CONFIG = "\n".join(
    (
        "email {} server {} auth {} jobs {}",
        api("plants", "plant", ON),
        api("some", "plant", ON, 'excluded_columns: ["secret", "note"]'),
        api("wide", "plant", ON, 'expand: ["owner"]'),
        api("own", "plant", ON, 'read_access_rule: "_ROW_.owner = _USER_.id"'),
        api(
            "plot",
            "plant",
            ON,
            'read_access_rule: "EXISTS (SELECT 1 FROM member AS m '
            'WHERE m.plot = _ROW_.plot AND m.person = _USER_.id)"',
        ),
        api(
            "secret",
            "plant",
            ON,
            'excluded_columns: ["secret"] read_access_rule: "_ROW_.secret IS NOT NULL"',
        ),
        api("known", "plant", ON, 'read_access_rule: "(SELECT id FROM _USER_) IS NOT NULL '
            "AND '?1' <> ''\""),
        api("failing", "plant", ON, 'read_access_rule: "CASE WHEN _ROW_.id < 3 THEN 1 '
            'ELSE uuid_text(_ROW_.name) END"'),
        api("slow", "plant", ON, 'read_access_rule: "(WITH RECURSIVE n (x) AS (VALUES (1) '
            'UNION ALL SELECT x + 1 FROM n WHERE x < 300000) SELECT COUNT(*) FROM n)"'),
        api("members", "plant", "acl_authenticated: [READ] enable_subscriptions: true"),
        api("beds", "bed", ON),
        api("pots", "pot", ON),
        api("jars", "jar", ON),
        api("gauges", "gauge", ON),
    )
)  # fmt: skip


@single_statement
def run(tx, sql, *params):
    return tx.run(sql, params)


def run_all(tx, *statements):
    for sql in statements:
        tx.run(sql)


class Wire:
    """Where a stream is written to: keeps the bytes."""

    def __init__(self):
        self.data = b""
        self.writes = 0
        self.packet = 100
        self.is_ended = self.is_aborted = False

    def write(self, data):
        assert not self.is_ended
        self.data += data
        self.writes += 1

    def end(self):
        self.data += LAST_CHUNK
        self.is_ended = True

    def packet_bytes(self):
        return self.packet

    def abort(self):
        self.is_aborted = True

    @property
    def text(self):
        """The body without the framing of HTTP."""
        rest, text = self.data, b""
        while rest and rest != LAST_CHUNK:
            size, _, rest = rest.partition(b"\r\n")
            text += rest[: int(size, 16)]
            rest = rest[int(size, 16) + 2 :]
        return text.decode()

    @property
    def events(self):
        return [
            json.loads(line.removeprefix("data: "))
            for line in self.text.splitlines()
            if line.startswith("data: ")
        ]

    @property
    def brief(self):
        """Kind, id or error status, number."""
        return [
            (kind, event[kind].get("id", event[kind].get("status")), event["seq"])
            for event in self.events
            for kind in event
            if kind != "seq"
        ]


class Garden:
    """A broker over a real database."""

    rosa, sam, uma = ROSA, SAM, UMA

    def __init__(self, database):
        self.database = database
        self.clock = FrozenClock()
        self.broker = Broker(database, self.clock)
        self.load()

    def load(self, config=CONFIG):
        self.catalog = read_catalog(self.database.read)
        self.apis = compile_apis(
            parse_config(config).record_apis, self.catalog, self.database.prepare_error
        )
        self.broker.configure(self.apis, self.catalog)

    async def follow(self, name, key=None, user=None, query="", **more):
        """Subscribe; returns what the stream is written to, which knows its stream."""
        wanted = Subscription(
            key=key,
            filter=parse_subscribe_query(query).filter,
            identity=identity(user) if user else None,
            **more,
        )
        wire = Wire()
        wire.stream = await self.broker.subscribe(self.apis[name], wanted)
        wire.stream.attach(wire)
        return wire

    async def run(self, sql, *params):
        await self.database.write(run, sql, *params)

    async def settle(self):
        """Wait until everything has been delivered."""
        await asyncio.sleep(0)
        while self.broker.statistics.pending or self.broker._delivery._is_scheduled:
            await asyncio.sleep(0.001)

    async def change(self, sql, *params):
        await self.run(sql, *params)
        await self.settle()


@pytest.fixture
async def database(tmp_path):
    files = DatabaseFiles(
        tmp_path / "main.db",
        prepare=lambda connection: register_functions(connection, SchemaRegistry(), None),
    )
    connection = open_connection(files, "migrator")
    connection.execute(SCHEMA).fetchall()
    connection.close()
    database = SqliteDatabase(files)
    yield database
    await database.close()


@pytest.fixture
async def garden(database):
    garden = Garden(database)
    yield garden
    garden.broker.close()
    await asyncio.sleep(0)
