"""JSON schemas of records: they describe what is served, and every reference resolves."""

import jsonschema_rs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.schema.builtin import BUILTIN_SCHEMAS
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.json_schema import (
    DIALECT,
    ExpandedTable,
    SchemaMode,
    build_json_schema,
    schema_columns,
)
from trailbase_server.schema.model import QualifiedName
from trailbase_server.schema.parser import parse_table
from trailbase_server.schema.roles import record_key

TREE = {
    "type": "object",
    "properties": {"next": {"$ref": "#"}, "leaf": {"$ref": "#/$defs/leaf"}},
    "$defs": {"leaf": {"type": "string", "default": {"$ref": "#"}}, "FileUpload": {"type": "null"}},
}
SCHEMAS = {
    **BUILTIN_SCHEMAS,
    "tree": TREE,
    "mood": {"enum": ["glad", "sad"], "type": "string"},
    "untyped": {"oneOf": [{"type": "integer", "minimum": 5}]},
    "other_leaf": {"$ref": "#/$defs/leaf", "$defs": {"leaf": {"type": "integer"}}},
    "own": {"$id": "urn:x", "type": "object", "properties": {"a": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"type": "integer"}}},
}  # fmt: skip


def table_of(columns, tail=""):
    return parse_table(f"CREATE TABLE t ({columns}) STRICT{tail}", "main")


def build(columns, mode=SchemaMode.INSERT, expansions=None):
    table = table_of(columns)
    document = build_json_schema("api", schema_columns(table), mode, SCHEMAS.get, expansions)
    return orjson.loads(orjson.dumps(document))


def accepts(document, value):
    return jsonschema_rs.validator_for(document).is_valid(value)


PLAIN = (
    "id INTEGER PRIMARY KEY, t TEXT NOT NULL, r REAL NOT NULL DEFAULT 1.0, b BLOB, a ANY, _h TEXT"
)


def test_plain_columns():
    assert build(PLAIN) == {
        "$schema": DIALECT,
        "title": "api",
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "t": {"type": "string"},
            "r": {"type": "number"},
            "b": {"type": ["null", "string"]},
            "a": {"type": ["number", "string", "boolean", "object", "array", "null"]},
            "_h": {"type": ["null", "string"]},
        },
        "required": ["t"],
    }


@pytest.mark.parametrize(
    ("mode", "required", "hidden"),
    [
        (SchemaMode.INSERT, ["t"], True),
        (SchemaMode.UPDATE, [], True),
        (SchemaMode.SELECT, ["id", "t", "r"], False),
    ],
)
def test_each_mode_requires_what_it_must(mode, required, hidden):
    document = build(PLAIN, mode)
    assert document["required"] == required
    assert ("_h" in document["properties"]) is hidden


def test_computed_columns_are_not_required_to_insert():
    columns = "id INTEGER PRIMARY KEY, n INTEGER NOT NULL AS (id + 1)"
    assert build(columns)["required"] == []
    assert build(columns, SchemaMode.SELECT)["required"] == ["id", "n"]


def test_schemas_of_columns_become_definitions():
    document = build(
        "id INTEGER PRIMARY KEY, f TEXT CHECK (jsonschema('std.FileUpload', f)), "
        "g TEXT NOT NULL CHECK (jsonschema('std.FileUploads', g)), "
        'i TEXT CHECK (jsonschema_matches(\'{"type": ["string"]}\', i)), '
        "u TEXT CHECK (jsonschema('nobody knows', u))"
    )
    assert document["properties"]["f"] == {"$ref": "#/$defs/f"}
    assert document["properties"]["u"] == {"type": ["null", "string"]}
    assert set(document["$defs"]) == {"f", "g", "i", "FileUpload"}
    assert document["$defs"]["f"]["type"] == ["null", "object"]
    assert document["$defs"]["g"] == BUILTIN_SCHEMAS["std.FileUploads"]
    assert document["$defs"]["i"] == {"type": ["null", "string"]}
    assert accepts(document, {"f": None, "g": [{"filename": "x"}], "i": None})
    assert not accepts(document, {"g": [{"filename": 5}]})
    assert not accepts(document, {"g": None})


