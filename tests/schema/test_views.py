"""Columns of views, against what SQLite says of them."""

import apsw
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trailbase_server.db.dialect import quote
from trailbase_server.db.errors import DatabaseError
from trailbase_server.schema.introspect import read_catalog
from trailbase_server.schema.lexer import SchemaSyntaxError
from trailbase_server.schema.model import (
    DataType,
    Default,
    NotNull,
    QualifiedName,
    References,
    Unique,
)
from trailbase_server.schema.parser import parse_view_head
from trailbase_server.schema.roles import find_table, is_nullable
from trailbase_server.schema.views import infer_view

TABLES = """
CREATE TABLE Bike (id INTEGER PRIMARY KEY, brand TEXT NOT NULL, price INTEGER,
  owner INTEGER REFERENCES owner (id)) STRICT;
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  FOREIGN KEY (name) REFERENCES x) STRICT;
CREATE TABLE loose (id INTEGER PRIMARY KEY);
"""


def view_of(read_script, query, extra=""):
    catalog = read_catalog(read_script(f"{TABLES} {extra} CREATE VIEW v AS {query};"))
    return catalog.view(QualifiedName("v"))


def names(view):
    return [item.column.name for item in view.mapping.columns]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM bike", ["id", "brand", "price", "owner"]),
        ("SELECT ID, Brand AS Maker FROM BIKE", ["id", "Maker"]),
        ("SELECT o.*, price FROM bike JOIN owner o", ["id", "name", "price"]),
        ("SELECT MAX(price), CAST(price AS TEXT), 'lit' FROM bike",
         ["MAX(price)", "CAST(price AS TEXT)", "'lit'"]),
        ("SELECT * FROM bike JOIN owner USING (id)", ["id", "brand", "price", "owner", "name"]),
        ("SELECT name, id FROM bike JOIN owner USING (id)", ["name", "id"]),
        ("SELECT * FROM bike NATURAL JOIN owner", ["id", "brand", "price", "owner", "name"]),
        ("SELECT * FROM bike, owner",
         ["id", "brand", "price", "owner", "id:1", "name"]),
        ("SELECT id FROM (SELECT id, price FROM bike)", ["id"]),
        ("WITH x (n, p) AS (SELECT id, price FROM bike) SELECT p, n FROM x", ["p", "n"]),
        ("SELECT id, SUM(price * 2) AS s, brand FROM bike GROUP BY id", ["id", "brand"]),
    ],
)  # fmt: skip
def test_columns_have_the_names_sqlite_gives_them(read_script, query, expected):
    assert names(view_of(read_script, query)) == expected


def test_an_explicit_column_list_renames(read_script):
    sql = f"{TABLES} CREATE VIEW v (number, maker) AS SELECT id, brand FROM bike;"
    assert names(read_catalog(read_script(sql)).view(QualifiedName("v"))) == ["number", "maker"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT DISTINCT id FROM bike",
        "SELECT id FROM bike UNION SELECT id FROM owner",
        "SELECT id, COUNT(*) AS n FROM bike GROUP BY id",
        "SELECT id, UPPER(brand) AS b FROM bike",
        "SELECT id FROM loose",
        "SELECT rowid AS id FROM bike",
        "SELECT TRUE AS id FROM bike",
        "SELECT brand, price FROM bike GROUP BY brand, price",
        "SELECT brand, price FROM bike GROUP BY owner",
        "SELECT brand, price FROM bike GROUP BY brand || 1",
        "SELECT brand, price FROM bike GROUP BY 3 - 1",
        "SELECT id FROM bike FULL JOIN owner USING (id)",
        "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x LIMIT 3",
        "SELECT id FROM sqlite_schema, bike",
        "SELECT value FROM json_each('[1]')",
        "SELECT 1 AS id",
        "SELECT SUM(price + 1) AS s FROM bike",
    ],
)
def test_unfit_views_have_no_mapping(read_script, query):
    assert view_of(read_script, query).mapping is None


def test_declarations_are_inherited_under_the_new_name(read_script):
    view = view_of(read_script, "SELECT b.owner AS who, b.brand FROM bike AS b")
    who, brand = view.mapping.columns
    assert who.column.name == "who"
    assert who.column.options == (References("owner", ("id",)),)
    assert (who.parent, who.table) == ("b", QualifiedName("Bike", "main"))
    assert brand.column.options == (NotNull(),)
    name = view_of(read_script, "SELECT name FROM owner").mapping.columns[0]
    assert name.column.options == (NotNull(), References("x"))


def test_casts_and_literals_have_a_type_and_nothing_else(read_script):
    view = view_of(
        read_script,
        "SELECT CAST(price AS REAL) AS r, CAST(price > 1 AS BOOLEAN) AS b, 1 AS i, NULL AS n, "
        "current_time AS t FROM bike",
    )
    kinds = [item.column.data_type for item in view.mapping.columns]
    assert kinds == [
        DataType.REAL,
        DataType.INTEGER,
        DataType.INTEGER,
        DataType.ANY,
        DataType.TEXT,
    ]
    assert view.mapping.columns[1].column.type_name == "BOOLEAN"
    assert all(item.column.options == () for item in view.mapping.columns)
    assert all(item.table is None for item in view.mapping.columns)


@pytest.mark.parametrize(
    ("join", "optional"),
    [
        ("JOIN", [False, False]),
        ("LEFT JOIN", [False, True]),
        ("RIGHT JOIN", [True, False]),
        ("FULL JOIN", [True, True]),
    ],
)
def test_columns_on_the_optional_side_of_a_join_may_be_null(read_script, join, optional):
    view = view_of(read_script, f"SELECT brand, name FROM bike {join} owner ON owner.id = owner")
    assert [item.nullable_by_join for item in view.mapping.columns] == optional


