"""Named JSON schemas."""

import json

import pytest

from trailbase_server.schema.json_text import InvalidJsonError
from trailbase_server.schema.registry import (
    InvalidSchemaError,
    SchemaRegistry,
    UnknownSchemaError,
    compile_schemas,
    matches_schema,
)

PAIR = '{"type":"array","minItems":2,"maxItems":2}'
NESTED = '{"properties":{"a":{"items":{"type":"integer"}},"b c":{"const":1}}}'


@pytest.fixture
def registry():
    return SchemaRegistry({"pair": PAIR})


def test_built_in_schemas_come_first(registry):
    assert registry.names() == ["std.FileUpload", "std.FileUploads", "std.KeyValue", "pair"]
    assert [entry.is_builtin for entry in registry] == [True, True, True, False]
    assert all(json.loads(entry.text) == entry.schema for entry in registry)


def test_lookup(registry):
    assert registry.schema("pair") == json.loads(PAIR)
    assert registry.schema("PAIR") is None


def test_values_of_a_registered_schema(registry):
    assert registry.is_valid("pair", "[1, 2]")
    assert not registry.is_valid("pair", "[1]")
    assert registry.is_valid("pair", "[1, 2]", "ignored")


def test_text_is_read_before_the_name_is_looked_up(registry):
    with pytest.raises(InvalidJsonError):
        registry.is_valid("nobody", "[1")
    with pytest.raises(UnknownSchemaError, match="Schema nobody not found"):
        registry.is_valid("nobody", "[1]")


@pytest.mark.parametrize(
    ("upload", "extra", "expected"),
    [
        ({"filename": "a", "mime_type": "image/png"}, "image/png, image/jpeg", True),
        ({"filename": "a", "mime_type": "image/jpeg"}, "image/png, image/jpeg", True),
        ({"filename": "a", "mime_type": "image"}, "image/png, image/jpeg", False),
        ({"filename": "a", "mime_type": ""}, "image/png, image/jpeg", False),
        ({"filename": "a", "mime_type": "image/gif"}, "image/png, image/jpeg", False),
        ({"filename": "a", "mime_type": None}, "image/png", False),
        ({"filename": "a"}, "image/png", False),
        ({"filename": "a"}, None, True),
        ({"mime_type": "image/png"}, "image/png", False),
    ],
)
def test_media_types_are_items_of_a_list(registry, upload, extra, expected):
    assert registry.is_valid("std.FileUpload", json.dumps(upload), extra) is expected


def test_lists_of_files_ignore_the_media_types(registry):
    assert registry.is_valid("std.FileUploads", '[{"filename":"a"}]', "image/png")


def test_replacing_forgets_what_is_no_longer_configured(registry):
    registry.replace({"other": "{}"})
    assert registry.schema("pair") is None
    assert registry.schema("other") == {}
    registry.replace({})
    assert registry.names() == ["std.FileUpload", "std.FileUploads", "std.KeyValue"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("std.KeyValue", "{}"),
        ("std.mine", "{}"),
        ("a", "{"),
        ("a", "3"),
        ("a", '{"type":"bogus"}'),
        ("a", '{"pattern":"("}'),
        ("a", '{"pattern":"(?=x)"}'),
        ("a", '{"$ref":"http://schemas.test/a.json"}'),
        ("a", '{"$ref":"file:///etc/passwd"}'),
        ("a", '{"$ref":"#/$defs/none"}'),
        ("a", '{"$schema":"http://schemas.test/dialect"}'),
    ],
)
def test_a_bad_schema_changes_nothing(registry, name, text):
    with pytest.raises(InvalidSchemaError, match=name):
        registry.replace({"good": "{}", name: text})
    assert registry.names()[3:] == ["pair"]
    with pytest.raises(InvalidSchemaError):
        compile_schemas({name: text})


def test_true_and_false_are_schemas():
    registry = SchemaRegistry({"all": "true", "none": "false"})
    assert registry.is_valid("all", "1")
    assert not registry.is_valid("none", "1")


def test_the_dialect_is_detected():
    draft7 = '{"$schema":"http://json-schema.org/draft-07/schema#","format":"ipv4"}'
    registry = SchemaRegistry({"old": draft7, "new": '{"format":"ipv4"}'})
    assert not registry.is_valid("old", '"x"')
    assert registry.is_valid("new", '"x"')


@pytest.mark.case("T-49")
@pytest.mark.timeout(5)
def test_patterns_take_linear_time():
    registry = SchemaRegistry({"evil": '{"pattern":"^(a+)+$"}'})
    assert not registry.is_valid("evil", json.dumps("a" * 50_000 + "b"))


def test_an_explanation_says_where(registry):
    assert registry.validate("pair", [1, 2]) is None
    assert registry.validate("pair", 3) == '$: 3 is not of type "array"'
    message = registry.validate(NESTED, {"a": [1, "x"]}, inline=True)
    assert message == '$.a[1]: "x" is not of type "integer"'
    message = registry.validate(NESTED, {"b c": 2}, inline=True)
    assert message == "$[b c]: 1 was expected"


def test_an_explanation_is_short(registry):
    assert len(registry.validate("pair", "x" * 100_000)) <= 300


def test_an_explanation_needs_a_schema(registry):
    with pytest.raises(UnknownSchemaError):
        registry.validate("nobody", 1)
    with pytest.raises(InvalidSchemaError):
        registry.validate("{", 1, inline=True)


@pytest.mark.case("T-49")
def test_a_value_deeper_than_the_library_walks_is_invalid(registry):
    value = []
    for _ in range(2_000):
        value = [value]
    assert registry.validate("pair", value) is not None


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{}", True),
        ("true", True),
        ("false", False),
        ('{"type":"string"}', True),
        ('{"type":["null","string"]}', True),
        ('{"type":"object"}', False),
        ('{"const":"a"}', True),
        ('{"const":1}', False),
        ('{"enum":[1,"a"]}', True),
        ('{"enum":[1]}', False),
        ('{"anyOf":[{"type":"object"},{"type":"string"}]}', True),
        ('{"oneOf":[{"type":"object"},{"type":"array"}]}', False),
        ('{"allOf":[{"type":"string"},{"type":"object"}]}', False),
        ('{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"integer"}}}', False),
        ('{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}', True),
        ('{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}', True),
        ('{"type":"object","anyOf":[{"$ref":"#"},{"$ref":"#"}]}', False),
        ('{"$ref":"https://json-schema.org/draft/2020-12/schema"}', True),
    ],
)
def test_which_schemas_admit_a_text(registry, schema, expected):
    assert registry.admits_text(schema, inline=True) is expected


def test_whether_a_registered_schema_admits_a_text(registry):
    assert not registry.admits_text("std.FileUpload")
    assert not registry.admits_text("pair")


def test_inline_schemas():
    assert matches_schema('{"type":"integer"}', "5")
    assert not matches_schema('{"type":"integer"}', '"5"')
    with pytest.raises(InvalidJsonError):
        matches_schema("{", "[")
    with pytest.raises(InvalidSchemaError):
        matches_schema("{", "[]")
