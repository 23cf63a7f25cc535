"""Who may do what: flags and rules together."""

import apsw
import pytest
from google.protobuf import text_format

from trailbase_server.config.proto.config_pb2 import RecordApiConfig
from trailbase_server.records.columns import compile_columns
from trailbase_server.records.grants import OPERATIONS, callers_of, list_grants, rule_of
from trailbase_server.records.outcomes import Caller
from trailbase_server.schema.model import Catalog
from trailbase_server.schema.parser import parse_table

TABLE = parse_table("CREATE TABLE boat (id INTEGER PRIMARY KEY, owner BLOB NOT NULL) STRICT")
COLUMNS = {c.name: c for c in compile_columns(TABLE, Catalog(), "id")}


def grants(text, *, is_view=False):
    connection = apsw.Connection(":memory:")
    config = text_format.Parse(text, RecordApiConfig())

    def read(sql, params=()):
        return connection.execute(sql, params).fetchall()

    found = list_grants(config, COLUMNS, read, is_view=is_view)
    assert tuple(grant.operation for grant in found) == OPERATIONS
    return {grant.operation: (grant.who.value, grant.rule) for grant in found}


@pytest.mark.parametrize(
    ("text", "operation", "expected"),
    [
        ("", "read", ("nobody", "")),
        ("acl_world: [READ]", "read", ("everybody", "")),
        ("acl_world: [READ]", "list", ("everybody", "")),
        ("acl_world: [READ]", "subscribe", ("nobody", "")),
        ("acl_world: [READ] enable_subscriptions: true", "subscribe", ("everybody", "")),
        ("acl_world: [READ]", "create", ("nobody", "")),
        ("acl_authenticated: [DELETE]", "delete", ("users", "")),
        (
            "acl_authenticated: [READ] read_access_rule: '_ROW_.owner = _USER_.id'",
            "list",
            ("users", "_ROW_.owner = _USER_.id"),
        ),
        # Nobody without an account is anybody's owner.
        (
            "acl_world: [READ] read_access_rule: '_ROW_.owner = _USER_.id'",
            "read",
            ("users", "_ROW_.owner = _USER_.id"),
        ),
        ("acl_world: [READ] read_access_rule: '1 = 1'", "read", ("everybody", "")),
        ("acl_world: [READ] read_access_rule: '1 = 2'", "read", ("nobody", "")),
        ("acl_world: [SCHEMA] schema_access_rule: '_USER_.id IS NULL'", "schema", ("everybody",)),
    ],
)
def test_grants(text, operation, expected):
    assert grants(text)[operation][: len(expected)] == expected


def test_views_are_only_read():
    text = "acl_world: [CREATE, READ, UPDATE, DELETE, SCHEMA] enable_subscriptions: true"
    found = grants(text, is_view=True)
    can = {name for name, (who, _) in found.items() if who != "nobody"}
    assert can == {"read", "list", "schema"}


def test_what_is_asked_of_the_configuration():
    config = RecordApiConfig(acl_authenticated=[2], acl_world=[1], read_access_rule="1")
    assert callers_of(config, "list") == [Caller.USER]
    assert callers_of(config, "create") == [Caller.ANONYMOUS, Caller.USER]
    assert (rule_of(config, "list"), rule_of(config, "create")) == ("1", "")
