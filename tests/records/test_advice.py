"""Deliberately bad APIs, and good ones that must not be blamed."""

import apsw
import pytest
from google.protobuf import text_format

from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.records.advice import Severity, Subject, find_advice
from trailbase_server.records.api import compile_api
from trailbase_server.records.columns import compile_columns, find_relation
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.roles import record_key

SQL = """
CREATE TABLE _user (
  id     BLOB PRIMARY KEY NOT NULL CHECK (is_uuid(id)),
  email  TEXT
) STRICT;
CREATE TABLE crew (boat INTEGER NOT NULL, person BLOB NOT NULL) STRICT;
CREATE TABLE buoy (id INTEGER PRIMARY KEY NOT NULL, color TEXT NOT NULL) STRICT;
CREATE TABLE boat (
  id     INTEGER PRIMARY KEY NOT NULL,
  owner  BLOB NOT NULL REFERENCES _user (id),
  mate   BLOB REFERENCES _user (id),
  name   TEXT NOT NULL
) STRICT;
CREATE TABLE letter (
  id      INTEGER PRIMARY KEY NOT NULL,
  author  BLOB NOT NULL REFERENCES _user (id),
  reader  BLOB NOT NULL REFERENCES _user (id)
) STRICT;
CREATE TABLE photo (
  id    INTEGER PRIMARY KEY NOT NULL,
  file  TEXT NOT NULL CHECK (jsonschema('std.FileUpload', file))
) STRICT;
CREATE TABLE sailor (
  id           INTEGER PRIMARY KEY NOT NULL,
  user         BLOB REFERENCES _user (id),
  apiKey       TEXT,
  home_e_mail  TEXT,
  emailed      INTEGER,
  _secret      TEXT,
  tokens_left  INTEGER
) STRICT;
CREATE VIEW colors AS SELECT id, color FROM buoy;
"""


def advise(text):
    connection = apsw.Connection(":memory:")
    for name, count in (("is_uuid", 1), ("jsonschema", 2)):
        connection.create_scalar_function(name, lambda *_: 1, count, deterministic=True)
    connection.execute(SQL)

    def read(sql, params=()):
        return connection.execute(sql, params).fetchall()

    def prepare_error(sql):
        try:
            connection.execute(f"EXPLAIN {sql}", None, can_cache=False)
        except apsw.BindingsError:
            return None
        except apsw.Error as exc:
            return str(exc)
        return None

    config = text_format.Parse(f'name: "api" {text}', RecordApiConfig())
    catalog = read_catalog(read)
    relation = find_relation(catalog, config.table_name)
    columns = compile_columns(relation, catalog, record_key(relation, catalog).name)
    api = compile_api(config, catalog, prepare_error)
    known = {column.name.lower(): column for column in columns}
    return find_advice(Subject(config, api, known, read))


def codes(text):
    return [finding.code for finding in advise(text)]


