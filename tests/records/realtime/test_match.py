import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.db.errors import BusyError, OverBudgetError
from trailbase_server.query.filter import And, Comparison, Operator, Or
from trailbase_server.query.parse import InvalidQueryError
from trailbase_server.records.realtime.match import Match, check_match, compile_match
from trailbase_server.records.realtime.plan import compile_event_plan

SIMPLE = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.GREATER, Operator.GREATER_EQUAL,
          Operator.LESS, Operator.LESS_EQUAL)  # fmt: skip
INTEGERS = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
NAMES = st.sampled_from(["Rose", "rose", "ROSE", "ros", "é", ""])


@st.composite
def comparisons(draw):
    column, values = draw(
        st.sampled_from(
            [
                ("plot", INTEGERS.map(str)),
                ("plot", st.sampled_from(["1", "2"])),
                ("height", REALS.map(repr)),
                ("height", st.sampled_from(["1", "-inf", "1e999", "nan", "0.5"])),
                ("name", NAMES),
                ("secret", TEXTS),
                ("note", st.sampled_from(["1", "x", "AP8=", "1.5"])),
            ]
        )
    )
    operator = draw(st.sampled_from([*SIMPLE, Operator.IS, Operator.LIKE]))
    value = draw(st.sampled_from(["NULL", "!NULL"]) if operator is Operator.IS else values)
    return Comparison(column, operator, value)


NODES = st.recursive(
    comparisons(),
    lambda inner: st.builds(
        lambda kind, nodes: kind(tuple(nodes)),
        st.sampled_from([And, Or]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {
        "plot": st.none() | INTEGERS | st.sampled_from([1, 2]),
        "height": st.none() | REALS | st.sampled_from([1.0, 0.5]),
        "name": st.none() | NAMES,
        "secret": st.none() | TEXTS,
        "note": st.none() | st.sampled_from([1, 1.5, "x", b"\x00\xff"]),
    }
)


def match_of(garden, node, name="plants"):
    plan = compile_event_plan(garden.apis[name], garden.catalog)
    return plan, compile_match(plan, node)


@given(NODES, ROWS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_filter_means_for_an_event_what_it_means_for_a_list(garden, node, values):
    database = garden.database
    await garden.run(
        "INSERT OR REPLACE INTO plant (id, plot, height, name, secret, note) "
        "VALUES (5, ?1, ?2, ?3, ?4, ?5)",
        *(values[name] for name in ("plot", "height", "name", "secret", "note")),
    )
    _, match = match_of(garden, node)
    condition = match.sql.split(") AS _ROW_ WHERE ", 1)[1]
    listed = database.read(
        f"SELECT id FROM plant AS _ROW_ WHERE id = 5 AND ({condition})", match.params
    )
    row = database.read("SELECT * FROM plant WHERE id = 5")[0]

    assert match.accepts(database.read, row) is bool(listed)
    # The statement agrees with the short cut.
    assert Match(match.sql, match.params, None).accepts(database.read, row) is bool(listed)


async def test_simple_comparisons_need_no_statement(garden):
    for column, value in (("plot", "1"), ("height", "1.5"), ("secret", "x")):
        _, match = match_of(garden, Comparison(column, Operator.LESS, value))
        assert match.test is not None
    for column, operator in (("name", Operator.EQUAL), ("note", Operator.EQUAL),
                             ("secret", Operator.LIKE), ("secret", Operator.REGEXP)):  # fmt: skip
        _, match = match_of(garden, Comparison(column, operator, "x"))
        assert match.test is None
        _, match = match_of(
            garden,
            And((Comparison("plot", Operator.EQUAL, "1"), Comparison(column, operator, "x"))),
        )
        assert match.test is None


async def test_equal_filters_are_one(garden):
    node = Comparison("plot", Operator.EQUAL, "1")
    assert match_of(garden, node)[1] == match_of(garden, node)[1]
    assert match_of(garden, node)[1] != match_of(garden, Comparison("plot", Operator.EQUAL, "2"))[1]


async def test_a_filter_that_fails_on_a_row_does_not_match(garden):
    _, match = match_of(garden, Comparison("owner", Operator.WITHIN, "POINT (1 2)"))
    row = (1, b"no geometry", *[None] * 7)
    assert match.accepts(garden.database.read, row) is False


@pytest.mark.case("T-41")
async def test_a_malformed_pattern_is_found_when_tried(garden):
    plan, match = match_of(garden, Comparison("secret", Operator.REGEXP, "("))
    with pytest.raises(InvalidQueryError):
        check_match(garden.database.read, match, plan.columns)
    plan, match = match_of(garden, Comparison("secret", Operator.REGEXP, "(a|b)"))
    check_match(garden.database.read, match, plan.columns)


async def test_a_database_that_is_away_is_not_an_answer(garden):
    plan, match = match_of(garden, Comparison("secret", Operator.LIKE, "a%"))
    for error in (BusyError, OverBudgetError):

        def read(sql, params, error=error):
            raise error

        with pytest.raises(error):
            match.accepts(read, (None,) * 9)
        with pytest.raises(error):
            check_match(read, match, plan.columns)


@pytest.mark.case("T-56")
@pytest.mark.parametrize("column", ["nope", "secret", "_hidden"])
async def test_columns_that_are_not_shown_cannot_be_filtered_by(garden, column):
    with pytest.raises(InvalidQueryError):
        match_of(garden, Comparison(column, Operator.EQUAL, "x"), "some")
