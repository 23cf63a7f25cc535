"""Plans of inserts: their texts, the keys they make, and rules inside the statement."""

import asyncio
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.records.conftest import ROSA, SAM, api, identity
from tests.records.writing import open_site
from trailbase_server.records import inserts
from trailbase_server.records.inserts import find_plan
from trailbase_server.records.writes import prepare_create, run_write
from trailbase_server.web.errors import error_response

SCHEMA = f"""
CREATE TABLE _user (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v4(id)), email TEXT) STRICT;
INSERT INTO _user VALUES (X'{ROSA.hex()}', 'rosa'), (X'{SAM.hex()}', 'sam');
CREATE TABLE seed (id BLOB PRIMARY KEY NOT NULL CHECK (is_uuid_v7(id)) DEFAULT (UUID_V7()),
  sower BLOB REFERENCES _user (id), name TEXT CHECK (name <> 'weed'), "odd ""name" TEXT) STRICT;
CREATE TABLE pot (id BLOB PRIMARY KEY CHECK (is_uuid_v4(id)) DEFAULT (uuid_v4()), size INTEGER)
  STRICT;
CREATE TABLE bed (id INTEGER PRIMARY KEY, code TEXT UNIQUE ON CONFLICT ROLLBACK) STRICT;
CREATE TABLE turned (id INTEGER PRIMARY KEY DESC, size INTEGER) STRICT;
CREATE TABLE tool (id INTEGER PRIMARY KEY, name TEXT) STRICT;
CREATE TRIGGER tool_guard BEFORE INSERT ON tool WHEN new.name = 'borrowed'
  BEGIN SELECT RAISE(IGNORE); END;
"""
ALL = "acl_world: [CREATE]"
MANY = "_USER_.id IS NOT NULL OR _REQ_.name = 'pea' OR 'name' IN _REQ_FIELDS_"
CONFIG = "\n".join(
    (
        api("open", "seed", ALL, "autofill_missing_user_id_columns: true"),
        api("own", "seed", ALL, 'create_access_rule: "_REQ_.sower = _USER_.id"'),
        api("many", "seed", ALL, f'create_access_rule: "{MANY}"'),
        api("bare", "seed", ALL, 'create_access_rule: "name IN (SELECT name FROM _REQ_)"'),
        api("keyless", "seed", ALL, "create_access_rule: \"'id' NOT IN _REQ_FIELDS_\""),
        api("failing", "seed", ALL, "create_access_rule: \"json(_REQ_.name) IS NOT 'x'\""),
        api("pot", "pot", ALL, 'create_access_rule: "_REQ_.id IS NULL"'),
        api("bed", "bed", ALL, "create_access_rule: \"_REQ_.code <> 'no'\""),
        api("bed_open", "bed", ALL),
        api("turned", "turned", ALL),
        api("tool", "tool", ALL, "create_access_rule: \"_REQ_.name <> 'stolen'\""),
        api("tool_kept", "tool", ALL, "conflict_resolution: IGNORE"),
    )
)
FORBIDDEN, BAD, GOOD = 403, 400, 200


@pytest.fixture
async def site(tmp_path):
    async with open_site(tmp_path, SCHEMA, CONFIG) as site:
        yield site


def create(site, name, record, user=None):
    caller = identity(user) if user else None
    return prepare_create(site.state.api(name), record, site.state.registry, caller)


def test_a_key_that_is_known_is_not_read_back(site):
    sent = create(site, "bed_open", {"id": 7, "code": "a"})
    assert sent.sql == 'INSERT INTO "main"."bed" ("id", "code") VALUES (?1, ?2)'
    assert (sent.key, sent.params) == (7, [7, "a"])
    left = create(site, "turned", {"size": 1})
    assert left.sql == 'INSERT INTO "main"."turned" ("size") VALUES (?1) RETURNING "id"'
    assert not left.is_plain
    null = create(site, "turned", {"id": None})
    assert null.sql.endswith('("id") VALUES (?1) RETURNING "id"')
    assert create(site, "turned", {}).sql == (
        'INSERT INTO "main"."turned" DEFAULT VALUES RETURNING "id"'
    )


async def test_a_key_that_is_the_row_id_is_told_by_the_connection(site):
    assert create(site, "bed_open", {}).is_plain
    ids = []
    for record in ({}, {"id": 9}, {"code": "x"}, {"id": None}, {"id": -3}, {"id": 0}, {}):
        status, body = await site.create("bed_open", record)
        assert status == GOOD
        ids += body["ids"]
    assert ids == ["1", "9", "10", "11", "-3", "0", "12"]
    assert site.rows("SELECT id FROM bed WHERE code = 'x'") == [(10,)]
    # Not a row id: SQLite wants a type of this name, in ascending order.
    assert not site.state.api("turned").key_is_row_id


def test_a_key_is_made_where_the_default_is_a_generator_of_ours(site):
    made = create(site, "open", {'odd "name': "x"}, ROSA)
    assert made.sql == (
        'INSERT INTO "main"."seed" ("odd ""name", "sower", "id") VALUES (?1, ?2, ?3)'
    )
    assert made.params == ["x", ROSA, made.key]
    assert made.key[6] >> 4 == 7
    assert create(site, "pot", {}).key[6] >> 4 == 4
    assert create(site, "open", {}).sql == 'INSERT INTO "main"."seed" ("id") VALUES (?1)'


