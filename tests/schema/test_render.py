"""Models become SQL that means the same."""

import apsw
import pytest
from hypothesis import assume, given
from msgspec.structs import replace

from tests.strategies import INDEXES, create_tables, tables
from trailbase_server.schema.columns import make_column
from trailbase_server.schema.lexer import SchemaSyntaxError
from trailbase_server.schema.model import (
    Check,
    Default,
    Generated,
    Index,
    IndexColumn,
    QualifiedName,
    References,
    Table,
)
from trailbase_server.schema.parser import parse_index, parse_table
from trailbase_server.schema.render import render_column, render_index, render_table


@given(tables())
def test_reading_a_rendered_table_gives_the_same_model(table):
    text = render_table(table)
    assert replace(parse_table(text, table.name.database_schema), sql="") == table


@given(INDEXES)
def test_reading_a_rendered_index_gives_the_same_model(index):
    text = render_index(index)
    assert replace(parse_index(text, index.name.database_schema), sql="") == index


@given(create_tables())
def test_sqlite_accepts_the_rendering_of_every_table_it_has(sql):
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(sql)
    except (apsw.SQLError, apsw.ConstraintError):
        assume(False)
    table = parse_table(sql, "main")
    facts = []
    for text in (None, render_table(table)):
        if text is not None:
            connection = apsw.Connection(":memory:")
            connection.execute(text)
        quoted = table.name.name.replace('"', '""')
        rows = connection.execute(f'PRAGMA table_xinfo("{quoted}")')
        # DESC, which the model has no place for, decides whether an integer key may be NULL.
        facts.append([(row[1], row[5], row[6], row[3] and not row[5]) for row in rows])
    assert facts[0] == facts[1]


def test_the_form_of_tables_and_indexes():
    table = parse_table(
        "create table t (id integer primary key, b blob references u(id) on delete cascade, "
        "c text default 'x' check(c!='y') collate nocase, unique(b,c), check(b)) strict"
    )
    assert render_table(table) == (
        'CREATE TABLE "t" ("id" integer PRIMARY KEY, '
        '"b" blob REFERENCES "u"("id") ON DELETE CASCADE, '
        "\"c\" text DEFAULT 'x' CHECK (c <> 'y') COLLATE \"nocase\", "
        'UNIQUE ("b", "c"), CHECK (b)) STRICT'
    )
    index = Index(QualifiedName("i", "main"), "t", (IndexColumn("b", ascending=False),), True)
    assert render_index(index) == 'CREATE UNIQUE INDEX "main"."i" ON "t" ("b" DESC)'
    assert render_index(replace(index, unique=False), if_not_exists=True).startswith(
        "CREATE INDEX IF NOT EXISTS"
    )


@pytest.mark.parametrize(
    "option",
    [
        Check("1) , evil TEXT DEFAULT (1"),
        Check(""),
        Default("1 NOT NULL"),
        Default("1); DROP TABLE t; --"),
        Default("(1) + (2)"),
        Generated("1", "Sometimes"),
        References("t", deferrable="DEFERRABLE); DROP TABLE t"),
    ],
)
def test_a_text_that_would_say_more_than_it_should_is_refused(option):
    with pytest.raises(SchemaSyntaxError):
        render_column(make_column("a", "TEXT", (option,)))


def test_an_open_comment_does_not_swallow_what_follows():
    column = make_column("a", "TEXT", (Check("a /* open"), Check("b -- open")))
    assert render_column(column) == '"a" TEXT CHECK (a) CHECK (b)'


def test_a_type_is_one_type():
    assert render_column(make_column("a", "TEXT, b")) == '"a" "TEXT, b"'
    assert render_column(make_column("a", "it's")) == '"a" "it\'s"'
    assert render_column(make_column("a", "big int")) == '"a" big int'


def test_tables_and_indexes_without_columns_cannot_be_rendered():
    name = QualifiedName("t")
    for table in (Table(name, strict=True, columns=()), Table(name, False, (), virtual_table=True)):
        with pytest.raises(SchemaSyntaxError):
            render_table(table)
    with pytest.raises(SchemaSyntaxError):
        render_index(Index(name, "t", ()))
