"""Whole databases as catalogs."""

import pytest

from trailbase_server.db.errors import BusyError, DatabaseError
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.model import QualifiedName

SCRIPT = """
CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b TEXT AS (a) STORED) STRICT;
CREATE TABLE w (id INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE INDEX i ON t (a) WHERE a <> '';
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;
CREATE VIEW v AS SELECT id FROM t;
CREATE VIRTUAL TABLE f USING fts5(x);
ATTACH ':memory:' AS "si de";
CREATE TABLE "si de".t (id INTEGER PRIMARY KEY, other TEXT) STRICT;
CREATE VIEW "si de".v AS SELECT id, other FROM t;
"""


def test_everything_is_found_under_its_schema(read_script):
    catalog = read_catalog(read_script(SCRIPT))
    assert catalog.problems == {}
    table = catalog.table(QualifiedName("t"))
    assert table.name == QualifiedName("t", "main")
    assert [column.name for column in table.columns] == ["id", "a", "b"]
    assert catalog.table(QualifiedName("w")).without_rowid
    assert catalog.table(QualifiedName("f")).virtual_table
    assert not catalog.table(QualifiedName("f_data")).virtual_table
    assert [(index.name, index.table_name) for index in catalog.indexes] == [
        (QualifiedName("i", "main"), "t")
    ]
    assert [trigger.name for trigger in catalog.triggers] == [QualifiedName("g", "main")]
    assert catalog.view(QualifiedName("v")).query == "SELECT id FROM t"


def test_views_of_an_attached_database_see_its_own_tables(read_script):
    catalog = read_catalog(read_script(SCRIPT))
    view = catalog.view(QualifiedName("v", "si de"))
    assert [item.column.name for item in view.mapping.columns] == ["id", "other"]
    assert view.mapping.columns[0].table == QualifiedName("t", "si de")


def test_temporary_objects_are_temporary_and_see_all_databases(read_script):
    read = read_script(SCRIPT + "CREATE TEMP TABLE x (a); CREATE TEMP VIEW y AS SELECT id FROM t;")
    catalog = read_catalog(read)
    assert catalog.table(QualifiedName("x", "temp")).temporary
    view = catalog.view(QualifiedName("y", "temp"))
    assert view.temporary
    assert view.mapping.columns[0].table == QualifiedName("t", "main")


def test_a_broken_object_takes_nothing_else_down(read_script):
    read = read_script(
        SCRIPT
        + """CREATE TABLE gone (id INTEGER PRIMARY KEY) STRICT;
        CREATE VIEW broken AS SELECT id FROM gone; DROP TABLE gone;
        CREATE VIEW over_broken AS SELECT id FROM broken;
        CREATE TABLE bad (a); PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE TABLE bad (((' WHERE name = 'bad';"""
    )
    catalog = read_catalog(read)
    assert {name for _, name in catalog.problems} == {"broken", "over_broken", "bad"}
    assert catalog.view(QualifiedName("broken")).mapping is None
    assert catalog.view(QualifiedName("v")).mapping is not None


def test_a_chain_of_views_that_leads_nowhere_ends(read_script):
    views = "".join(f"CREATE VIEW v{n} AS SELECT id FROM v{n + 1};" for n in range(400))
    table = "CREATE TABLE v400 (id INTEGER PRIMARY KEY) STRICT;"
    catalog = read_catalog(read_script(views + table))
    assert catalog.view(QualifiedName("v399")).mapping is not None
    assert catalog.view(QualifiedName("v0")).mapping is None
    circle = "CREATE VIEW a AS SELECT id FROM b; CREATE VIEW b AS SELECT id FROM a;"
    catalog = read_catalog(read_script(circle))
    assert catalog.view(QualifiedName("a")).mapping is None


def failing(read, statement, error):
    def failing_read(sql):
        if statement in sql:
            raise error
        return read(sql)

    return failing_read


def test_an_unreadable_attached_database_is_a_problem_of_its_own(read_script):
    read = failing(read_script(SCRIPT), '"si de".sqlite_schema', DatabaseError(detail="corrupt"))
    catalog = read_catalog(read)
    assert catalog.problems == {("si de", ""): "corrupt"}
    assert catalog.table(QualifiedName("t")) is not None


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ('"main".sqlite_schema', DatabaseError(detail="corrupt")),
        ('"si de".sqlite_schema', BusyError()),
        ("table_xinfo", BusyError()),
    ],
)
def test_a_database_that_cannot_be_read_now_is_an_error(read_script, statement, error):
    with pytest.raises(type(error)):
        read_catalog(failing(read_script(SCRIPT), statement, error))


def test_tables_renamed_and_extended_by_sqlite_are_read(read_script):
    catalog = read_catalog(
        read_script(
            SCRIPT
            + """ALTER TABLE w RENAME TO "new 'name"; ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'x';
            ALTER TABLE t RENAME COLUMN a TO "b""c";"""
        )
    )
    assert catalog.table(QualifiedName("new 'name")).without_rowid
    names = [column.name for column in catalog.table(QualifiedName("t")).columns]
    assert names == ["id", 'b"c', "b", "c"]