def test_references_still_mean_the_schema_they_were_in():
    columns = "x TEXT NOT NULL CHECK (jsonschema('tree', x))"
    document = build(columns)
    assert document["$defs"]["x"]["properties"]["next"] == {"$ref": "#/$defs/x"}
    assert document["$defs"]["leaf"]["default"] == {"$ref": "#"}
    assert accepts(document, {"x": {"next": {"next": {"leaf": "y"}}}})
    assert not accepts(document, {"x": {"next": {"next": {"leaf": 5}}}})


def test_definitions_of_the_same_name_do_not_meet():
    document = build(
        "x TEXT NOT NULL CHECK (jsonschema('tree', x)), "
        "y TEXT NOT NULL CHECK (jsonschema('other_leaf', y)), "
        "g TEXT NOT NULL CHECK (jsonschema('std.FileUploads', g)), \"FileUpload\" INTEGER NOT NULL"
    )
    good = {"x": {"leaf": "a"}, "y": 5, "g": [{"filename": "z"}], "FileUpload": 1}
    assert accepts(document, good)
    for bad in ({"x": {"leaf": 1}}, {"y": "a"}, {"g": [None]}, {"FileUpload": {}}):
        assert not accepts(document, good | bad)


def test_a_column_called_like_a_definition_of_another_schema():
    document = build(
        "g TEXT NOT NULL CHECK (jsonschema('std.FileUploads', g)), "
        '"FileUpload" TEXT NOT NULL CHECK (jsonschema(\'mood\', "FileUpload"))'
    )
    assert accepts(document, {"g": [{"filename": "z"}], "FileUpload": "sad"})
    assert not accepts(document, {"g": ["sad"], "FileUpload": "sad"})
    assert not accepts(document, {"g": [], "FileUpload": {"filename": "z"}})


def test_a_schema_with_an_identity_keeps_its_references():
    document = build("x TEXT NOT NULL CHECK (jsonschema('own', x))")
    assert accepts(document, {"x": {"a": 1}})
    assert not accepts(document, {"x": {"a": "1"}})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [("untyped", 7, 3), ("mood", "glad", "angry"), ("std.KeyValue", {"a": "b"}, {"a": 1})],
)
def test_null_is_admitted_where_the_column_admits_it(schema, good, bad):
    nullable = build(f"x TEXT CHECK (jsonschema('{schema}', x))")
    required = build(f"x TEXT NOT NULL CHECK (jsonschema('{schema}', x))")
    for document in (nullable, required):
        assert accepts(document, {"x": good})
        assert not accepts(document, {"x": bad})
    assert accepts(nullable, {"x": None})
    assert not accepts(required, {"x": None})


def test_geometries_share_a_definition_and_differ_in_null():
    document = build(
        "a BLOB CHECK (ST_IsValid(a)), b BLOB NOT NULL CHECK (ST_IsValid(b))", SchemaMode.SELECT
    )
    point = {"type": "Point", "coordinates": [1.0, 2.0]}
    assert set(document["$defs"]) == {"_geojson_geometry"}
    assert accepts(document, {"a": None, "b": point})
    assert not accepts(document, {"a": point, "b": None})
    assert not accepts(document, {"b": {"type": "Point", "coordinates": [1.0]}})


def expansion(table, title="parent"):
    return ExpandedTable(title, table.columns[0], schema_columns(table))


