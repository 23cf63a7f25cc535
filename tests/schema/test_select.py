"""Queries as far as columns depend on them."""

import pytest

from trailbase_server.schema.cursor import Cursor
from trailbase_server.schema.lexer import SchemaSyntaxError
from trailbase_server.schema.model import DataType, Join
from trailbase_server.schema.select import (
    Aggregate,
    Cast,
    ColumnName,
    Item,
    Literal,
    Source,
    Star,
    UnfitQueryError,
    parse_select,
)


def select(sql):
    return parse_select(sql, Cursor.of(sql).tokens)


@pytest.mark.parametrize(
    ("sql", "item"),
    [
        ("*", Item(Star(None), None, "*")),
        ("t . *", Item(Star("t"), None, "t . *")),
        ("a", Item(ColumnName(None, "a"), None, "a")),
        ('t."a b" AS c', Item(ColumnName("t", "a b"), "c", 't."a b"')),
        ("a c", Item(ColumnName(None, "a"), "c", "a")),
        ("a 'c d'", Item(ColumnName(None, "a"), "c d", "a")),
        ("cast(a+1 as int) x", Item(Cast("INT"), "x", "cast(a+1 as int)")),
        ("CAST (a IS NOT NULL AS boolean)", Item(Cast("BOOLEAN"), None,
                                                 "CAST (a IS NOT NULL AS boolean)")),
        ("1_0", Item(Literal(DataType.INTEGER), None, "1_0")),
        ("0xF", Item(Literal(DataType.INTEGER), None, "0xF")),
        ("1e3 AS n", Item(Literal(DataType.REAL), "n", "1e3")),
        ("'x'", Item(Literal(DataType.TEXT), None, "'x'")),
        ("x'00' b", Item(Literal(DataType.BLOB), "b", "x'00'")),
        ("NULL n", Item(Literal(DataType.ANY), "n", "NULL")),
        ("current_date", Item(Literal(DataType.TEXT), None, "current_date")),
        ("Max(t.a) AS m", Item(Aggregate("Max", ColumnName("t", "a")), "m", "Max(t.a)")),
        ("sum(a * 2)", Item(Aggregate("sum", None), None, "sum(a * 2)")),
        ("min(a, b)", Item(Aggregate("min", None), None, "min(a, b)")),
    ],
)  # fmt: skip
def test_result_columns(sql, item):
    assert select(f"SELECT {sql} FROM t").items == (item,)


@pytest.mark.parametrize(
    "sql",
    ["COUNT(*)", "a + 1", "-1", "UPPER(a)", "(a)", "CASE WHEN a THEN 1 END", "main.t.a",
     "a COLLATE b", "CAST (a AS VARCHAR)", "CAST (a AS INTEGER(4))", "MAX(a) OVER ()",
     "MAX(a) FILTER (WHERE b)", "a IS DISTINCT FROM b", "(SELECT 1)", "NOT a",
     "EXISTS (SELECT 1)", "", "'a'.b", "t.5"],
)  # fmt: skip
def test_result_columns_of_unknown_type(sql):
    with pytest.raises(SchemaSyntaxError):
        select(f"SELECT {sql} FROM t")


@pytest.mark.parametrize(
    ("sql", "joins"),
    [
        ("b", []),
        ("b, c", [Join.INNER]),
        ("b JOIN c ON b.x = c.x", [1]),
        ("b INNER JOIN c USING (x)", [1]),
        ("b CROSS JOIN c", [3]),
        ("b NATURAL JOIN c", [5]),
        ("b LEFT JOIN c ON b.left = c.x AND f(b.y, 1)", [40]),
        ("b left outer join c ON 1", [40]),
        ("b RIGHT JOIN c ON 1 FULL JOIN d ON 1", [48, 56]),
        ("b NATURAL LEFT OUTER JOIN c WHERE b.x IN (SELECT 1 UNION SELECT 2)", [44]),
        ("b NOT INDEXED JOIN c INDEXED BY i ON x", [1]),
    ],
)
def test_joins(sql, joins):
    assert [source.joins for source in select(f"SELECT a FROM {sql}").sources] == [0, *joins]


def test_sources():
    found = select(
        "SELECT a FROM main.\"t x\" AS one, t2 'two', "
        '(SELECT b FROM t) three JOIN t4 USING (a, "b")'
    ).sources
    assert found[0] == Source(0, "t x", "main", alias="one")
    assert found[1] == Source(1, "t2", alias="two")
    assert found[2].query == select("SELECT b FROM t")
    assert found[2].alias == "three"
    assert found[3] == Source(1, "t4", using=("a", "b"))


def test_groups_and_named_queries():
    found = select(
        "WITH x AS (SELECT a FROM t), y (b) AS NOT MATERIALIZED (SELECT a FROM x) SELECT b FROM y "
        "WHERE window > 1 GROUP BY y.b, 2 HAVING COUNT(*) > 1 ORDER BY b LIMIT 5 OFFSET 2"
    )
    assert [(name, columns) for name, columns, _ in found.tables] == [("x", None), ("y", ("b",))]
    assert [[token.text for token in term] for term in found.group_by] == [["y", ".", "b"], ["2"]]


@pytest.mark.parametrize(
    "sql",
    ["SELECT DISTINCT a FROM t", "SELECT 1", "VALUES (1)", "SELECT a FROM t UNION SELECT b FROM u",
     "SELECT a FROM t EXCEPT SELECT b FROM u", "SELECT a FROM json_each('[]')",
     "SELECT a FROM (t JOIN u)", "SELECT a FROM (VALUES (1))", "SELECT a FROM t WINDOW w AS ()",
     "SELECT a FROM t GROUP BY a UNION ALL SELECT a FROM u", "DELETE FROM t", "",
     "SELECT a FROM t LIMIT 1 UNION ALL SELECT 2", "WITH x AS (VALUES (1)) SELECT * FROM x",
     "SELECT a FROM " + "(SELECT a FROM " * 200 + "t" + ")" * 200],
)  # fmt: skip
def test_unfit_queries(sql):
    with pytest.raises(SchemaSyntaxError):
        select(sql)


def test_an_unfit_query_says_why():
    with pytest.raises(UnfitQueryError, match=r"column of unknown type: COUNT\(\*\)"):
        select("SELECT COUNT(*) FROM t")