OWN = """
table_name: "boat" acl_authenticated: [CREATE, READ, UPDATE, DELETE]
create_access_rule: "_REQ_.owner = _USER_.id"
read_access_rule: "_ROW_.owner = _USER_.id OR _ROW_.mate = _USER_.id"
update_access_rule: "_ROW_.owner = _USER_.id AND 'owner' NOT IN _REQ_FIELDS_"
delete_access_rule: "_ROW_.owner = _USER_.id"
"""
MEMBERS = "EXISTS (SELECT 1 FROM crew AS c WHERE c.person = _USER_.id AND c.boat = "


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        'table_name: "buoy" acl_world: [READ, SCHEMA]',
        'table_name: "colors" acl_world: [READ]',
        'table_name: "buoy" acl_authenticated: [CREATE, READ, UPDATE, DELETE]',
        # Guests may write what is checked.
        """table_name: "buoy" acl_world: [CREATE] create_access_rule: "_REQ_.color = 'red'" """,
        # The rule shuts out those without an account.
        'table_name: "boat" acl_world: [CREATE] create_access_rule: "_REQ_.owner = _USER_.id"',
        # A membership decides.
        f"""table_name: "boat" acl_authenticated: [CREATE, UPDATE, DELETE]
        create_access_rule: "_REQ_.owner = _USER_.id AND 1 < (SELECT count(*) FROM crew)"
        update_access_rule: "{MEMBERS}_ROW_.id) AND 'owner' NOT IN _REQ_FIELDS_"
        delete_access_rule: "{MEMBERS}_ROW_.id)" """,
        # The owner is checked in a query.
        f"""table_name: "boat" acl_authenticated: [CREATE]
        create_access_rule: "{MEMBERS}_REQ_.id AND c.person = _REQ_.owner)" """,
        # May be sent, may not differ.
        """table_name: "boat" acl_authenticated: [UPDATE]
        update_access_rule:
          "_ROW_.owner = _USER_.id AND (_REQ_.owner IS NULL OR _REQ_.owner = _ROW_.owner)" """,
        # Whoever writes a letter signs it; whom it is for is theirs to say and to change.
        """table_name: "letter" acl_authenticated: [CREATE, UPDATE]
        create_access_rule: "_REQ_.author = _USER_.id"
        update_access_rule: "_ROW_.author = _USER_.id AND 'author' NOT IN _REQ_FIELDS_" """,
        """table_name: "boat" acl_authenticated: [CREATE, READ] excluded_columns: ["mate"]
        create_access_rule: "_REQ_.owner = _USER_.id" """,
        """table_name: "sailor" acl_authenticated: [READ]
        read_access_rule: "_ROW_.user = _USER_.id" """,
        'table_name: "sailor" acl_world: [READ] excluded_columns: ["apiKey", "home_e_mail"]',
        'table_name: "photo" acl_authenticated: [CREATE, READ]',
    ],
)
def test_good_apis_are_not_blamed(text):
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('table_name: "buoy" acl_world: [CREATE]', ["world-writable"]),
        ('table_name: "buoy" acl_world: [UPDATE, DELETE]', ["world-writable"] * 2),
        (
            'table_name: "buoy" acl_world: [UPDATE] update_access_rule: "1"',
            ["always-holds", "world-writable"],
        ),
        ('table_name: "photo" acl_world: [CREATE]', ["world-writable", "world-uploads"]),
        (
            'table_name: "photo" acl_world: [CREATE, UPDATE]',
            ["world-writable", "world-writable", "world-uploads"],
        ),
        (
            """table_name: "photo" acl_world: [CREATE] create_access_rule: "_REQ_.id > 5" """,
            ["world-uploads"],
        ),
        ('table_name: "boat" acl_authenticated: [CREATE]', ["unowned-create"]),
        (
            """table_name: "boat" acl_authenticated: [CREATE]
            create_access_rule: "_REQ_.owner IS NOT NULL" """,
            ["unowned-create"],
        ),
        (
            """table_name: "boat" acl_authenticated: [CREATE]
            create_access_rule: "_REQ_.owner = _USER_.id OR _REQ_.name = 'free'" """,
            ["unowned-create"],
        ),
        (
            """table_name: "boat" acl_authenticated: [UPDATE]
            update_access_rule: "_ROW_.owner = _USER_.id" """,
            ["owner-changes"],
        ),
        ('table_name: "boat" acl_authenticated: [UPDATE]', ["unowned-update", "owner-changes"]),
        (
            """table_name: "boat" acl_authenticated: [UPDATE]
            update_access_rule: "'owner' NOT IN _REQ_FIELDS_" """,
            ["unowned-update"],
        ),
        (
            # Everybody may take everything over.
            """table_name: "boat" acl_authenticated: [UPDATE]
            update_access_rule: "_REQ_.owner = _USER_.id" """,
            ["unowned-update"],
        ),
        ('table_name: "boat" acl_authenticated: [DELETE]', ["unowned-delete"]),
        (
            """table_name: "boat" acl_authenticated: [READ]
            read_access_rule: "_ROW_.owner = NULL" """,
            ["never-holds", "unused-api"],
        ),
        (
            """table_name: "boat" acl_authenticated: [READ]
            read_access_rule: "_ROW_.owner = 'ada' AND _ROW_.name = 'x'" """,
            ["never-holds", "unused-api"],
        ),
        (
            """table_name: "boat" acl_authenticated: [READ]
            read_access_rule: "_USER_.id IS NOT NULL" """,
            ["always-holds"],
        ),
        (
            """table_name: "boat" acl_authenticated: [READ]
            read_access_rule: "_ROW_.owne = _USER_.id" """,
            ["broken-rule"],
        ),
        (
            """table_name: "boat" acl_authenticated: [READ]
            delete_access_rule: "_ROW_.owner = _USER_.id" """,
            ["rule-without-flag"],
        ),
        (
            OWN.replace("'owner'", "'ower'"),
            ["unknown-field", "owner-changes"],
        ),
        (
            'table_name: "sailor" acl_authenticated: [READ]',
            ["secrets-readable", "private-readable"],
        ),
        ('table_name: "_user" acl_authenticated: [READ]', ["private-readable", "system-table"]),
        ('table_name: "buoy"', ["unused-api"]),
        (
            'table_name: "buoy" acl_world: [SCHEMA] enable_subscriptions: true',
            ["useless-subscriptions"],
        ),
        (
            'table_name: "colors" acl_world: [READ] enable_subscriptions: true',
            ["useless-subscriptions"],
        ),
        ('table_name: "buoy" acl_world: [READ] listing_hard_limit: 10001', ["large-pages"]),
    ],
)
def test_bad_apis_are_found(text, expected):
    assert codes(text) == expected


def test_findings_say_what_is_the_case_and_what_to_do():
    (finding,) = advise('table_name: "boat" acl_authenticated: [CREATE]')
    assert (finding.api, finding.severity) == ("api", Severity.WARNING)
    assert finding.field == "acl_authenticated"
    assert "'owner'" in finding.message
    assert finding.fix == "add to create_access_rule: _REQ_.owner = _USER_.id"


def test_what_cannot_work_is_an_error():
    rule = 'read_access_rule: "_ROW_.nothing"'
    (finding,) = advise(f'table_name: "boat" acl_authenticated: [READ] {rule}')
    assert (finding.severity, finding.field) == (Severity.ERROR, "read_access_rule")


def test_columns_that_sound_private_are_named():
    found = {f.code: f.message for f in advise('table_name: "sailor" acl_world: [READ]')}
    assert found["secrets-readable"].endswith(": apiKey")
    assert found["private-readable"].endswith(": home_e_mail")
