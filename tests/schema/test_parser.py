"""Definitions as SQLite stores them, and whether we read in them what SQLite reads in them."""

import re

import apsw
import pytest
from hypothesis import assume, given

from tests.strategies import create_tables
from trailbase_server.schema.lexer import SchemaSyntaxError
from trailbase_server.schema.model import (
    Check,
    ConflictClause,
    Default,
    ForeignKey,
    Generated,
    IndexColumn,
    NotNull,
    QualifiedName,
    References,
    ReferentialAction,
    Unique,
    UniqueConstraint,
)
from trailbase_server.schema.parser import (
    parse_index,
    parse_qualified_name,
    parse_table,
    parse_trigger,
    parse_view_head,
)


@pytest.mark.parametrize(
    ("text", "name", "schema"),
    [
        ("bike", "bike", None),
        ('"bike"', "bike", None),
        ("'bike'", "bike", None),
        ("[bike]", "bike", None),
        ("`bike`", "bike", None),
        ("db.bike", "bike", "db"),
        ("db.test.bar", "test.bar", "db"),
        ('"db" . [b.c]', "b.c", "db"),
        ('"a.b"', "a.b", None),
        ('"a""b.c"', 'a"b.c', None),
        ("[a].b", "b", "a"),
        ('a"b', 'a"b', None),
        ("größe", "größe", None),
    ],
)
def test_qualified_names(text, name, schema):
    assert parse_qualified_name(text) == QualifiedName(name, schema)


@pytest.mark.parametrize("text", ["", "a;b", ".a", "a.", '""', "''.a", " ", '";"'])
def test_names_with_empty_parts_or_semicolons_are_refused(text):
    with pytest.raises(SchemaSyntaxError):
        parse_qualified_name(text)


def test_a_table_with_everything():
    table = parse_table(
        """CREATE TABLE IF NOT EXISTS [t 1] ( -- comment, with (
          id INTEGER PRIMARY KEY, b BLOB REFERENCES other DEFERRABLE INITIALLY DEFERRED,
          CONSTRAINT u UNIQUE ("id" COLLATE nocase DESC, b) ON CONFLICT IGNORE
          CHECK (id>0) ON CONFLICT FAIL, CONSTRAINT c CHECK (b <> ')'),
          FOREIGN KEY (id, b) REFERENCES x (y, z) ON DELETE CASCADE NOT DEFERRABLE,
          PRIMARY KEY (b, id AUTOINCREMENT)
        ) STRICT, WITHOUT ROWID;""",
        "main",
    )
    assert table.name == QualifiedName("t 1", "main")
    assert [c.name for c in table.columns] == ["id", "b"]
    assert table.unique == (
        UniqueConstraint(("id", "b"), ConflictClause.IGNORE, "u"),
        UniqueConstraint(("b", "id"), is_primary=True),
    )
    assert table.checks == (Check("id > 0"), Check("b <> ')'", "c"))
    assert table.foreign_keys == (
        ForeignKey(
            ("id", "b"),
            "x",
            ("y", "z"),
            ReferentialAction.CASCADE,
            deferrable="NOT DEFERRABLE",
        ),
    )
    assert table.strict
    assert table.without_rowid
    assert not table.temporary
    assert table.sql.startswith("CREATE TABLE")


def test_temporary_and_virtual_tables():
    assert parse_table("create temp table t (a)").temporary
    assert parse_table("create table t (a)", "temp").temporary
    table = parse_table("CREATE VIRTUAL TABLE IF NOT EXISTS a.t USING fts5(x, y='(')", "a")
    assert table.virtual_table
    assert table.columns == ()
    assert table.name == QualifiedName("t", "a")


