import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records.conftest import ROSA, SAM, UMA
from trailbase_server.db.base import Change
from trailbase_server.db.errors import BusyError, DatabaseError
from trailbase_server.records.encode import dump_json
from trailbase_server.records.realtime.plan import (
    compile_event_plan,
    render_error,
    render_event,
    row_relation,
)

USERS = [None, ROSA, SAM, UMA]
ROW = (7, ROSA, 1, "Iris", 2.5, None, "h", "s", None)


def plan_of(garden, name):
    return compile_event_plan(garden.apis[name], garden.catalog)


@pytest.mark.case("T-56")
async def test_an_event_shows_what_reading_the_record_shows(garden):
    await garden.run(
        "INSERT INTO plant VALUES (2, ?1, 1, 'oak', 3, x'00ff', 'h', 's', '{\"a\": \"1\"}')", ROSA
    )
    row = garden.database.read("SELECT * FROM plant WHERE id = 2")[0]
    for name in ("plants", "some"):
        api = garden.apis[name]
        record = api.encode(garden.database.read(api.read_sql, (2,))[0])
        expected = b'{"Insert":' + dump_json(record) + b',"seq":'
        assert plan_of(garden, name).render("insert", row) == expected
        assert b'"height":3.0' in expected


async def test_references_are_plain_where_records_wrap_them(garden):
    event = plan_of(garden, "wide").render("delete", ROW)
    assert event.startswith(b'{"Delete":{"height":2.5,"id":7,"name":"Iris","note":null,"owner":"')


async def test_a_value_without_json_form_becomes_an_error_event(garden):
    row = (*ROW[:8], "no json")
    assert render_event(plan_of(garden, "plants"), "insert", row) == render_error(
        3, "A value has no JSON form"
    )


async def test_an_error_event_looks_like_this():
    assert render_error(0, None) == b'{"Error":{"status":0,"message":null},"seq":'


async def test_a_rule_sees_excluded_columns(garden):
    plan = plan_of(garden, "secret")
    assert plan.allowed(garden.database.read, ROW, {None}) == {None}
    assert not plan.allowed(garden.database.read, (*ROW[:7], None, None), {None})


@pytest.mark.case("T-53")
@pytest.mark.parametrize("name", ["own", "plot", "known", "plants"])
@given(
    owner=st.sampled_from(USERS),
    plot=st.sampled_from([None, 1, 2, 3]),
    users=st.sets(st.sampled_from(USERS), min_size=1),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_a_rule_says_of_an_event_what_it_says_of_the_stored_row(
    garden, name, owner, plot, users
):
    await garden.run("INSERT OR REPLACE INTO plant (id, owner, plot) VALUES (9, ?1, ?2)",
                     owner, plot)  # fmt: skip
    read = garden.database.read
    rule = garden.apis[name].read_rule
    expected = {user for user in users if rule is None or read(rule.sql, rule.bind(user, key=9))}
    row = read("SELECT * FROM plant WHERE id = 9")[0]
    plan = plan_of(garden, name)

    assert set(plan.allowed(read, row, users)) == expected
    assert {user for user in users if plan.allowed(read, row, {user})} == expected


async def test_many_users_are_judged_by_few_statements(garden):
    users = {bytes([n]) * 16 for n in range(150)} | {ROSA, SAM}
    statements = []

    def read(sql, params):
        statements.append(sql)
        return garden.database.read(sql, params)

    plan = plan_of(garden, "plot")
    allowed = await garden.database.on_pool(plan.allowed, read, ROW, users)
    assert set(allowed) == {ROSA, SAM}
    assert len(statements) == 3


async def test_a_rule_that_fails_for_a_row_denies(garden):
    plan = plan_of(garden, "failing")
    assert plan.allowed(garden.database.read, (1, *ROW[1:]), {None, ROSA})
    assert not plan.allowed(garden.database.read, ROW, {None, ROSA})


async def test_a_rule_that_fails_for_one_of_several_users_denies_only_them(garden):
    plan = plan_of(garden, "own")

    def read(sql, params):
        if SAM in params:
            raise DatabaseError(detail="fails for Sam")
        return garden.database.read(sql, params)

    assert set(plan.allowed(read, ROW, {ROSA, SAM, UMA})) == {ROSA}


async def test_a_database_that_is_away_denies_nothing(garden):
    def read(sql, params):
        raise BusyError

    with pytest.raises(BusyError):
        plan_of(garden, "own").allowed(read, ROW, {ROSA})


async def test_without_table_permission_nobody_asks_the_rule(garden):
    plan = plan_of(garden, "members")
    assert plan.allowed(garden.database.read, ROW, {None, ROSA}) == {ROSA}


async def test_columns_compare_as_they_do_in_the_table(garden):
    """Affinity: a text that looks like a number; collation: upper and lower case."""
    relation = row_relation(garden.catalog.table(garden.apis["plants"].table).columns, 1)
    sql = f"SELECT 1 FROM {relation} WHERE {{}}"
    for condition in ("plot = '1'", "name = 'IRIS'", "height = '2.5'", "note IS NULL"):
        assert garden.database.read(sql.format(condition), ROW), condition
    assert not garden.database.read(sql.format("_hidden = 'H'"), ROW)


async def test_a_row_with_virtual_columns_is_read_again(garden):
    plan = plan_of(garden, "pots")
    await garden.run("INSERT INTO pot VALUES (1, 'a')")
    change = Change("insert", "main", "pot", 1, (), 1)
    assert plan.row_of(garden.database.read, change) == (1, "a", "A")
    gone = Change("update", "main", "pot", 2, (), 2)
    assert plan.row_of(garden.database.read, gone) is None


async def test_of_a_deleted_row_with_virtual_columns_only_the_key_is_known(garden):
    change = Change("delete", "main", "pot", 4, (), 4)
    assert plan_of(garden, "pots").row_of(garden.database.read, change) == (4, None, None)
    change = Change("delete", "main", "jar", 4, (), 4)
    assert plan_of(garden, "jars").row_of(garden.database.read, change) is None


async def test_values_of_another_schema_are_not_known(garden):
    change = Change("insert", "main", "plant", 1, (1, "b"), 1)
    assert plan_of(garden, "plants").row_of(garden.database.read, change) is None


async def test_tables_without_row_ids_have_events_too(garden):
    wire = await garden.follow("gauges", key=3)
    await garden.change("INSERT INTO gauge VALUES (3, 'rain'), (4, 'wind')")
    await garden.change("DELETE FROM gauge")
    assert wire.brief == [("Insert", 3, 1), ("Delete", 3, 2)]


async def test_an_api_whose_table_has_gone_has_no_plan(garden):
    api = garden.apis["beds"]
    await garden.run("DROP TABLE bed")
    garden.load()
    assert compile_event_plan(api, garden.catalog) is None