def test_expanded_columns_contain_the_other_table():
    parent = table_of("id INTEGER PRIMARY KEY, name TEXT NOT NULL, _pin TEXT")
    columns = "id INTEGER PRIMARY KEY, fk INTEGER NOT NULL REFERENCES parent (id)"
    expansions = {"fk": expansion(parent)}
    document = build(columns, SchemaMode.SELECT, expansions)
    assert document["properties"]["fk"] == {"$ref": "#/$defs/api.fk"}
    assert document["$defs"] == {
        "api.fk": {
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "data": {
                    "title": "parent",
                    "type": "object",
                    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
                    "required": ["id", "name"],
                },
            },
            "required": ["id"],
        }
    }
    for mode in (SchemaMode.INSERT, SchemaMode.UPDATE):
        assert build(columns, mode, expansions)["properties"]["fk"] == {"type": "integer"}


def test_definitions_of_expanded_tables_resolve():
    parent = table_of(
        "id INTEGER PRIMARY KEY, x TEXT CHECK (jsonschema('std.KeyValue', x)), "
        "g TEXT NOT NULL CHECK (jsonschema('std.FileUploads', g)), "
        "p BLOB NOT NULL CHECK (ST_IsValid(p))"
    )
    document = build(
        "id INTEGER PRIMARY KEY, x TEXT NOT NULL CHECK (jsonschema('tree', x)), "
        "fk INTEGER REFERENCES parent (id), fk2 INTEGER REFERENCES parent (id)",
        SchemaMode.SELECT,
        {"fk": expansion(parent), "fk2": expansion(parent)},
    )
    point = {"type": "Point", "coordinates": [1.0, 2.0]}
    data = {"id": 1, "x": {"a": "b"}, "g": [{"filename": "f"}], "p": point}
    row = {"id": 1, "x": {"leaf": "a"}, "fk": {"id": 1, "data": data}, "fk2": None}
    assert accepts(document, row)
    for bad in ({"x": {"a": 1}}, {"g": [{}]}, {"p": None}):
        assert not accepts(document, row | {"fk": {"id": 1, "data": data | bad}})
    assert not accepts(document, row | {"x": {"leaf": 1}})


def test_views_admit_null_on_the_optional_side_of_a_join(read_script):
    catalog = read_catalog(
        read_script(
            "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;"
            "CREATE TABLE b (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
            "CREATE VIEW v AS SELECT a.id, name FROM a LEFT JOIN b ON b.id = a.id;"
            "CREATE VIEW unfit AS SELECT COUNT(*) FROM a;"
        )
    )
    view = catalog.view(QualifiedName("v"))
    document = build_json_schema("v", schema_columns(view), SchemaMode.SELECT, SCHEMAS.get)
    assert document["properties"] == {
        "id": {"type": "integer"},
        "name": {"type": ["null", "string"]},
    }
    assert document["required"] == ["id"]
    assert record_key(view, catalog).name == "id"
    assert schema_columns(catalog.view(QualifiedName("unfit"))) == ()


@pytest.mark.parametrize("text", ["{", "5", "", "[]"])
def test_an_inline_schema_that_is_none_leaves_a_string(text):
    document = build(f"x TEXT CHECK (jsonschema_matches('{text}', x))")
    assert document["properties"]["x"] == {"type": ["null", "string"]}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_boolean_schemas(text, value):
    document = build(f"x TEXT NOT NULL CHECK (jsonschema_matches('{text}', x))")
    assert accepts(document, {"x": 1}) is value


NAMES = st.text(st.sampled_from("ab/~%# .$é\"'"), min_size=1, max_size=5)
CHECKS = st.sampled_from(["", *(f"CHECK (jsonschema('{name}', 'x'))" for name in SCHEMAS)])


@given(st.dictionaries(NAMES, CHECKS, min_size=1, max_size=4), st.sampled_from(SchemaMode))
def test_every_document_is_a_valid_schema_whatever_columns_are_called(columns, mode):
    sql = ", ".join(
        '"' + name.replace('"', '""') + f'" TEXT {check}' for name, check in columns.items()
    )
    expansions = {next(iter(columns)): expansion(table_of(sql))}
    document = build(sql, mode, expansions)
    jsonschema_rs.meta.validate(document)
    assert accepts(document, {}) or mode is SchemaMode.SELECT
    assert accepts(document, dict.fromkeys(columns))