def test_a_view_of_a_view_goes_back_to_the_table(read_script):
    view = view_of(
        read_script,
        "SELECT x.maker FROM inner AS x",
        'CREATE VIEW "inner" AS SELECT brand AS maker, name FROM bike LEFT JOIN owner;',
    )
    assert view.mapping is None or names(view) == ["maker"]
    view = view_of(
        read_script,
        "SELECT x.maker, who FROM early AS x",
        "CREATE VIEW early AS SELECT brand AS maker, name AS who FROM bike LEFT JOIN owner;",
    )
    maker, who = view.mapping.columns
    assert maker.table == QualifiedName("Bike", "main")
    assert maker.parent == "x"
    assert not maker.nullable_by_join
    assert who.nullable_by_join
    assert view.mapping.joins == (40,)


def test_aggregates_keep_the_declaration_within_groups_only(read_script):
    grouped = view_of(read_script, "SELECT brand, max(id) AS id FROM bike GROUP BY bike.brand")
    assert grouped.mapping.group_by == 0
    assert grouped.mapping.columns[1].aggregation == "max"
    assert grouped.mapping.columns[1].column.options == (Unique(True),)
    single = view_of(read_script, "SELECT MIN(brand) AS brand, id FROM bike")
    assert all(is_nullable(item.column) for item in single.mapping.columns)


@pytest.mark.parametrize(
    ("query", "group_by"),
    [
        ("SELECT brand AS b, MAX(id) AS id FROM bike GROUP BY brand", 0),
        ("SELECT MAX(id) AS id, brand AS b FROM bike GROUP BY b", 1),
        ("SELECT MAX(id) AS id, brand FROM bike GROUP BY 2", 1),
        ("SELECT SUM(1) AS s, brand FROM bike GROUP BY brand", 0),
        ("SELECT price AS brand, brand AS price FROM bike GROUP BY brand", 1),
    ],
)
def test_the_column_that_groups(read_script, query, group_by):
    assert view_of(read_script, query).mapping.group_by == group_by


ITEMS = st.sampled_from(
    ["id", "a.id", "b.id AS id2", "*", "a.*", "name", "n AS name", "CAST(n AS TEXT)", "1",
     "'x' AS y", "MAX(n)", "min(a.n) AS m", "SUM(n + 1)", "x'00'", '"Name" N', "NULL", "a.rowid"]
)  # fmt: skip
SOURCES = st.sampled_from(
    ["a", "a AS a", "a, b", "a JOIN b USING (id)", "a NATURAL JOIN b",
     "a LEFT JOIN b ON a.id = b.id", "(SELECT * FROM a) AS a",
     "(SELECT n, id FROM a) a JOIN b ON b.id = a.id", "a CROSS JOIN b",
     "b RIGHT JOIN a ON a.id = b.id", "a a JOIN (SELECT id, name AS N2 FROM b) AS b", "A a"]
)  # fmt: skip
# The default of each column tells where it is from.
TWO_TABLES = """
CREATE TABLE a (id INTEGER PRIMARY KEY DEFAULT 'a.id', n INTEGER DEFAULT 'a.n',
  "Name" TEXT NOT NULL DEFAULT 'a.Name') STRICT;
CREATE TABLE b (ID INTEGER PRIMARY KEY DEFAULT 'b.ID', name TEXT DEFAULT 'b.name') STRICT;
INSERT INTO a VALUES (1, 5, 'x'), (2, NULL, 'y'); INSERT INTO b VALUES (2, 'z'), (3, NULL);
"""


@given(
    st.lists(ITEMS, min_size=1, max_size=3),
    SOURCES,
    st.sampled_from(["", "", " WHERE 0", " GROUP BY id", " GROUP BY a.n"]),
)
def test_what_is_inferred_is_what_sqlite_does(items, source, tail):
    connection = apsw.Connection(":memory:")
    connection.execute(TWO_TABLES).fetchall()
    sql = f"CREATE VIEW v AS SELECT {', '.join(items)} FROM {source}{tail}"
    try:
        connection.execute(sql)
    except apsw.SQLError:
        assume(False)

    def read(sql):
        try:
            return connection.execute(sql).fetchall()
        except apsw.Error as exc:
            raise DatabaseError(detail=str(exc)) from exc

    catalog = read_catalog(read)
    mapping = catalog.view(QualifiedName("v")).mapping
    head = parse_view_head(sql, "main")
    unnamed = infer_view(sql, head, lambda name, schema: find_table(catalog, name, schema))
    if not catalog.problems:
        assert (mapping is None) == (unnamed is None)
    if mapping is None:
        return
    columns = ", ".join(quote(item.column.name) for item in mapping.columns)
    rows = connection.execute(f"SELECT {columns} FROM v").fetchall()
    described = connection.execute(
        f"SELECT {columns} FROM (SELECT 1 AS _) LEFT JOIN v"
    ).description_full
    for at, item in enumerate(mapping.columns):
        if item.table is not None and item.aggregation is None:
            (default,) = [o.sql for o in item.column.options if isinstance(o, Default)]
            table, column = described[at][3:]
            assert default == f"'{table}.{column}'"
            assert item.table.name == table
        if not item.nullable_by_join and not is_nullable(item.column):
            assert None not in [row[at] for row in rows]


@given(st.text(st.sampled_from("SELECT FROMaWITH()*,.;'\"01= "), max_size=40))
def test_nonsense_gives_no_mapping_and_no_other_error(text):
    sql = f"CREATE VIEW v AS {text}"
    try:
        head = parse_view_head(sql)
    except SchemaSyntaxError:
        return
    assert infer_view(sql, head, lambda *_: None) is None