@pytest.mark.parametrize(
    "sql",
    ["", "CREATE", "CREATE TABLE", "CREATE TABLE t", "CREATE TABLE t ()", "CREATE TABLE t (a,)",
     "CREATE TABLE t (a", "CREATE TABLE t (a))", "CREATE TABLE t (a) LOOSE", "SELECT 1",
     "CREATE TABLE t AS SELECT 1", "CREATE TABLE t (CHECK (1), a)", "CREATE TABLE t (a) STRICT,,",
     "CREATE TABLE t (a); DROP TABLE t", "CREATE VIEW t (a) AS SELECT 1", "CREATE VIRTUAL TABLE t",
     "CREATE TABLE t (a, PRIMARY KEY ())x", "CREATE TABLE t (a, UNIQUE (1))"],
)  # fmt: skip
def test_what_is_no_table_is_refused(sql):
    with pytest.raises(SchemaSyntaxError):
        parse_table(sql)


def stored(connection, kind="table"):
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = ?", (kind,))
    return [(name, sql) for name, sql in rows if not name.startswith("sqlite_")]


def normal(text):
    """Text of a type or default without blanks, comments, sizes and outer parentheses."""
    text = re.sub(r"/\*.*?\*/|--[^\n]*\n|\s+", "", text or "")
    return text.upper().removeprefix("(").removesuffix(")")


@given(create_tables())
def test_what_sqlite_accepts_is_read_as_sqlite_reads_it(sql):
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(sql)
    except (apsw.SQLError, apsw.ConstraintError):
        assume(False)
    ((name, text),) = stored(connection)
    table = parse_table(text, "main")
    assert parse_table(sql, "main").columns == table.columns
    assert table.name.name == name
    listed = connection.execute("SELECT strict, wr FROM pragma_table_list WHERE name = ?", (name,))
    assert listed.fetchall() == [(table.strict, table.without_rowid)]
    compare_columns(connection, table)
    compare_foreign_keys(connection, table)
    compare_keys(connection, table)


def compare_columns(connection, table):
    quoted = table.name.name.replace('"', '""')
    rows = connection.execute(f'PRAGMA table_xinfo("{quoted}")').fetchall()
    assert [row[1] for row in rows] == [c.name for c in table.columns]
    primary = [u.columns for u in table.unique if u.is_primary]
    keys = [n.lower() for n in primary[0]] if primary else []
    for (_, name, declared, notnull, default, pk, hidden), column in zip(
        rows, table.columns, strict=True
    ):
        # SQLite cuts a type that begins with a quote at its end.
        without_size = re.sub(r"\(.*", "", declared.split("generated always")[0])
        assert normal(column.type_name).startswith(normal(without_size)), name
        is_key = any(isinstance(o, Unique) and o.is_primary for o in column.options)
        assert bool(pk) == (is_key or name.lower() in keys)
        implied = bool(pk) and (table.without_rowid or table.strict)
        assert bool(notnull) or implied or not any(isinstance(o, NotNull) for o in column.options)
        assert any(isinstance(o, NotNull) for o in column.options) or implied or not notnull
        assert bool(hidden) == any(isinstance(o, Generated) for o in column.options)
        defaults = [o.sql for o in column.options if isinstance(o, Default)]
        assert normal(default) == (normal(defaults[-1]) if defaults and not hidden else "")


def compare_foreign_keys(connection, table):
    quoted = table.name.name.replace('"', '""')
    rows = connection.execute(f'PRAGMA foreign_key_list("{quoted}")').fetchall()
    found = {}
    for number, _, target, column, referred, on_update, on_delete, _ in rows:
        entry = found.setdefault(number, (target, [], [], on_update, on_delete))
        entry[1].append(column)
        entry[2].append(referred)
    ours = [
        *(
            ForeignKey((c.name,), o.foreign_table, o.referred_columns, o.on_delete, o.on_update)
            for c in table.columns
            for o in c.options
            if isinstance(o, References)
        ),
        *table.foreign_keys,
    ]

    def spell(action):
        return re.sub(r"(?<!^)(?=[A-Z])", " ", action.value).upper() if action else "NO ACTION"

    expected = [
        (
            key.foreign_table,
            [c.lower() for c in key.columns],
            [c.lower() for c in key.referred_columns] or [None] * len(key.columns),
            spell(key.on_update),
            spell(key.on_delete),
        )
        for key in ours
    ]
    actual = [
        (t, [c.lower() for c in cs], [r and r.lower() for r in rs], u, d)
        for t, cs, rs, u, d in found.values()
    ]
    assert sorted(map(repr, actual)) == sorted(map(repr, expected))