def test_conflicts_are_about_the_key_alone(tmp_path):
    async def check():
        async with open_site(tmp_path) as site:
            record = {"id": 1, "code": "x"}
            assert "ON CONFLICT" not in create(site, "locker", record).sql
            assert create(site, "ignore", record).sql.endswith(' ON CONFLICT ("id") DO NOTHING')
            assert create(site, "replace", record).sql.endswith(
                ' ON CONFLICT ("id") DO UPDATE SET "code" = excluded."code", '
                '"size" = excluded."size", "memo" = excluded."memo"'
            )
            assert 'DO UPDATE SET "id" = excluded."id"' in create(site, "lone", {"id": 1}).sql
            assert create(site, "lone", {}).sql.endswith('"lone" DEFAULT VALUES')

    asyncio.run(check())


def test_plans_are_shared_and_their_number_is_bounded(site, monkeypatch):
    plans = site.state.api("open").inserts
    first = find_plan(site.state.api("open"), ["name"], has_user=False)
    assert find_plan(site.state.api("open"), ["x" * 1000, "name"], has_user=False) is first
    assert find_plan(site.state.api("open"), ["name"], has_user=True) is not first
    assert set(plans) == {(False, "name"), (True, "name")}
    monkeypatch.setattr(inserts, "MAX_PLANS", 8)
    for names in permutations(("id", "sower", "name", 'odd "name')):
        assert find_plan(site.state.api("own"), names, has_user=False).key_at == names.index("id")
        assert len(site.state.api("own").inserts) <= inserts.MAX_PLANS


@pytest.mark.parametrize("name", ["open", "own", "many", "bare", "keyless", "failing"])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    record=st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["pea", "weed", None, "{"]),
            "sower": st.sampled_from(["AAAAAAAAQACAAAAAAAAAAA==", None]),
            'odd "name': st.text(max_size=3),
            "other": st.integers(),
        },
    ),
    user=st.sampled_from([None, ROSA]),
)
async def test_the_ruled_statement_decides_what_rule_and_change_do_one_after_the_other(
    site, name, record, user
):
    write = create(site, name, record, user)
    rule = site.state.api(name).create_rule
    if rule is not None:
        seen = dict(zip(sent_names(site, name, record), write.params, strict=False))
        assert list(write.rule_params) == rule.bind(user, None, seen)
        assert write.ruled_sql is not None
    together = await outcome(site, write)
    assert await outcome(site, replace(write, ruled_sql=None)) == together


def sent_names(site, name, record):
    return [key for key in record if key in site.state.api(name).column_of]


async def outcome(site, write):
    """What a write does to an empty table."""

    def run(tx):
        try:
            return run_write(tx, write), tx.read("SELECT * FROM seed")
        finally:
            tx.run("DELETE FROM seed")

    try:
        rows, stored = await site.database.write(run)
    except Exception as exc:  # noqa: BLE001  # compared
        response = error_response(exc)
        return response.status, response.body
    assert len(rows) == len(stored) == 1
    assert rows[0][0] == stored[0][0]
    return stored


async def test_what_the_rule_says_comes_first(site):
    # Not a sower, and a weed: the constraint would say 400.
    assert (await site.create("own", {"name": "weed"}, ROSA))[0] == FORBIDDEN
    assert (await site.create("failing", {"name": "{"}))[0] == FORBIDDEN
    assert (await site.create("many", {"name": "weed"}))[0] == BAD
    assert (await site.create("many", {"name": "pea"}))[0] == GOOD
    assert site.rows("SELECT count(*), min(name) FROM seed") == [(1, "pea")]


async def test_a_rule_sees_the_request_and_not_a_key_that_was_made_for_it(site):
    status, body = await site.create("keyless", {"name": "pea"})
    assert status == GOOD
    assert site.rows("SELECT count(*) FROM seed") == [(1,)]
    assert len(body["ids"]) == 1
    assert (await site.create("pot", {"size": 3}))[0] == GOOD
    assert (await site.create("keyless", {"id": body["ids"][0]}))[0] == FORBIDDEN


async def test_what_a_trigger_swallows_has_no_id(site):
    assert await site.create("tool", {"id": 5, "name": "borrowed"}) == (GOOD, {"ids": []})
    assert await site.create("tool", {"id": 5, "name": "own"}) == (GOOD, {"ids": ["5"]})
    assert await site.create("tool_kept", {"id": 5, "name": "other"}) == (GOOD, {"ids": []})
    assert (await site.create("tool", {"id": 6, "name": "stolen"}))[0] == FORBIDDEN
    assert site.rows("SELECT id, name FROM tool") == [(5, "own")]


async def test_a_conflict_that_rolls_everything_back_harms_nobody_else(site):
    calls = [
        site.create("bed", {"id": n, "code": code})
        for n, code in enumerate(("a", "b", "a", "no", "c"), 1)
    ]
    statuses = [status for status, _ in await asyncio.gather(*calls)]
    # Whoever took the turn down runs again by itself, before the others.
    assert statuses == [BAD, GOOD, GOOD, FORBIDDEN, GOOD]
    assert site.rows("SELECT id FROM bed ORDER BY id") == [(2,), (3,), (5,)]


async def test_records_that_come_together_are_all_or_nothing(site):
    records = [{"name": "pea"}, {"name": "weed"}]
    assert (await site.create("many", records))[0] == BAD
    assert site.rows("SELECT count(*) FROM seed") == [(0,)]
    status, body = await site.create("many", [{"name": "pea"}, {"name": "bean"}])
    assert status == GOOD
    assert len(body["ids"]) == len(set(body["ids"])) == 2
