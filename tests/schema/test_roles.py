"""Keys, references and roles of columns."""

import apsw
import pytest

from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import Catalog, DataType, ForeignKey, QualifiedName
from trailbase_server.schema.parser import parse_table
from trailbase_server.schema.roles import (
    JsonByName,
    JsonInline,
    effective_column,
    find_table,
    foreign_key,
    has_default,
    is_file,
    is_generated,
    is_geometry,
    is_hidden,
    is_nullable,
    is_primary,
    is_row_id,
    is_user_id,
    json_role,
    record_key,
)

USERS = "CREATE TABLE _user (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id))) STRICT"


def catalog_of(*statements):
    return Catalog.of(parse_table(sql, "main") for sql in statements)


def key_of(columns, *others, options="STRICT"):
    table = parse_table(f"CREATE TABLE t ({columns}) {options}", "main")
    catalog = Catalog.of([table, *catalog_of(USERS, *others).tables.values()])
    key = record_key(table, catalog)
    return key and key.name


def column(sql):
    return parse_table(f"CREATE TABLE t ({sql})").columns[0]


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ("id INTEGER PRIMARY KEY", "id"),
        ("a TEXT, id INT PRIMARY KEY NOT NULL", "id"),
        ("id INTEGER UNIQUE PRIMARY KEY", "id"),
        ("id INTEGER, PRIMARY KEY (id)", "id"),
        ("ID INTEGER, PRIMARY KEY (id AUTOINCREMENT)", "ID"),
        ("id BLOB PRIMARY KEY CHECK (is_uuid(id))", "id"),
        ("id BLOB PRIMARY KEY CHECK (is_uuid_v4(id))", "id"),
        ("id BLOB PRIMARY KEY CHECK (IS_UUID_V7(id))", "id"),
        ("id BLOB PRIMARY KEY CHECK (id IS NOT NULL AND is_uuid(id))", "id"),
        ("id BLOB, a TEXT, PRIMARY KEY (id), CHECK (is_uuid(id))", "id"),
        ("id BLOB PRIMARY KEY REFERENCES _user (id)", "id"),
        ("id BLOB PRIMARY KEY REFERENCES _User", "id"),
        ("id BLOB, PRIMARY KEY (id), FOREIGN KEY (id) REFERENCES _user", "id"),
        ("id BLOB PRIMARY KEY REFERENCES profile", "id"),
        ("id BLOB PRIMARY KEY REFERENCES nobody CHECK (is_uuid(id))", "id"),
        ("id BLOB PRIMARY KEY", None),
        ("id BLOB PRIMARY KEY CHECK (length(id) = 16)", None),
        ("id BLOB PRIMARY KEY CHECK (is_uuid(a) OR 1), a BLOB", "id"),
        ("id BLOB PRIMARY KEY, a BLOB, CHECK (is_uuid(id) AND is_uuid(a))", None),
        ("id TEXT PRIMARY KEY", None),
        ("id INTEGER UNIQUE", None),
        ("id INTEGER", None),
        ("a INTEGER, b INTEGER, PRIMARY KEY (a, b)", None),
        ("id BLOB PRIMARY KEY REFERENCES nobody (id)", None),
        ("id BLOB PRIMARY KEY REFERENCES _user (other)", None),
        ("id BLOB PRIMARY KEY REFERENCES _user (id, name)", None),
        ("id BLOB PRIMARY KEY REFERENCES t (id)", None),
    ],
)
def test_the_record_key_is_the_first_suitable_column(columns, key):
    profile = "CREATE TABLE profile (person BLOB PRIMARY KEY REFERENCES _user (id)) STRICT"
    assert key_of(columns, profile) == key


def test_only_strict_tables_have_record_keys_and_row_ids_do_not_matter():
    assert key_of("id INTEGER PRIMARY KEY", options="") is None
    assert key_of("id INTEGER PRIMARY KEY", options="STRICT, WITHOUT ROWID") == "id"


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ("id INTEGER PRIMARY KEY", "STRICT", True),
        ("id integer PRIMARY KEY AUTOINCREMENT", "STRICT", True),
        ("id INTEGER, PRIMARY KEY (id)", "STRICT", True),
        ("id INT PRIMARY KEY", "STRICT", False),
        ("id INTEGER PRIMARY KEY DESC", "STRICT", False),
        ("id INTEGER PRIMARY KEY", "STRICT, WITHOUT ROWID", False),
        ("id INTEGER UNIQUE", "STRICT", False),
        ("id INTEGER, b INTEGER, PRIMARY KEY (id, b)", "STRICT", False),
    ],
)
def test_whether_a_key_is_the_row_id_is_what_the_engine_says(columns, options, expected):
    sql = f"CREATE TABLE t ({columns}) {options}"
    table = parse_table(sql)
    assert is_row_id(table, table.columns[0]) is expected
    connection = apsw.Connection(":memory:")
    connection.execute(sql)
    extra = ", b" if len(table.columns) > 1 else ""
    connection.execute(f"INSERT INTO t (id{extra}) VALUES (7{', 1' if extra else ''})")
    try:
        found = connection.execute("SELECT rowid FROM t").get
    except apsw.SQLError:
        found = None
    assert (found == 7) is expected


