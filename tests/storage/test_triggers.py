"""Triggers of file columns: installed once, kept up to date, and what they note."""

import pytest

from trailbase_server.schema.introspect import read_catalog
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.storage.triggers import plan_file_triggers

QUEUE = """CREATE TABLE {}_file_deletions (id INTEGER PRIMARY KEY NOT NULL,
  deleted INTEGER NOT NULL DEFAULT (UNIXEPOCH()), attempts INTEGER NOT NULL DEFAULT 0,
  errors TEXT, table_name TEXT NOT NULL, record_rowid INTEGER NOT NULL,
  column_name TEXT NOT NULL, json TEXT NOT NULL, updated_json TEXT) STRICT;"""
FILE = "CHECK (jsonschema('std.FileUpload', {}))"


class Depot:
    """A main database and another one."""

    def __init__(self, connection):
        self.connection = connection

    def run(self, sql):
        return self.connection.execute(sql).fetchall()

    def plan(self):
        return plan_file_triggers(read_catalog(self.run))

    def install(self):
        for statement in self.plan():
            self.run(statement)

    def triggers(self):
        sql = "SELECT name FROM {}.sqlite_schema WHERE type = 'trigger'"
        return {n for s in ("main", "other") for (n,) in self.run(sql.format(s))}

    def queue(self, schema="main"):
        columns = "table_name, record_rowid, column_name, json, updated_json"
        return self.run(f"SELECT {columns} FROM {schema}._file_deletions ORDER BY id")


@pytest.fixture
def depot(tmp_path):
    from trailbase_server.schema.registry import SchemaRegistry

    def prepare(connection):
        register_functions(connection, SchemaRegistry(), None)

    for name in ("main", "other"):
        connection = open_connection(
            DatabaseFiles(tmp_path / f"{name}.db", prepare=prepare), "migrator"
        )
        connection.execute(QUEUE.format("")).fetchall()
        connection.close()
    place = DatabaseFiles(tmp_path / "main.db", {"other": tmp_path / "other.db"}, prepare)
    connection = open_connection(place, "writer")
    yield Depot(connection)
    connection.close()


def entry(name):
    return f'{{"filename":"{name}"}}'


def test_a_change_and_a_deletion_are_noted_in_the_same_database(depot):
    for schema in ("main", "other"):
        check = FILE.format("f")
        depot.run(
            f"CREATE TABLE {schema}.t (id INTEGER PRIMARY KEY, f TEXT {check}, n TEXT) STRICT"
        )
    depot.install()
    for schema in ("main", "other"):
        depot.run(f"INSERT INTO {schema}.t (id, f) VALUES (7, '{entry('a')}'), (8, NULL)")
        depot.run(f"UPDATE {schema}.t SET n = 'x'")
        depot.run(f"UPDATE {schema}.t SET f = f")
        assert depot.queue(schema) == []
        depot.run(f"UPDATE {schema}.t SET f = '{entry('b')}'")
        depot.run(f"UPDATE {schema}.t SET f = NULL WHERE id = 7")
        depot.run(f"DELETE FROM {schema}.t")
        table = f'"{schema}"."t"'
        assert depot.queue(schema) == [
            (table, 7, "f", entry("a"), entry("b")),
            (table, 7, "f", entry("b"), None),
            (table, 8, "f", entry("b"), None),
        ]


def test_what_is_as_it_should_be_is_left_alone(depot):
    depot.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY, f TEXT {FILE.format('f')}) STRICT")
    assert len(depot.plan()) == 2
    depot.install()
    assert depot.plan() == []


def test_other_texts_are_replaced(depot):
    depot.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY, f TEXT {FILE.format('f')}) STRICT")
    depot.run(
        "CREATE TRIGGER __t__f__update_trigger AFTER UPDATE ON t WHEN OLD.f IS NOT NULL AND "
        "OLD.f != NEW.f BEGIN INSERT INTO _file_deletions (table_name, record_rowid, "
        "column_name, json, updated_json) VALUES ('t', OLD._rowid_, 'f', OLD.f, NEW.f); END"
    )
    depot.install()
    assert depot.triggers() == {"__t__f__update_trigger", "__t__f__delete_trigger"}
    depot.run(f"INSERT INTO t VALUES (1, '{entry('a')}')")
    depot.run("UPDATE t SET f = NULL")
    assert depot.queue() == [('"main"."t"', 1, "f", entry("a"), None)]


def test_triggers_of_columns_that_are_gone_are_dropped_and_those_of_users_stay(depot):
    depot.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY, f TEXT {FILE.format('f')}) STRICT")
    depot.run("CREATE TRIGGER __mine__update_trigger AFTER UPDATE ON t BEGIN SELECT 1; END")
    depot.install()
    depot.run("ALTER TABLE t RENAME COLUMN f TO g")
    depot.install()
    assert depot.triggers() == {
        "__t__g__update_trigger",
        "__t__g__delete_trigger",
        "__mine__update_trigger",
    }
    assert depot.plan() == []


def test_odd_names_are_quoted(depot):
    quoted = '"a""b\'c"'
    check = FILE.format(quoted)
    depot.run(f"CREATE TABLE {quoted} (id INTEGER PRIMARY KEY, {quoted} TEXT {check}) STRICT")
    depot.install()
    assert depot.plan() == []
    depot.run(f"INSERT INTO {quoted} VALUES (1, '{entry('a')}')")
    depot.run(f"DELETE FROM {quoted}")
    assert depot.queue() == [('"main"."a""b\'c"', 1, "a\"b'c", entry("a"), None)]


@pytest.mark.parametrize(
    ("columns", "options", "rowid"),
    [
        ("id INTEGER PRIMARY KEY NOT NULL", "STRICT, WITHOUT ROWID", 0),
        ("id INTEGER PRIMARY KEY, rowid TEXT", "STRICT", 7),
        ("id INTEGER, rowid TEXT, _rowid_ TEXT, OID TEXT", "STRICT", 0),
    ],
)
def test_a_row_id_is_noted_where_there_is_one(depot, columns, options, rowid):
    depot.run(f"CREATE TABLE t ({columns}, f TEXT {FILE.format('f')}) {options}")
    depot.install()
    depot.run(f"INSERT INTO t (id, f) VALUES (7, '{entry('a')}')")
    depot.run("DELETE FROM t")
    assert depot.queue() == [('"main"."t"', rowid, "f", entry("a"), None)]


def test_a_database_without_a_table_of_deletions_gets_no_triggers(depot):
    depot.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY, f TEXT {FILE.format('f')}) STRICT")
    depot.run("DROP TABLE _file_deletions")
    assert depot.plan() == []


def test_lists_of_files_have_triggers_and_other_columns_have_none(depot):
    depot.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, fs TEXT, "
        "k TEXT CHECK (jsonschema('std.KeyValue', k)), "
        "CHECK (jsonschema('std.FileUploads', fs))) STRICT"
    )
    depot.install()
    assert depot.triggers() == {"__t__fs__update_trigger", "__t__fs__delete_trigger"}
