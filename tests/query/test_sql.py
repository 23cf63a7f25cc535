"""Filters on a real SQLite against a plain reading of the grammar in Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.query.conftest import COLUMNS, open_table, regexp
from trailbase_server.ids import encode_b64u
from trailbase_server.query.filter import (
    And,
    Comparison,
    InvalidFilterError,
    Operator,
    Or,
    type_value,
)
from trailbase_server.query.parse import MAX_COMPARISONS, parse_list_query
from trailbase_server.query.sql import MAX_WKT_LEVELS, check_wkt, compile_filter

STORAGE_ORDER = (int | float, str, bytes)
SMALL = st.integers(-2, 2)
TEXTS = st.text("aB1%_é", max_size=3)
BLOBS = st.binary(max_size=2)
REALS = SMALL.map(lambda number: number / 2)
ROWS = st.lists(
    st.tuples(
        st.none() | SMALL,
        st.none() | REALS,
        st.none() | TEXTS,
        st.none() | BLOBS,
        st.none() | SMALL | REALS | TEXTS | BLOBS,
    ),
    max_size=8,
)
LITERALS = {
    "i": SMALL.map(str),
    "r": REALS.map(str) | SMALL.map(str),
    "t": TEXTS,
    "b": BLOBS.map(encode_b64u),
    "a": SMALL.map(str) | REALS.map(str) | TEXTS | BLOBS.map(encode_b64u),
}
ORDERED = [Operator(name) for name in ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")]
COMPARISONS = st.one_of(
    *(
        st.builds(Comparison, st.just(name), st.sampled_from(ORDERED), literals)
        for name, literals in LITERALS.items()
    ),
    st.builds(Comparison, st.just("t"), st.just(Operator.LIKE), TEXTS),
    st.builds(Comparison, st.just("t"), st.just(Operator.REGEXP), st.sampled_from(["^a", "1$"])),
    st.builds(
        Comparison,
        st.sampled_from([*LITERALS, "g"]),
        st.just(Operator.IS),
        st.sampled_from(["NULL", "!NULL"]),
    ),
)
TREES = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(
        lambda cls, nodes: cls(tuple(nodes)),
        st.sampled_from([And, Or]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


def rank(value):
    """Sort as SQLite does: numbers before texts before blobs."""
    place = next(i for i, kinds in enumerate(STORAGE_ORDER) if isinstance(value, kinds))
    return place, value.encode() if isinstance(value, str) else value


def like(pattern, text):
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(like(pattern[1:], text[n:]) for n in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and like(pattern[1:], text[1:])


def matches(node, row):
    """Evaluate a filter with SQL's three values: True, False, None."""
    if isinstance(node, And | Or):
        results = [matches(inner, row) for inner in node.nodes]
        decisive = isinstance(node, Or)
        if decisive in results:
            return decisive
        return None if None in results else not decisive
    stored = row.get(node.column)
    if node.operator is Operator.IS:
        return (stored is None) == (node.value == "NULL")
    if node.operator is Operator.REGEXP:
        return stored is not None and regexp(node.value, stored)
    if stored is None:
        return None
    wanted = type_value(COLUMNS[node.column].data_type, node.value)
    if node.operator is Operator.LIKE:
        return like(node.value, stored)
    if node.operator is Operator.EQUAL:
        return any(rank(stored) == rank(value) for value in wanted)
    if node.operator is Operator.NOT_EQUAL:
        return all(rank(stored) != rank(value) for value in wanted)
    left, right = rank(stored), rank(wanted[0])
    return {
        Operator.GREATER: left > right,
        Operator.GREATER_EQUAL: left >= right,
        Operator.LESS: left < right,
        Operator.LESS_EQUAL: left <= right,
    }[node.operator]


def select(connection, node):
    sql, params = compile_filter(node, COLUMNS, "_ROW_")
    statement = f"SELECT id FROM row AS _ROW_ WHERE ?1 = 7 AND {sql} ORDER BY id"
    return [row[0] for row in connection.execute(statement, [7, *params])]


@given(ROWS, TREES)
def test_sqlite_selects_what_the_filter_says(rows, node):
    connection = open_table()
    connection.executemany("INSERT INTO row (i, r, t, b, a) VALUES (?, ?, ?, ?, ?)", rows)
    expected = [
        number
        for number, row in enumerate(rows, 1)
        if matches(node, dict(zip("irtba", row, strict=True)))
    ]
    assert select(connection, node) == expected
    connection.close()


@pytest.mark.case("T-37")
def test_values_are_bound_and_names_quoted(columns):
    evil = "'; DROP TABLE row; --"
    sql, params = compile_filter(Comparison('odd "name"', Operator.EQUAL, evil), columns, "_ROW_")
    assert sql == '_ROW_."odd ""name""" = ?'
    assert params == [evil]


@pytest.mark.case("T-29")
@pytest.mark.parametrize(
    "query",
    [
        "filter[nope]=1",
        "filter[nope][$is]=NULL",
        "filter[nope][@within]=POINT(1 1)",
        "filter[id]=1&filter[$or][0][nope]=1",
        "filter[i]=x",
        "filter[b]=x",
        "filter[r][$like]=x",
        "filter[t][@within]=POINT(1 1)",
        "filter[g][@within]=POLYGON",
        "filter[g][@within]=POINT(1 1)') --",
        "filter[g][@within]=SRID=4326;POINT(1 1)",
        "filter[I]=1",
    ],
)
def test_what_cannot_be_filtered_is_refused(query, columns):
    node = parse_list_query(query).filter
    with pytest.raises(InvalidFilterError, match="Invalid filter params"):
        compile_filter(node, columns, "_ROW_")


@pytest.mark.case("T-43")
def test_geometries_are_bound_as_text(columns):
    node = Comparison("g", Operator.WITHIN, "POINT (1 2)")
    assert compile_filter(node, columns, "r") == (
        'ST_Within(r."g", ST_GeomFromText(?))',
        ["POINT (1 2)"],
    )


@pytest.mark.parametrize(
    "text",
    [
        "POINT(3.2 51.1)",
        "polygon((3 50,5 50,5 52,3 52,3 50))",
        " Point Z (1e3 -2 .5) ",
        "POINT EMPTY",
        "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))",
    ],
)
def test_well_known_text_is_let_through(text):
    check_wkt(text)


@pytest.mark.case("T-43")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "POINT",
        "POINT 1 2",
        "POINT(1 2",
        "POINT)1 2(",
        "POINT(1 2))",
        "CIRCLE(1 2)",
        "POINT EMPTY()",
        "POINT(1 2);",
        "POINT('1' 2)",
        "POINT" + "(" * (MAX_WKT_LEVELS + 1) + ")" * (MAX_WKT_LEVELS + 1),
    ],
)
def test_other_text_is_no_geometry(text):
    with pytest.raises(InvalidFilterError):
        check_wkt(text)


@pytest.mark.case("T-40")
def test_the_largest_filter_is_one_sqlite_takes(connection):
    for cls in (And, Or):
        node = cls((Comparison("i", Operator.EQUAL, "1"),) * MAX_COMPARISONS)
        assert select(connection, node) == []


def test_a_regular_expression_on_a_number_is_the_engines_to_refuse(connection):
    connection.execute("INSERT INTO row (i) VALUES (1)")
    with pytest.raises(TypeError):
        select(connection, Comparison("i", Operator.REGEXP, "1"))