def test_references_stay_in_their_database():
    table = parse_table("CREATE TABLE t (id BLOB PRIMARY KEY REFERENCES _user) STRICT", "side")
    main = parse_table(USERS, "main")
    assert record_key(table, Catalog.of([table, main])) is None
    assert record_key(table, Catalog.of([table, parse_table(USERS, "side")])) is not None


def test_tables_are_found_in_any_case():
    catalog = catalog_of("CREATE TABLE Bike (id)", "CREATE TABLE bike2 (id)")
    assert find_table(catalog, "BIKE", None).name.name == "Bike"
    assert find_table(catalog, "Bike", "main").name.name == "Bike"
    assert find_table(catalog, "Bike", "side") is None


VIEWS = """
CREATE TABLE _user (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id))) STRICT;
CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b (id), name TEXT) STRICT;
CREATE TABLE b (id INTEGER PRIMARY KEY, name TEXT) STRICT;
CREATE TABLE p (person BLOB PRIMARY KEY REFERENCES _user) STRICT;
"""


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("SELECT id, name FROM a", "id"),
        ("SELECT name AS n, id AS number FROM a", "number"),
        ("SELECT name FROM a", None),
        ("SELECT person AS x FROM p", "x"),
        ("SELECT a.id, b.name FROM a JOIN b ON b.id = a.b", "id"),
        ("SELECT a.id, b.name FROM a, b WHERE b.id = a.b", "id"),
        ("SELECT a.id, b.id AS other FROM a LEFT JOIN b ON b.id = a.b", "id"),
        ("SELECT b.id AS other, a.id FROM a LEFT JOIN b ON b.id = a.b", "id"),
        ("SELECT a.id FROM a RIGHT JOIN b ON b.id = a.b", None),
        ("SELECT a.id FROM a FULL JOIN b ON b.id = a.b", None),
        ("SELECT a.id FROM a CROSS JOIN b", None),
        ("SELECT a.b AS x FROM a NATURAL JOIN b", None),
        ("SELECT MAX(id) AS id, name FROM a GROUP BY name", "id"),
        ("SELECT SUM(id) AS id, name FROM a GROUP BY name", None),
        ("SELECT id, name FROM a GROUP BY name", None),
        ("SELECT id, MAX(name) AS name FROM a GROUP BY id", "id"),
        ("SELECT a.id, MAX(b.name) AS n FROM a CROSS JOIN b GROUP BY a.id", "id"),
        ("SELECT MAX(id) AS id FROM a", None),
        ("SELECT id, MAX(name) AS n FROM a", None),
        ("SELECT CAST(id AS INTEGER) AS id FROM a", None),
        ("SELECT * FROM (SELECT MAX(id) AS id, name FROM a GROUP BY name)", "id"),
        ("SELECT * FROM (SELECT id, name FROM a GROUP BY name)", None),
        ("SELECT * FROM (SELECT MAX(id) AS id FROM a)", None),
        ("SELECT * FROM (SELECT a.id FROM a CROSS JOIN b) AS x", None),
    ],
)
def test_the_record_key_of_a_view_still_identifies_rows(read_script, query, key):
    catalog = read_catalog(read_script(f"{VIEWS} CREATE VIEW v AS {query};"))
    assert catalog.problems == {}
    view = catalog.view(QualifiedName("v"))
    found = record_key(view, catalog)
    assert (found and found.name) == key


def test_a_view_without_mapping_has_no_key(read_script):
    catalog = read_catalog(read_script(f"{VIEWS} CREATE VIEW v AS SELECT COUNT(*) FROM a;"))
    assert record_key(catalog.view(QualifiedName("v")), catalog) is None


