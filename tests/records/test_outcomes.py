"""Whether rules can hold or fail, against what the database makes of them."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.records.columns import compile_columns
from trailbase_server.records.outcomes import (
    Caller,
    is_left_to_query,
    is_possible,
    named_fields,
)
from trailbase_server.schema.model import Catalog, Table
from trailbase_server.schema.parser import parse_table

SQL = """
CREATE TABLE boat (
  id     INTEGER PRIMARY KEY NOT NULL,
  owner  BLOB NOT NULL,
  mate   BLOB,
  state  TEXT NOT NULL,
  crew   INTEGER NOT NULL,
  "a b"  REAL
) STRICT
"""
TABLE: Table = parse_table(SQL)
COLUMNS = {column.name.lower(): column for column in compile_columns(TABLE, Catalog({}, {}), "id")}
CONNECTION = apsw.Connection(":memory:")


def read(sql, params=()):
    return CONNECTION.execute(sql, params).fetchall()


def outcome(text, caller=Caller.USER):
    holds = is_possible(text, COLUMNS, caller, read)
    fails = is_possible(text, COLUMNS, caller, read, fails=True)
    return {(True, True): "either", (True, False): "always", (False, True): "never"}[holds, fails]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "always"),
        ("TRUE", "always"),
        ("0", "never"),
        ("NULL", "never"),
        ("1 = 2", "never"),
        ("'yes'", "never"),
        ("_ROW_.owner = _USER_.id", "either"),
        ("_ROW_.owner = NULL", "never"),
        ("_ROW_.owner IS NULL", "never"),
        ("_ROW_.mate IS NULL", "either"),
        ("_ROW_.owner = _ROW_.owner", "always"),
        ("_ROW_.mate = _ROW_.mate", "either"),
        ("_USER_.id IS NOT NULL", "always"),
        ("_USER_.id IS NULL", "never"),
        ("_USER_.id = 'admin'", "never"),
        ("_USER_.id = X'00112233445566778899aabbccddeeff'", "either"),
        ("_ROW_.state = 'a' AND _ROW_.state = 'b'", "never"),
        ("_ROW_.state = 'a' OR _ROW_.state <> 'a'", "always"),
        ("_ROW_.state IN ('x', 'y') AND NOT _ROW_.state IN ('y', 'x')", "never"),
        ("_ROW_.crew > 5 AND _ROW_.crew < 5", "never"),
        ("_ROW_.crew > 5 AND _ROW_.crew < 7", "either"),
        ("_ROW_.crew BETWEEN 7 AND 5 OR 0", "never"),
        ("_ROW_.crew BETWEEN 5 AND 7 AND _ROW_.crew <> 6", "either"),
        ("_ROW_.crew > -3", "either"),
        ("_ROW_.crew = '5'", "either"),
        ('_ROW_."a b" > 0.25 AND _ROW_."a b" < 0.75', "either"),
        ("_REQ_.crew = '5'", "never"),
        ("_REQ_.crew = 5", "either"),
        ("'crew' IN _REQ_FIELDS_", "either"),
        ("'sail' IN _REQ_FIELDS_", "never"),
        ("'sail' NOT IN _REQ_FIELDS_", "always"),
        ("_REQ_.crew IS NOT NULL AND 'crew' NOT IN _REQ_FIELDS_", "never"),
        ("EXISTS (SELECT 1 FROM x WHERE a = _USER_.id AND b OR c)", "either"),
        ("EXISTS (SELECT 1) AND NOT EXISTS (SELECT  1)", "never"),
        ("(SELECT count(*) FROM x) > 3 OR 1", "always"),
        ("length(_REQ_.state) > 100", "either"),
        ("CASE WHEN _ROW_.crew > 1 AND 1 THEN 1 OR 0 END AND 0", "never"),
        ("_ROW_.nothing = 1", "either"),
        ("_USER_.name = 'x'", "either"),
        ("state = 'x'", "either"),
        ("not a rule at all (", "either"),
        ("'unfinished", "either"),
        ("(((_ROW_.crew = 1))) -- a remark\n", "either"),
        ("_ROW_.state || 'x' = 'yx'", "either"),
    ],
)
def test_rules_have_these_outcomes(text, expected):
    assert outcome(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("_ROW_.owner = _USER_.id", "never"),
        ("_USER_.id IS NULL", "always"),
        ("EXISTS (SELECT 1 FROM x WHERE x.user = _USER_.id)", "never"),
        ("NOT EXISTS (SELECT 1 FROM banned AS b WHERE b.user = _USER_.id)", "always"),
        ("_ROW_.state = 'open' OR _ROW_.owner = _USER_.id", "either"),
    ],
)
def test_nobody_has_no_id(text, expected):
    assert outcome(text, Caller.ANONYMOUS) == expected


def test_what_has_too_many_cases_is_either():
    text = " AND ".join(f"_REQ_.{one} = _ROW_.{one}" for one in ("crew", "state", "owner", "mate"))
    literals = ", ".join(f"'{n}'" for n in range(200))
    assert outcome(f"{text} AND _ROW_.state IN ({literals}) AND 1 = 1") == "either"


def test_deep_rules_are_no_trouble():
    assert outcome("(" * 300 + "1" + ")" * 300) == "always"


@pytest.mark.parametrize(
    ("text", "relation", "column", "expected"),
    [
        ("_REQ_.owner = _USER_.id", "_REQ_", "owner", False),
        ("EXISTS (SELECT 1 FROM m WHERE m.a = _REQ_.Owner)", "_REQ_", "owner", True),
        ("EXISTS (SELECT 1 FROM m WHERE m.a = _REQ_.mate)", "_REQ_", "owner", False),
        ("EXISTS (SELECT 1 FROM m WHERE m.a = _REQ_.mate)", "_REQ_", "", True),
        ("owner = _USER_.id", "_ROW_", "owner", True),
        ("'unfinished", "_ROW_", "owner", True),
        ("", "_ROW_", "owner", False),
    ],
)
def test_what_is_left_to_queries(text, relation, column, expected):
    assert is_left_to_query(text, relation, column) is expected


def test_fields_that_rules_ask_for():
    text = "'a' IN _REQ_FIELDS_ AND NOT ('b''s' NOT IN _REQ_FIELDS_) AND _REQ_.c IS NULL"
    assert named_fields(text) == ["a", "b's"]
    assert named_fields("'unfinished") == []


_numbers = st.integers(-4, 4)
_operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT"])
_operands = st.one_of(
    st.sampled_from(["_ROW_.crew", "_ROW_.id", "_REQ_.crew", "NULL"]), _numbers.map(str)
)
_comparisons = st.builds(lambda a, o, b: f"{a} {o} {b}", _operands, _operators, _operands)
_rules = st.recursive(
    _comparisons,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a}) AND {b}", inner, _comparisons),
        st.builds(lambda a, b: f"{a} OR {b}", inner, _comparisons),
        inner.map(lambda a: f"NOT ({a})"),
    ),
    max_leaves=6,
)


@given(rule=_rules, row=st.tuples(_numbers, _numbers), sent=st.one_of(st.none(), _numbers))
def test_what_happens_was_possible(rule, row, sent):
    sql = (
        "WITH _ROW_(id, crew) AS (SELECT ?1, ?2), _REQ_(crew) AS (SELECT ?3) "
        f"SELECT CAST(({rule}) AS INTEGER) FROM _ROW_, _REQ_"
    )
    ((holds,),) = read(sql, (*row, sent))
    assert is_possible(rule, COLUMNS, Caller.USER, read, fails=not holds)


@given(rule=_rules)
def test_what_is_possible_happens(rule):
    """There are numbers enough for a witness: the test tries them all."""
    numbers = ", ".join(f"({n})" for n in range(-8, 9))
    sql = (
        f"WITH n(x) AS (VALUES {numbers}) SELECT "
        f"max(CAST(({rule}) AS INTEGER) IS TRUE), max(CAST(({rule}) AS INTEGER) IS NOT TRUE) FROM "
        "(SELECT a.x AS id, b.x AS crew FROM n AS a, n AS b) AS _ROW_, "
        "(SELECT x AS crew FROM n UNION SELECT NULL) AS _REQ_"
    )
    ((holds, fails),) = read(sql)
    assert is_possible(rule, COLUMNS, Caller.USER, read) == bool(holds)
    assert is_possible(rule, COLUMNS, Caller.USER, read, fails=True) == bool(fails)
