"""The index of errors: a file gets it once, and queries about errors find it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.logs.indexes import is_about_errors, slim_indexes
from trailbase_server.logs.pages import LogView, compile_log_filter, list_log
from trailbase_server.query.filter import InvalidFilterError
from trailbase_server.query.parse import parse_list_query

VIEW = LogView()
STATUSES = (100, 200, 302, 399, 400, 401, 404, 500)


def node(query):
    return parse_list_query(query).filter


def indexes(log):
    of_table = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = '_logs'"
    return {name for (name,) in log.read(of_table)}


def plan(log, query):
    conditions, params = compile_log_filter(node(query), VIEW)
    sql = f"EXPLAIN QUERY PLAN SELECT count(*) FROM _logs AS _ROW_ WHERE {' AND '.join(conditions)}"
    return log.read(sql, params)[0][3]


def listed(log, query):
    return [entry["id"] for entry in list_log(log, parse_list_query(query), VIEW)["entries"]]


def test_a_file_of_the_reference_is_taken_over_once(log):
    log.add(status=404)
    assert indexes(log) == {
        *("__logs__created_index", "__logs__status_index", "__logs__method_index")
    }
    slim_indexes(log.connection)
    assert indexes(log) == {"__logs__created_index", "__logs__errors_index"}
    assert not log.connection.in_transaction
    changes = log.connection.data_version(), log.connection.total_changes()
    slim_indexes(log.connection)
    assert (log.connection.data_version(), log.connection.total_changes()) == changes
    assert log.read("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize(
    "query",
    [
        "filter[status]=404",
        "filter[status][$gte]=400",
        "filter[status][$gt]=499",
        "filter[status][$gte]=500&filter[url][$like]=/a%25",
        "filter[$or][0][status]=404&filter[$or][1][status]=500",
    ],
)
def test_a_query_about_errors_uses_the_index(log, query):
    slim_indexes(log.connection)
    assert is_about_errors(node(query))
    assert "__logs__errors_index" in plan(log, query)


@pytest.mark.parametrize(
    "query",
    [
        "filter[status]=200",
        "filter[status][$gte]=399",
        "filter[status][$gt]=398",
        "filter[status][$lt]=500",
        "filter[status][$ne]=500",
        "filter[latency]=404",
        "filter[$or][0][status]=404&filter[$or][1][status]=200",
        "filter[$or][0][status]=404&filter[$or][1][url]=/a",
    ],
)
def test_any_other_query_reads_everything(log, query):
    slim_indexes(log.connection)
    assert not is_about_errors(node(query))
    assert "errors_index" not in plan(log, query)


def test_a_status_that_is_no_number_is_refused():
    with pytest.raises(InvalidFilterError):
        is_about_errors(node("filter[status]=abc"))


COMPARISON = st.tuples(
    st.sampled_from(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")), st.sampled_from(STATUSES)
)


@given(
    comparisons=st.lists(COMPARISON, min_size=1, max_size=3), word=st.sampled_from(("$or", "$and"))
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_index_hides_nothing(log, comparisons, word):
    if not log.read("SELECT 1 FROM _logs LIMIT 1"):
        for status in STATUSES:
            log.add(status=status)
        slim_indexes(log.connection)
    query = "&".join(
        f"filter[{word}][{at}][status][{operator}]={status}"
        for at, (operator, status) in enumerate(comparisons)
    )
    tests = {
        "$eq": int.__eq__, "$ne": int.__ne__, "$gt": int.__gt__,
        "$gte": int.__ge__, "$lt": int.__lt__, "$lte": int.__le__,
    }  # fmt: skip
    passes = any if word == "$or" else all
    expected = [
        at + 1
        for at, seen in enumerate(STATUSES)
        if passes(tests[operator](seen, status) for operator, status in comparisons)
    ]
    assert listed(log, query) == expected[::-1]