@pytest.mark.parametrize(
    ("sql", "role"),
    [
        ("a TEXT CHECK (jsonschema('std.FileUpload', a))", JsonByName("std.FileUpload")),
        ("a TEXT CHECK (JSONSCHEMA('x', a, 'image/png'))", JsonByName("x")),
        ('a TEXT CHECK (jsonschema("x", a))', JsonByName("x")),
        ("a TEXT CHECK (a IS NULL OR jsonschema('it''s', a))", JsonByName("it's")),
        ("a TEXT CHECK (jsonschema('x', a) AND jsonschema('y', a))", JsonByName("x")),
        ("a TEXT CHECK (a <> '') CHECK (jsonschema('x', a))", JsonByName("x")),
        ("a TEXT CHECK (jsonschema_matches('{\"a\": \"(it''s)\"}', a))",
         JsonInline('{"a": "(it\'s)"}')),
        ("a TEXT CHECK (is_json(a))", None),
        ("a TEXT CHECK (jsonschema('x'))", None),
        ("a TEXT CHECK (jsonschema(a, 'x'))", None),
        ("a TEXT CHECK (a <> 'jsonschema(''x'', a)')", None),
        ("a BLOB CHECK (jsonschema('x', a))", None),
        ("a TEXT", None),
    ],
)  # fmt: skip
def test_json_columns_name_or_contain_their_schema(sql, role):
    assert json_role(column(sql)) == role


def test_file_and_geometry_columns():
    assert is_file(column("a TEXT CHECK (jsonschema('std.FileUpload', a))"))
    assert is_file(column("a TEXT CHECK (jsonschema('std.FileUploads', a))"))
    assert not is_file(column("a TEXT CHECK (jsonschema('std.KeyValue', a))"))
    assert is_geometry(column("a BLOB CHECK (ST_IsValid(a))"))
    assert is_geometry(column("a BLOB CHECK (a IS NULL OR st_isvalid (a))"))
    assert is_geometry(column("a BLOB NOT NULL CHECK (ST_IsValid(a) AND ST_SRID(a) = 4326)"))
    assert not is_geometry(column("a TEXT CHECK (ST_IsValid(a))"))
    assert not is_geometry(column("a BLOB CHECK (ST_Area(a) > 0)"))


@pytest.mark.parametrize(
    ("sql", "nullable", "default", "generated"),
    [
        ("a TEXT", True, False, False),
        ("a TEXT NULL", True, False, False),
        ("a TEXT NOT NULL", False, False, False),
        ("a TEXT NOT NULL DEFAULT ''", False, True, False),
        ("a INTEGER PRIMARY KEY", False, True, False),
        ("a BLOB PRIMARY KEY", True, True, False),
        ("a INTEGER UNIQUE", True, False, False),
        ("a INTEGER NOT NULL AS (1)", False, True, True),
        ("a INTEGER AS (1) STORED", True, True, True),
    ],
)
def test_whether_a_value_may_be_absent(sql, nullable, default, generated):
    found = column(sql)
    assert is_nullable(found) == nullable
    assert has_default(found) == default
    assert is_generated(found) == generated


def test_hidden_names():
    assert is_hidden("_secret")
    assert not is_hidden("secret_")


def test_foreign_keys_are_found_wherever_they_are_declared():
    table = parse_table(
        """CREATE TABLE t (a BLOB REFERENCES x (id) ON DELETE CASCADE, b INTEGER, c TEXT, d INT,
        FOREIGN KEY (B) REFERENCES y, FOREIGN KEY (c, d) REFERENCES z)"""
    )
    key = foreign_key(table, "a")
    assert (key.columns, key.foreign_table, key.referred_columns) == (("a",), "x", ("id",))
    assert key.on_delete.value == "Cascade"
    assert foreign_key(table, "b") == ForeignKey(("b",), "y")
    for name in ("c", "d", "nothing"):
        assert foreign_key(table, name) is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a BLOB REFERENCES _user (id)", True),
        ("a BLOB REFERENCES _user", True),
        ("a BLOB REFERENCES _USER (ID)", True),
        ("a BLOB, FOREIGN KEY (a) REFERENCES _user (id)", True),
        ("a BLOB REFERENCES _user (email)", False),
        ("a BLOB REFERENCES _user_avatar (id)", False),
        ("a BLOB", False),
        ("a BLOB, b BLOB, FOREIGN KEY (a, b) REFERENCES _user (id, email)", False),
    ],
)
def test_user_id_columns(sql, expected):
    table = parse_table(f"CREATE TABLE t ({sql})")
    assert is_user_id(table, table.columns[0]) is expected


def test_constraints_of_the_table_count_like_those_of_the_column():
    table = parse_table(
        """CREATE TABLE t (a INTEGER, b TEXT, c BLOB, PRIMARY KEY (a), UNIQUE (B),
        CHECK (jsonschema('x', b)), CHECK (a > 0 AND b <> ''), FOREIGN KEY (c) REFERENCES _user)"""
    )
    a, b, c = (effective_column(table, column) for column in table.columns)
    assert is_primary(a)
    assert a.data_type is DataType.INTEGER
    assert json_role(b) == JsonByName("x")
    assert len(b.options) == 2
    assert is_user_id(table, c)
    plain = parse_table("CREATE TABLE t (a INTEGER)")
    assert effective_column(plain, plain.columns[0]) is plain.columns[0]
