"""Canonical text: the spelling clients know, the meaning SQLite knew."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import expressions
from trailbase_server.schema.canonical import canonical_text, check_expression
from trailbase_server.schema.lexer import SchemaSyntaxError, significant, tokenize


def canonical(sql):
    return canonical_text(significant(tokenize(sql)))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("is_uuid_v7(id)", "is_uuid_v7 (id)"),
        ("jsonschema( 'std.FileUpload',col )", "jsonschema ('std.FileUpload', col)"),
        ("uuid_v7()", "uuid_v7 ()"),
        ("cast(x as INTEGER)", "CAST (x AS INTEGER)"),
        ("a==1 and b!=2", "a = 1 AND b <> 2"),
        ("x is null or x isnull", "x IS NULL OR x ISNULL"),
        ("x not null", "x NOTNULL"),
        ("x notnull", "x NOTNULL"),
        ("x is not null", "x IS NOT NULL"),
        ("not null", "NOT NULL"),
        ("-5 - -5", "- 5 - - 5"),
        ("a . b /* c */ .c", "a.b.c"),
        ('"Select"=[From]', '"Select" = [From]'),
        ("key like 'x' escape '!'", "key LIKE 'x' ESCAPE '!'"),
        ("like(key,'x')", "like (key, 'x')"),
        ("a not like b", "a NOT LIKE b"),
        ("b = x'00'and c", "b = x'00'AND c"),
        ("case when a then first end", "CASE WHEN a THEN first END"),
        ("current_timestamp", "CURRENT_TIMESTAMP"),
        ("((a))", "((a))"),
        ("a in(1,2)", "a IN (1, 2)"),
        ("select a as end from t left join u on t.left=u.a group by b",
         "SELECT a AS end FROM t LEFT JOIN u ON t.left = u.a GROUP BY b"),
        ("select a from t order by c desc limit 1 offset 2",
         "SELECT a FROM t ORDER BY c DESC LIMIT 1 OFFSET 2"),
        ("with c as (select 1) select * from c", "WITH c AS (SELECT 1) SELECT * FROM c"),
        ("raise(abort,'no')", "RAISE (abort, 'no')"),
        ("", ""),
    ],
)  # fmt: skip
def test_one_spelling(sql, expected):
    assert canonical(sql) == expected


@given(expressions(["a", "b", "key"]))
def test_the_canonical_text_means_the_same_and_is_its_own_canonical_text(sql):
    text = canonical(sql)
    assert canonical(text) == text
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE TABLE t (a, b, key); INSERT INTO t VALUES (1, 'x', NULL), (NULL, 2.5, x'00')"
    )
    outcomes = []
    for expression in (sql, text):
        try:
            query = f"SELECT typeof(x), hex(x) FROM (SELECT ({expression}\n) AS x FROM t)"
            outcomes.append(connection.execute(query).fetchall())
        except apsw.Error as exc:
            outcomes.append(type(exc))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "sql", ["1); DROP TABLE t", "a, b", "a;", "(a", "a)", "", "?1", "/* a */", ") ("]
)
def test_a_text_that_is_not_one_expression_is_refused(sql):
    with pytest.raises(SchemaSyntaxError):
        check_expression(sql)


@given(st.text(st.sampled_from("ab1'\"()[],;-*/ \n"), max_size=20))
def test_an_accepted_text_cannot_leave_its_parentheses(sql):
    try:
        text = canonical_text(check_expression(sql))
    except SchemaSyntaxError:
        return
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(f"CREATE TABLE t (a, b, CHECK ({text}), CONSTRAINT last CHECK (1))")
    except apsw.SQLError:
        return
    (stored,) = connection.execute("SELECT sql FROM sqlite_schema").fetchall()
    assert stored[0].endswith("CONSTRAINT last CHECK (1))")
    assert len(connection.execute("PRAGMA table_info(t)").fetchall()) == 2