def compare_keys(connection, table):
    quoted = table.name.name.replace('"', '""')
    indexed = set()
    for _, name, unique, _origin, _partial in connection.execute(f'PRAGMA index_list("{quoted}")'):
        columns = connection.execute(f"PRAGMA index_info('{name.replace(chr(39), chr(39) * 2)}')")
        assert unique
        indexed.add(tuple(row[2].lower() for row in columns))
    ours = {
        *((c.name.lower(),) for c in table.columns for o in c.options if isinstance(o, Unique)),
        *(tuple(n.lower() for n in u.columns) for u in table.unique),
    }
    assert indexed <= ours
    # Integer keys and keys without row ids need no index of their own.
    missing = ours - indexed
    primary = {
        *((c.name.lower(),) for c in table.columns for o in c.options
          if isinstance(o, Unique) and o.is_primary),
        *(tuple(n.lower() for n in u.columns) for u in table.unique if u.is_primary),
    }  # fmt: skip
    assert missing <= primary


@pytest.mark.parametrize(
    ("sql", "columns", "unique", "predicate"),
    [
        ("CREATE INDEX i ON t (a)", [IndexColumn("a")], False, None),
        ('CREATE UNIQUE INDEX IF NOT EXISTS "i" ON "t" ("a b" DESC, c ASC NULLS LAST) WHERE a==1',
         [IndexColumn("a b", False), IndexColumn("c", True, False)], True, "a = 1"),
        ("CREATE INDEX i ON t (lower(a), b COLLATE nocase DESC NULLS FIRST)",
         [IndexColumn("lower (a)", is_expression=True),
          IndexColumn("b COLLATE nocase", False, True, is_expression=True)], False, None),
        ("CREATE INDEX i ON t ('text', q.\"n\")",
         [IndexColumn("'text'", is_expression=True), IndexColumn("q.n", is_expression=True)],
         False, None),
    ],
)  # fmt: skip
def test_indexes(sql, columns, unique, predicate):
    index = parse_index(sql, "main")
    assert index.name == QualifiedName("i", "main")
    assert index.table_name == "t"
    assert list(index.columns) == columns
    assert (index.unique, index.predicate) == (unique, predicate)


@pytest.mark.parametrize(
    "sql",
    ["CREATE INDEX i ON t", "CREATE INDEX i ON t ()", "CREATE INDEX i ON t (a) x", "CREATE INDEX",
     "CREATE TABLE i (a)", "CREATE INDEX i ON t (NULLS FIRST)", "CREATE INDEX i ON t (a b c"],
)  # fmt: skip
def test_what_is_no_index_is_refused(sql):
    with pytest.raises(SchemaSyntaxError):
        parse_index(sql)


def test_triggers_know_their_table():
    trigger = parse_trigger(
        'CREATE TRIGGER IF NOT EXISTS "x y" INSTEAD OF UPDATE OF a, "on" ON main."t t" '
        "WHEN NEW.a THEN BEGIN SELECT 1 FROM b ON c; END",
        "main",
    )
    assert trigger.name == QualifiedName("x y", "main")
    assert trigger.table_name == "t t"
    with pytest.raises(SchemaSyntaxError):
        parse_trigger("CREATE TRIGGER x AFTER INSERT")


def test_views_are_split_from_their_query():
    head = parse_view_head('CREATE TEMP VIEW v ("a", b) AS select 1,2 -- end', "temp")
    assert head.name == QualifiedName("v", "temp")
    assert head.temporary
    assert head.columns == ("a", "b")
    assert head.query == "SELECT 1, 2"
    assert parse_view_head("CREATE VIEW v AS SELECT 1").columns is None
    with pytest.raises(SchemaSyntaxError):
        parse_view_head("CREATE VIEW v AS")
    with pytest.raises(SchemaSyntaxError):
        parse_view_head("CREATE VIEW v SELECT 1")
