"""Column definitions in all their forms."""

import pytest

from trailbase_server.schema.columns import (
    make_column,
    parse_affinity,
    parse_column,
    parse_data_type,
)
from trailbase_server.schema.cursor import Cursor
from trailbase_server.schema.lexer import SchemaSyntaxError
from trailbase_server.schema.model import (
    Affinity,
    Check,
    Collate,
    ConflictClause,
    DataType,
    Default,
    Generated,
    NotNull,
    Null,
    References,
    ReferentialAction,
    Unique,
)


def options(sql):
    cursor = Cursor.of(sql)
    found = parse_column(cursor).options
    assert cursor.is_done
    return found


@pytest.mark.parametrize(
    ("sql", "name", "type_name"),
    [
        ("a", "a", ""),
        ("a INTEGER", "a", "INTEGER"),
        ('"a b" text', "a b", "text"),
        ("'a' VARCHAR(10)", "a", "VARCHAR"),
        ("a decimal ( 10 , -5 ) not null", "a", "decimal"),
        ("a unsigned   big /* c */ int", "a", "unsigned big int"),
        ('a "my  type"', "a", "my  type"),
        ("a INTEGER generated always as (1)", "a", "INTEGER"),
        ("a generated always as (1)", "a", ""),
        ("key if", "key", "if"),
        ("a generated always", "a", "generated always"),
        ("left int", "left", "int"),
    ],
)
def test_names_and_types(sql, name, type_name):
    column = parse_column(Cursor.of(sql))
    assert (column.name, column.type_name) == (name, type_name)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a null", [Null()]),
        ("a not null on conflict fail", [NotNull()]),
        ("a default -5", [Default("- 5")]),
        ("a default +5.0 not null", [Default("+ 5.0"), NotNull()]),
        ("a default (uuid_v7())", [Default("(uuid_v7 ())")]),
        ("a default 'it''s'", [Default("'it''s'")]),
        ("a default x'CAFE'", [Default("x'CAFE'")]),
        ("a default true check(1)", [Default("true"), Check("1")]),
        ("a default current_date", [Default("CURRENT_DATE")]),
        ('a default "word"', [Default('"word"')]),
        ("a primary key", [Unique(True)]),
        ("a primary key desc on conflict replace", [Unique(True, ConflictClause.REPLACE)]),
        ("a integer primary key autoincrement", [Unique(True, autoincrement=True)]),
        ("a unique on conflict ignore", [Unique(False, ConflictClause.IGNORE)]),
        ("a constraint b unique constraint c not null constraint d", [Unique(False), NotNull()]),
        ("a check(b == ')') on conflict fail", [Check("b = ')'")]),
        ("a collate nocase", [Collate("nocase")]),
        ("a collate 'nocase'", [Collate("nocase")]),
        ("a as (b*2)", [Generated("b * 2")]),
        ("a generated always as (b*2) stored", [Generated("b * 2", "Stored")]),
        ("a as (b*2) virtual unique", [Generated("b * 2", "Virtual"), Unique(False)]),
        ("a references t", [References("t")]),
        ("a deferrable initially deferred", []),
        ("a references t(id) match full on delete set null on update cascade on insert no action",
         [References("t", ("id",), ReferentialAction.SET_NULL, ReferentialAction.CASCADE)]),
        ('a references "t x" ("b", c) deferrable initially immediate not null',
         [References("t x", ("b", "c"), deferrable="DEFERRABLE INITIALLY IMMEDIATE"), NotNull()]),
        ("a references t on delete restrict on update set default not deferrable",
         [References("t", (), ReferentialAction.RESTRICT, ReferentialAction.SET_DEFAULT,
                     "NOT DEFERRABLE")]),
    ],
)  # fmt: skip
def test_constraints_are_kept_in_the_order_of_the_source(sql, expected):
    assert list(options(sql)) == expected


@pytest.mark.parametrize(
    "sql",
    ["", "5", "a not", "a primary", "a default", "a default ,", "a default )", "a check 1",
     "a references", "a references t(", "a references t(5)", "a on conflict fail", "a collate",
     "a text as", "a unique on conflict never", "a references t on delete nothing",
     "a deferrable initially never", "a check(1", "a text ( 5", "select int"],
)  # fmt: skip
def test_what_is_no_column_is_refused(sql):
    with pytest.raises(SchemaSyntaxError):
        options(sql)


@pytest.mark.parametrize(
    ("type_name", "data_type", "affinity"),
    [
        ("", DataType.ANY, Affinity.BLOB),
        ("any", DataType.ANY, Affinity.NUMERIC),
        ("Blob", DataType.BLOB, Affinity.BLOB),
        ("TEXT", DataType.TEXT, Affinity.TEXT),
        ("int", DataType.INTEGER, Affinity.INTEGER),
        ("INTEGER", DataType.INTEGER, Affinity.INTEGER),
        ("real", DataType.REAL, Affinity.REAL),
        ("VARCHAR", DataType.ANY, Affinity.TEXT),
        ("CHARINT", DataType.ANY, Affinity.INTEGER),
        ("DOUBLE PRECISION", DataType.ANY, Affinity.REAL),
        ("float", DataType.ANY, Affinity.REAL),
        ("BOOLEAN", DataType.ANY, Affinity.NUMERIC),
    ],
)
def test_types_become_storage_class_and_affinity(type_name, data_type, affinity):
    assert parse_data_type(type_name) is data_type
    assert parse_affinity(type_name) is affinity
    assert make_column("a", type_name).data_type is data_type
